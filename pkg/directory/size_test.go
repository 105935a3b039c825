//go:build !race

package directory

import "leat/internal/testdc"

// size is how many users the domain has.
const size = testdc.Users
