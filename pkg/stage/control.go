package stage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// ControlPrefix begins every control line, and no event.
const ControlPrefix = `{"@leat"`

// Hello is the first line of a marked stream. It names the lake that the stream is for, the pipeline's epoch there, the
// run's unguessable id, and the mark that the lake holds: the stream begins behind it.
type Hello struct {
	Lake     string `json:"lake"`
	Pipeline string `json:"pipeline"`
	Epoch    int64  `json:"epoch"`
	Run      string `json:"run"`
	Resume   int64  `json:"resume"`
	// ResumeRun is the run that committed the mark Resume: two runs may both have made a mark of that number, and the lake
	// holds the one of this run. "" = not known.
	ResumeRun string `json:"resume_run,omitempty"`
}

// Mark says: every event before me was read from these sources up to these positions, and no event crosses me.
// It is the checkpoint barrier of a pipe with one input.
type Mark struct {
	N   int64  `json:"mark"`
	Run string `json:"run"`
	// Since is the committed mark whose positions hold for every source that Sources does not name.
	Since int64 `json:"since"`
	// Sources maps a source's name to its opaque position.
	Sources map[string]string `json:"sources,omitempty"`
	// Time is ingest's clock at the mark (RFC 3339), on which later stages' timers run.
	Time string `json:"time,omitempty"`
	// End is true on the last mark of a stream that ended in order.
	End bool `json:"end,omitempty"`
}

type controlLine struct {
	Leat json.RawMessage `json:"@leat"`
}

// IsControl tells whether a line claims to be a control line.
func IsControl(line []byte) bool { return bytes.HasPrefix(line, []byte(ControlPrefix)) }

// AppendHello appends h as a control line with its line feed.
func AppendHello(dst []byte, h Hello) []byte {
	return appendControl(dst, map[string]Hello{"hello": h})
}

// AppendMark appends m as a control line with its line feed.
func AppendMark(dst []byte, m Mark) []byte { return appendControl(dst, m) }

func appendControl(dst []byte, v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		// Strings, integers and maps of strings always encode.
		panic(err)
	}
	dst = append(dst, ControlPrefix+":"...)
	dst = append(dst, body...)
	return append(dst, "}\n"...)
}

// control is a parsed control line: exactly one of the two is set.
type control struct {
	hello *Hello
	mark  *Mark
}

func parseControl(line []byte) (control, error) {
	var outer controlLine
	if err := strict(line, &outer); err != nil {
		return control{}, fmt.Errorf("control line: %w", err)
	}
	var h struct {
		Hello *Hello `json:"hello"`
	}
	if strict(outer.Leat, &h) == nil && h.Hello != nil {
		return control{hello: h.Hello}, nil
	}
	var m Mark
	if err := strict(outer.Leat, &m); err != nil {
		return control{}, fmt.Errorf("control line: %w", err)
	}
	if m.N <= 0 || m.Run == "" {
		return control{}, errors.New("control line: neither a hello nor a mark")
	}
	return control{mark: &m}, nil
}

func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return errors.New("text after the object")
	}
	return nil
}
