package normalize

import (
	"bytes"

	"leat/pkg/normalize/parse"
)

// step runs one parser of the chain. Where it reads a member of the record, that counts as used once it was read.
func (r *runner) step(s *step, first bool) bool {
	in, taken := r.raw, parse.None
	if r.hasHead {
		in = r.head.Message
	}
	if s.from != nil {
		n := int32(0)
		for _, k := range s.from {
			if n = r.rec.Find(n, k); n < 0 {
				return false
			}
		}
		in, taken = r.rec.Text(n), n
	}
	at := int32(0)
	if s.into != nil {
		at = r.rec.AddObject(0, s.into)
	}
	ok := r.stepInto(at, s, in, first)
	if ok && taken != parse.None {
		r.rec.Cells[taken].Used = true
	}
	return ok
}

// stepInto runs one parser over the text in, for the object at.
func (r *runner) stepInto(at int32, s *step, in []byte, first bool) bool {
	before := len(r.rec.Cells)
	r.know(s)
	switch s.kind {
	case stepJSON:
		if first && s.from == nil {
			if r.isObj {
				r.rec.FromEvent(at, r.obj, r.obj.Root())
			}
			return r.isObj
		}
		return r.rec.JSON(at, bytes.TrimSpace(in)) == nil
	case stepKV:
		return r.renamed(s, before, s.kv.Parse(&r.rec, at, in))
	case stepCSV:
		return s.csv.Parse(&r.rec, at, in)
	case stepCEF:
		return r.renamed(s, before, parse.CEF(&r.rec, at, in))
	case stepLEEF:
		return r.renamed(s, before, parse.LEEF(&r.rec, at, in))
	case stepLines:
		return r.renamed(s, before, r.matchLines(at, bytes.TrimSpace(in))) || s.from != nil
	case stepZeek:
		return r.zeekRow(at, s, in)
	case stepW3C:
		return r.w3cRow(at, s, in)
	case stepSD:
		if s.from == nil && len(r.head.Data) > 0 {
			in = r.head.Data
		}
		return r.renamed(s, before, parse.SD(&r.rec, at, in))
	case stepWinlog:
		return r.winlog(at, s, in)
	case stepAudit:
		return parse.Audit(&r.rec, at, in)
	case stepXML:
		return parse.XML(&r.rec, at, bytes.TrimPrefix(bytes.TrimSpace(in), byteOrderMark))
	}
	return true
}

// matchLines finds the first pattern that fits. None is no fault where something else than the text recognised the source.
func (r *runner) matchLines(at int32, in []byte) bool {
	in = r.behindPrefix(r.plan, at, in)
	r.line = in
	for i := range r.plan.lines {
		l := &r.plan.lines[i]
		if r.matcher.Match(l.p, &r.rec, at, in) {
			r.lineName = l.name
			return true
		}
	}
	return true
}
