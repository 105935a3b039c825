//go:build !faults

package lake

// fault and weakened do nothing in a program that people run: see fault_on.go.
func fault(string) error { return nil }

func weakened(string) bool { return false }
