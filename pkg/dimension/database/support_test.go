package database

import (
	"encoding/json"
	"os"
	"syscall"
	"testing"
)

func validCell(raw []byte) bool { return json.Valid(raw) }

// elements counts those of a JSON array.
func elements(raw []byte) int {
	var all []json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return -1
	}
	return len(all)
}

// chownLike gives path the owner that info has: the server reads it.
func chownLike(t *testing.T, path string, info os.FileInfo) {
	t.Helper()
	st := info.Sys().(*syscall.Stat_t)
	if err := os.Chown(path, int(st.Uid), int(st.Gid)); err != nil {
		t.Fatal(err)
	}
}
