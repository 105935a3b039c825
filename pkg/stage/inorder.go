package stage

import "leat/pkg/event"

// Ordered is a Cloner for which the order within some batches counts. Parallel gives those to one clone as a whole. InOrder is asked before each
// batch and leaves it as it is; what the clones share must be safe while they work on other batches side by side.
type Ordered interface {
	Cloner
	InOrder(b *event.Batch) bool
}
