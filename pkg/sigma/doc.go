// Package sigma is an engine for Sigma detection rules (specification 2.1): it reads rules, compiles any number of them
// into one index, and tells which of them an event matches.
//
//	rules, faults := sigma.ParseFile("rule.yml", data, sigma.Options{})
//	ix, err := sigma.NewIndex(rules, nil)
//	m := ix.NewMatcher()
//	for _, hit := range m.Match(ev) { fmt.Println(rules[hit].Title) }
//
// An [Index] is immutable and shared; a [Matcher] holds the scratch memory of one goroutine. Matching allocates nothing.
// [Rule.Explain] evaluates one rule without the index and says which clauses held, and why the others did not.
//
// What it means where the specification leaves room (docs/sigma-conformance.md has the whole list):
//   - comparison folds case by Unicode's simple folding; re and cased do not;
//   - every value is compared as text, so that 4688 equals "4688";
//   - a field that is not there is null, and is not the empty string;
//   - a field with several values (a JSON array) matches where any of them does;
//   - keywords look into every value of the event.
//
// [Parse] reads all kinds of documents and [Set.Link] joins them: filters become parts of the conditions of their rules,
// and what a correlation refers to is found. A Correlation is evaluated by pkg/correlate.
//
// Not for: reading logs, field names of a log format (give NewIndex a [Mapper]), or choosing which rules see which event
// ([LogSource.Admits] helps).
//
// Delivery: none of its own; a match depends on the event and the rules alone.
package sigma
