package ingest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"leat/pkg/event"
)

// rotated matches what rotation appends to a name: .1, .2.gz, -20261124, -2026-11-24_03, .20261124.zst.
var rotated = regexp.MustCompile(`^(.+?)(?:\.(\d{1,3})|[-._](\d{8}|\d{4}-\d{2}-\d{2})([-_.T]?[0-9:]{1,6})?)?(\.gz|\.zst)?$`)

// family is the path that a file had before it was rotated: the same for auth.log, auth.log.1 and auth.log.2.gz.
func family(path string) string {
	dir, base := filepath.Split(path)
	m := rotated.FindStringSubmatch(base)
	if m == nil {
		return path
	}
	whole := strings.TrimSuffix(base, m[5])
	if _, err := netip.ParseAddr(whole); err == nil {
		// A log by sender: 192.0.2.1 is no rotated 192.0.2.
		return dir + whole
	}
	return dir + m[1]
}

// age orders the names of one family: the higher, the older. A name without rotation has age 0.
func age(path string) (number int, date string) {
	m := rotated.FindStringSubmatch(filepath.Base(path))
	if m == nil {
		return 0, ""
	}
	n, _ := strconv.Atoi(m[2])
	return n, m[3] + m[4]
}

// byAge sorts paths by family, and within one from the oldest to the newest.
func byAge(paths []string) {
	slices.SortStableFunc(paths, func(a, b string) int {
		if c := cmp.Compare(family(a), family(b)); c != 0 {
			return c
		}
		na, da := age(a)
		nb, db := age(b)
		if da != db {
			// No date is the newest.
			switch "" {
			case da:
				return 1
			case db:
				return -1
			}
			return cmp.Compare(da, db)
		}
		if na != nb {
			return cmp.Compare(nb, na)
		}
		return cmp.Compare(a, b)
	})
}

// isRotated tells whether the path is one that rotation gave.
func isRotated(path string) bool { return family(path) != path }

// label returns the part of a file's beginning that names it: up to the end of the first line that is no comment, at most
// printSize bytes. Files with a header (Zeek, W3C) tell their date there. ok is false while that line is not whole;
// then more of the file must be waited for.
func label(head []byte) (part []byte, ok bool) {
	for i := 0; i < len(head); {
		end := bytes.IndexByte(head[i:], '\n')
		if end < 0 {
			break
		}
		comment := head[i] == '#' || end == 0
		i += end + 1
		if !comment {
			return head[:i], true
		}
	}
	return head, len(head) >= printSize
}

// sourceName names the file of a family that begins with head: `file:/var/log/auth.log#9f3c0d5e7a1b2c3d`.
func sourceName(family string, part []byte) string {
	sum := sha256.Sum256(part)
	return "file:" + printable(family) + "#" + hex.EncodeToString(sum[:8])
}

// pathOf returns the family's path from what sourceName made of it.
func pathOf(source string) string {
	path := strings.TrimPrefix(source[:strings.LastIndexByte(source, '#')], "file:")
	return string(event.UnescapeText(nil, []byte(path)))
}

// splitName splits the name of a file's origin into family with fingerprint, and generation.
func splitName(name string) (source string, generation int64, ok bool) {
	i := strings.LastIndexByte(name, '/')
	if hash := strings.LastIndexByte(name, '#'); !strings.HasPrefix(name, "file:") || hash < 0 || i < hash {
		return "", 0, false
	}
	n, err := strconv.ParseInt(name[i+1:], 10, 64)
	return name[:i], n, err == nil
}
