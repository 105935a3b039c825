package ingest

import "net/url"

type options struct{}

func parseOptions(kind, url.Values) (options, error) { return options{}, nil }
