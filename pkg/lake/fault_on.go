//go:build faults

package lake

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// fault fails at the point that LEAT_FAILPOINT names. Only programs that are built for the fault harness have it.
func fault(point string) error {
	if os.Getenv("LEAT_FAILPOINT") == point {
		return fmt.Errorf("failpoint %s", point)
	}
	return nil
}

// weakened tells whether LEAT_UNSAFE switches a safeguard off (no-fence, no-mark-check, no-fsync-check, no-torn-check), to show that
// the fault harness can fail.
func weakened(what string) bool {
	return slices.Contains(strings.Split(os.Getenv("LEAT_UNSAFE"), ","), what)
}

// lose leaves the last file of a commit out where LEAT_UNSAFE says lose-file: a program that loses what it was given.
func lose(files []File) []File {
	if weakened("lose-file") && len(files) > 0 {
		return files[:len(files)-1]
	}
	return files
}

// synced takes a failed fsync for one that went well where LEAT_UNSAFE says no-fsync-check.
func synced(err error) error {
	if weakened("no-fsync-check") {
		return nil
	}
	return err
}
