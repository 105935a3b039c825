package cli

import (
	"errors"

	"leat/pkg/state"
)

// Remembered gives an error of a stage that remembers its exit status: 2 where its state is not that of the stream, or is
// one of needs (no folder was named), 3 where another process has it.
func Remembered(err error, needs ...error) error {
	if errors.Is(err, state.ErrHeld) {
		return Attention(err)
	}
	for _, told := range append(needs, state.ErrMissing, state.ErrOther, state.ErrFormat) {
		if errors.Is(err, told) {
			return Usage(err)
		}
	}
	return err
}
