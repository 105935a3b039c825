package tui

import (
	"context"
	"io"
	"time"
)

// plain writes alerts as lines of text, for where there is no terminal, until stop or ctx.
func plain(ctx context.Context, in *intake, f *filter, p Palette, zone *time.Location, w io.Writer, stop <-chan struct{}) error {
	t := time.NewTicker(frameTime)
	defer t.Stop()
	for {
		last := false
		select {
		case <-stop:
			last = true
		case <-ctx.Done():
			last = true // the reader may be blocked in a read that ctx can't end
		case <-t.C:
		}
		var buf []byte
		for _, r := range in.drain(time.Now()).rows {
			if f.match(r) {
				buf = append(r.plainLine(buf, p, zone), '\n')
			}
		}
		if len(buf) > 0 {
			if _, err := w.Write(buf); err != nil {
				return err
			}
		}
		if last {
			return in.result()
		}
	}
}

// plainLine appends time, level, rule, user, host and text.
func (r *row) plainLine(dst []byte, p Palette, zone *time.Location) []byte {
	when := "-"
	if r.time != 0 {
		when = time.Unix(0, r.time).In(zone).Format(time.RFC3339)
	}
	level := levels[r.level]
	if level == "" {
		level = "-"
	}
	dst = append(dst, when+" "+p.paint(style(r.level), fit(level, 13))+" "+r.rule...)
	for _, s := range []struct{ name, text string }{{"user", r.user}, {"host", r.host}, {"source", r.source}} {
		if s.text != "" {
			dst = append(dst, " "+s.name+"="+quote(s.text)...)
		}
	}
	return append(dst, " "+r.message...)
}
