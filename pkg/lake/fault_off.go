//go:build !faults

package lake

// fault, weakened, lose and synced do nothing in a program that people run: see fault_on.go.
func fault(string) error { return nil }

func weakened(string) bool { return false }

func lose(files []File) []File { return files }

func synced(err error) error { return err }
