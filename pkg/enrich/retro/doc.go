// Package retro goes through a lake's events once more for what became known later: new indicators.
//
// [Run] reads the committed files of a lake, of each only the columns that the match needs, and where one has a hit, its whole rows. Those
// are given back as the JSON that they were, to be enriched as if they came by live: the same event.id, so that alerts on them have the
// ids that they would have had.
//
// It is not for questions in SQL (query), and does not read what persist has not committed yet.
//
// Delivery: each committed event that matches is written once by a run, in the order of its files' oldest events, within a file as it
// stands there. The reader's lock is held, so that no file goes away meanwhile. A run that fails has written what came before.
package retro
