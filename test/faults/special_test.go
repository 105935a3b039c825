package faults

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// The special program is leat built for this harness: LEAT_UNSAFE switches safeguards off (build tag faults), and its wall clock
// is off by the seconds that the file LEAT_CLOCK holds. The clock is moved inside of Go's time package, by an overlay at build
// time, so that every use of it is covered, those of other packages too. As with a real jump, monotonic time goes on.

// clockFile replaces nothing: it is added to Go's package time.
const clockFile = `package time

import (
	"sync/atomic"
	"syscall"
)

// skewed is by how many seconds the clock is off. Now can't read the file itself: the runtime calls it where no system call may be.
var skewed atomic.Int64

func init() {
	if name, ok := syscall.Getenv("LEAT_CLOCK"); ok {
		skewed.Store(readSkew(name))
		go func() {
			for {
				Sleep(10 * Millisecond)
				skewed.Store(readSkew(name))
			}
		}()
	}
}

func readSkew(name string) int64 {
	fd, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return skewed.Load()
	}
	defer syscall.Close(fd)
	var buf [32]byte
	n, _ := syscall.Read(fd, buf[:])
	seconds, sign := int64(0), int64(1)
	for i := 0; i < n; i++ {
		switch c := buf[i]; {
		case c == '-':
			sign = -1
		case c >= '0' && c <= '9':
			seconds = seconds*10 + int64(c-'0')
		}
	}
	return sign * seconds
}
`

var special struct {
	once sync.Once
	path string
	err  string
}

// specialProgram builds it, once, and returns its path.
func specialProgram(t *testing.T) string {
	t.Helper()
	if p := os.Getenv("LEAT_SPECIAL"); p != "" {
		return p
	}
	special.once.Do(func() {
		dir, err := os.MkdirTemp("", "leat-special-")
		if err != nil {
			special.err = err.Error()
			return
		}
		special.path = filepath.Join(dir, "leat")
		root, err := exec.Command("go", "env", "GOROOT").Output()
		if err != nil {
			special.err = err.Error()
			return
		}
		source := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
		text, err := os.ReadFile(source)
		if err != nil {
			special.err = err.Error()
			return
		}
		const now = "\tsec, nsec, mono := runtimeNow()\n\tif mono == 0 {"
		if strings.Count(string(text), now) != 1 {
			special.err = "this Go has another time.Now: the overlay of the clock has to follow"
			return
		}
		moved := strings.Replace(string(text), now, "\tsec, nsec, mono := runtimeNow()\n\tsec += skewed.Load()\n\tif mono == 0 {", 1)
		overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
			source: filepath.Join(dir, "time.go"), filepath.Join(filepath.Dir(source), "skew.go"): filepath.Join(dir, "skew.go"),
		}})
		if err != nil {
			special.err = err.Error()
			return
		}
		for name, body := range map[string]string{"time.go": moved, "skew.go": clockFile, "overlay.json": string(overlay)} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
				special.err = err.Error()
				return
			}
		}
		cmd := exec.Command("go", "build", "-tags", "faults", "-overlay", filepath.Join(dir, "overlay.json"), "-o", special.path, "./cmd/leat")
		cmd.Dir = "../.."
		if out, err := cmd.CombinedOutput(); err != nil {
			special.err = err.Error() + ": " + string(out)
		}
	})
	if special.err != "" {
		t.Fatal(special.err)
	}
	return special.path
}

// TestMain removes the special program.
func TestMain(m *testing.M) {
	code := m.Run()
	if special.path != "" {
		_ = os.RemoveAll(filepath.Dir(special.path))
	}
	os.Exit(code)
}
