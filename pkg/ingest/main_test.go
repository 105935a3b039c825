package ingest

import (
	"net/http"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// Opening a FIFO that nobody writes to can't be interrupted: the goroutine that waits there ends with the process.
	goleak.VerifyTestMain(closing{m}, goleak.IgnoreAnyFunction("leat/pkg/ingest.(*stream).runPath.func1"))
}

// closing ends the connections that the default client keeps.
type closing struct{ m *testing.M }

func (c closing) Run() int {
	code := c.m.Run()
	http.DefaultClient.CloseIdleConnections()
	return code
}
