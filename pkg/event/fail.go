package event

// KindError is the event.kind of what a stage could not handle (ECS: pipeline_error).
const KindError = "pipeline_error"

var (
	pathKind      = MustPath("event.kind")
	pathErrMsg    = MustPath("error.message")
	pathErrType   = MustPath("error.type")
	pathLeatStage = MustPath("leat.stage")
)

// Fail makes e a pipeline_error of the named stage and keeps everything it had: a JSON object gets event.kind,
// error.message, error.type and leat.stage; any other line becomes event.original of a new object (escaped with
// EscapeText where it must be, which leat.escaped: true says). reason is a short word for error.type.
func (b *Batch) Fail(e *Event, stage, reason, message string) {
	defer func() { e.failed = true }()
	e.Whole()
	if e.Parse() == nil && e.markFailed(stage, reason, message) == nil {
		return
	}
	raw := e.Line()
	dst := b.Begin(len(raw) + len(message) + 256)
	dst = append(dst, `{"event":{"kind":"`+KindError+`",`...)
	dst, escaped := AppendRecord(dst, raw)
	dst = append(dst, `},"error":{"type":`...)
	dst = AppendString(dst, reason)
	dst = append(dst, `,"message":`...)
	dst = AppendString(dst, message)
	dst = append(dst, `},"leat":{"stage":`...)
	dst = AppendString(dst, stage)
	if escaped {
		dst = append(dst, `,"escaped":true`...)
	}
	dst = append(dst, `}}`...)
	e.Replace(b.End(dst))
}

func (e *Event) markFailed(stage, reason, message string) error {
	if err := e.SetString(pathKind, KindError); err != nil {
		return err
	}
	if err := e.SetString(pathErrMsg, message); err != nil {
		return err
	}
	if err := e.SetString(pathErrType, reason); err != nil {
		return err
	}
	return e.SetString(pathLeatStage, stage)
}
