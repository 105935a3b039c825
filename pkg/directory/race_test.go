//go:build race

package directory

// size is smaller under the race detector, which makes tables ten times slower: what is raced for is the same.
const size = 300
