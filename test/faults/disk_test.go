package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFullDisk: a lake on a full disk stops persist with a clear word; with room again, the same command goes on, and every
// line is there once. It runs on a tmpfs where mounting is allowed, else under a limit on file sizes; it prints which.
func TestFullDisk(t *testing.T) {
	leat, py := program(t, "leat"), python(t)
	dir := t.TempDir()
	mnt := filepath.Join(dir, "disk")
	if err := os.Mkdir(mnt, 0o700); err != nil {
		t.Fatal(err)
	}
	lakeDir := filepath.Join(mnt, "lake")
	rules := write(t, dir, "rules/canary.yml", canaryRule)
	var text strings.Builder
	const n = 30000
	for i := range n {
		text.WriteString(line(int64(i + 1)))
	}
	src := write(t, dir, "auth.log", text.String())
	commands := chainTo(lakeDir, src)
	commands[2] = append(commands[2], "-r", rules)

	var runs []stageRun
	if err := unix.Mount("tmpfs", mnt, "tmpfs", 0, "size=1500k,mode=700"); err == nil {
		fmt.Println("faults: full disk on a mounted tmpfs")
		t.Cleanup(func() { _ = unix.Unmount(mnt, unix.MNT_DETACH) })
		runs = pipe(t, leat, commands...)
		if err := unix.Mount("tmpfs", mnt, "tmpfs", unix.MS_REMOUNT, "size=200m"); err != nil {
			t.Fatal(err)
		}
	} else {
		fmt.Println("faults: full disk by a limit on file sizes, as mounting is not allowed:", err)
		limited := write(t, dir, "limited", "#!/bin/bash\nulimit -f 100\nexec "+leat+" \"$@\"\n")
		if err := os.Chmod(limited, 0o700); err != nil {
			t.Fatal(err)
		}
		runs = pipe(t, limited, commands...)
	}
	last := runs[len(runs)-1]
	if last.code != 1 || !strings.Contains(last.stderr, "persist: ") || !mentions(last.stderr, "no space left", "file too large", "disk") {
		t.Errorf("persist on a full disk: exit %d: %s", last.code, last.stderr)
	}
	if out, err := exec.Command(leat, "files", "--lake", lakeDir).CombinedOutput(); err != nil {
		t.Errorf("the lake can't be read on a full disk: %v: %s", err, out)
	}
	mustEndWell(t, pipe(t, leat, commands...))
	mustBeExact(t, count(t, leat, py, lakeDir), n)
}

func mentions(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(strings.ToLower(s), w) {
			return true
		}
	}
	return false
}
