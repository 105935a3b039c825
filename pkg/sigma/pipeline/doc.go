// Package pipeline reads processing pipelines as pySigma writes them (YAML) and applies them to rules, so that who has
// pipelines for other tools can keep them.
//
//	p, err := pipeline.Parse("windows.yml", data)
//	opt := sigma.Options{Rewrite: pipeline.Chain{p}.Apply}
//
// A pipeline changes a rule before it is compiled: other names of fields, other log sources, further conditions, other
// values. It works on the rule's YAML, so that what comes out is a rule that can be shown and shared.
//
// Not for: what pipelines do to queries (postprocessing, finalizers): there is no query here, and they are read past. Of
// query_expression_placeholders the lists count, as lookups, and the expression is read past. What fetches, reads files or runs
// anything is refused.
//
// Delivery: none of its own. What it does not know is an error with file, line and column when the pipeline is read.
package pipeline
