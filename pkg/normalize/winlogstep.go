package normalize

import (
	"bytes"

	"leat/pkg/normalize/parse"
)

// winlog reads a Windows event in whatever form it came: JSON, the XML of the event schema, or a syslog line with its members as
// structured data.
func (r *runner) winlog(at int32, s *step, in []byte) bool {
	in = bytes.TrimPrefix(bytes.TrimSpace(in), byteOrderMark)
	switch {
	case len(in) > 2 && (in[0] == '<' || string(in[:3]) == "- <"):
		return parse.WinlogXML(&r.rec, at, in)
	case s.from == nil && r.isObj:
		return parse.Winlog(&r.rec, at, r.obj)
	case s.from == nil && len(r.head.Data) > 0:
		return parse.WinlogData(&r.rec, at, r.head.Data)
	}
	return false
}

var byteOrderMark = []byte("\xEF\xBB\xBF")
