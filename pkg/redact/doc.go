// Package redact takes personal and secret values out of events, or puts pseudonyms in their place: by field and by pattern, as a
// YAML file says (docs/13-redaction.md).
//
//	cfg, err := redact.Load("redact.yaml", os.Getenv)
//	s := redact.New(cfg)
//	err = s.Process(batch)
//
// What a rule redacts in one field vanishes from every other text of the event too, keys of objects included; event.original is
// dropped unless the file says rewrite. With one key the same value always becomes the same pseudonym, so that joins still work,
// and addresses keep their common prefixes (Crypto-PAn, Xu et al. 2002).
//
// It is no anonymisation: who holds the key can compare, and who knows a value's context may guess it. It does not look into
// encodings (base64, compression); literal, JSON-escaped and percent-encoded forms are found.
//
// Delivery: every event stays, at its place. There is no state between events.
package redact
