package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// disk mounts a tmpfs of that size on a folder and skips the test where that is not allowed.
func disk(t *testing.T, dir, options string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=700,"+options); err != nil {
		t.Skipf("no tmpfs: mounting is not allowed: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
}

// fill takes the room of a disk until left bytes are free; the function that it returns gives it back.
func fill(t *testing.T, dir string, left int64) (room func()) {
	t.Helper()
	path := filepath.Join(dir, ".ballast")
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	n := int64(st.Bavail)*st.Bsize - left
	if err := os.WriteFile(path, make([]byte, max(n, 0)), 0o600); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFullDisk: a lake on a full disk stops persist with a clear word; with room again, the same command goes on, and every
// line is there once. It runs on a tmpfs where mounting is allowed, else under a limit on file sizes; it prints which.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	leat, py := program(t, "leat"), python(t)
	dir := t.TempDir()
	mnt := filepath.Join(dir, "disk")
	if err := os.Mkdir(mnt, 0o700); err != nil {
		t.Fatal(err)
	}
	lakeDir := filepath.Join(mnt, "lake")
	rules := write(t, dir, "rules/canary.yml", canaryRule)
	const n = 30000
	src := write(t, dir, "auth.log", linesOf(1, n))
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

// TestFullFolder fills the disks of single folders: the lake's log, its inodes, the journal of respond, the spool of long lines.
// The stage that needs the room ends with exit status 1 and a word, at whatever byte the room ended; with room again the same
// commands go on, and all is there once.
func TestFullFolder(t *testing.T) {
	t.Parallel()
	const n = 2000
	for _, c := range []struct {
		name, dir, options string
		left               []int64
		stage              string
	}{
		{"log", "lake/log", "size=1m", []int64{0, 4096, 3 * 4096}, ""},
		{"inodes", "lake", "size=100m,nr_inodes=36", []int64{1 << 26}, ""},
		{"lake", "lake", "size=20m", []int64{0, 4096, 8192, 65536, 300 << 10}, ""},
		{"respond", "state/respond", "size=1m", []int64{0, 4096, 8192}, "respond"},
		{"spool", "state/spool", "size=1m", []int64{0, 4096}, "ingest"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := bareSite(t)
			dir := s.path(filepath.FromSlash(c.dir))
			if c.name == "log" {
				s.openLake(t) // its format file is linked from there, which can't be done across disks
			}
			disk(t, dir, c.options)
			if c.name == "log" {
				write(t, dir, "tmp/x", "")
			}
			write(t, s.dir, "playbook.yaml", playbook)
			in := write(t, s.dir, "in.log", linesOf(1, n)+strings.Repeat("x", 9000)+"\n")
			argvs := [][]string{
				{s.leat, "ingest", "--resume", s.path("lake"), "--state", s.path("state"), "--mark-every", "500", "--max-line", "8KiB", in},
				{s.leat, "normalize"}, {s.leat, "detect", "-r", s.path("rules")},
				{s.leat, "respond", "-c", s.path("playbook.yaml"), "--enforce", "--state", s.path("state")},
				{s.leat, "persist", "--lake", s.path("lake")},
			}
			names := []string{"ingest", "normalize", "detect", "respond", "persist"}
			for _, left := range c.left {
				room := fill(t, dir, left)
				codes, failed := map[string]int{}, ""
				for i, p := range s.pipe(t, argvs) {
					_ = p.Wait()
					codes[names[i]] = p.ProcessState.ExitCode()
					if codes[names[i]] == 1 {
						failed = names[i]
					}
					if code := codes[names[i]]; code == 2 || code > 3 {
						t.Errorf("%d bytes left: %s: exit status %d", left, names[i], code)
					}
				}
				if failed == "" || c.stage != "" && codes[c.stage] != 1 {
					t.Errorf("%d bytes left: exit statuses %v", left, codes)
				}
				room()
			}
			if c.name == "inodes" {
				if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "nr_inodes=10000"); err != nil {
					t.Fatal(err)
				}
			}
			for i, p := range s.pipe(t, argvs) {
				if err := p.Wait(); err != nil {
					t.Errorf("with room again: %s: %v", names[i], err)
				}
			}
			got := count(t, s.leat, s.py, s.path("lake"))
			want := exact(n)
			want.Errors = 1 // the long line
			if got != want {
				t.Errorf("the lake holds %+v\nwant          %+v", got, want)
			}
		})
	}
}

// TestFullJournal: while the journal's disk is full the sender waits; with room again it goes on by itself, without a restart.
func TestFullJournal(t *testing.T) {
	t.Parallel()
	const n = 3000
	s := bareSite(t)
	dir := s.path("state", "journal")
	disk(t, dir, "size=4m")
	room := fill(t, dir, 200<<10)
	argvs := [][]string{
		{"cat", write(t, s.dir, "in.log", linesOf(1, n))},
		{s.leat, "ingest", "--resume", s.path("lake"), "--state", s.path("state"), "--mark-every", "500", "-"},
		{s.leat, "normalize"}, {s.leat, "detect", "-r", s.path("rules")}, {s.leat, "persist", "--lake", s.path("lake")},
	}
	run := s.pipe(t, argvs)
	s.waitFor(t, "nobody says that the journal is full", func() bool {
		said, _ := os.ReadFile(s.log.Name())
		return mentions(string(said), "no space left")
	})
	time.Sleep(100 * time.Millisecond)
	room()
	for _, p := range run {
		if err := p.Wait(); err != nil {
			t.Errorf("%v: %v", p.Args[:2], err)
		}
	}
	mustBeExact(t, count(t, s.leat, s.py, s.path("lake")), n)
}
