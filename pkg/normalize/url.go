package normalize

import "bytes"

// url sets the parts of the URL, and of url.original and url.full the one that the mapping has not: they are the same where the
// event has the whole of it.
func (r *runner) url() {
	a := &r.plan.auto
	switch {
	case r.has(a.urlFull):
		full := r.leaves[a.urlFull][0]
		r.splitURL(r.textOf(full))
		if !r.has(a.urlOriginal) {
			r.put(a.urlOriginal, full)
		}
	case r.has(a.urlOriginal):
		original := r.leaves[a.urlOriginal][0]
		r.splitURL(r.textOf(original))
		if isURL(r.textOf(original)) {
			r.put(a.urlFull, original)
		}
	}
}

// isURL tells whether u has a scheme and an authority.
func isURL(u []byte) bool {
	i := bytes.Index(u, schemeMark)
	return i > 0 && !bytes.ContainsAny(u[:i], "/?#")
}

// defaultPort sets the port that the URL's scheme implies (RFC 9110, section 4.2) where the URL names none.
func (r *runner) defaultPort() {
	a := &r.plan.auto
	if r.has(a.urlPort) || !r.has(a.urlScheme) {
		return
	}
	switch scheme := r.textOf(r.leaves[a.urlScheme][0]); {
	case fold(scheme, "https"):
		r.put(a.urlPort, numberValue(portHTTPS))
	case fold(scheme, "http"):
		r.put(a.urlPort, numberValue(portHTTP))
	}
}

var portHTTP, portHTTPS = []byte("80"), []byte("443")

// splitURL sets the parts of a URL (RFC 3986), or of a request's target.
func (r *runner) splitURL(u []byte) {
	a := &r.plan.auto
	if i := bytes.IndexByte(u, '#'); i >= 0 {
		r.fallback(a.urlFragment, u[i+1:])
		u = u[:i]
	}
	if isURL(u) {
		i := bytes.Index(u, schemeMark)
		r.fallback(a.urlScheme, u[:i])
		u = u[i+3:]
		end := bytes.IndexAny(u, "/?")
		if end < 0 {
			end = len(u)
		}
		r.authority(u[:end])
		r.defaultPort()
		u = u[end:]
	}
	if len(u) > 0 && u[0] != '/' && u[0] != '?' && u[0] != '*' {
		// Neither a URL nor a path: CONNECT host:443, or anything a scanner sent.
		return
	}
	if i := bytes.IndexByte(u, '?'); i >= 0 {
		r.fallback(a.urlQuery, u[i+1:])
		u = u[:i]
	}
	if len(u) == 0 {
		return
	}
	r.fallback(a.urlPath, u)
	base := u[bytes.LastIndexByte(u, '/')+1:]
	if i := bytes.LastIndexByte(base, '.'); i > 0 && i+1 < len(base) && len(base)-i < 12 {
		r.fallback(a.urlExtension, base[i+1:])
	}
}

var schemeMark = []byte("://")

func (r *runner) authority(h []byte) {
	a := &r.plan.auto
	if i := bytes.LastIndexByte(h, '@'); i >= 0 {
		h = h[i+1:]
	}
	if i := bytes.LastIndexByte(h, ':'); i >= 0 && bytes.IndexByte(h[i:], ']') < 0 {
		if n, ok := r.integer(h[i+1:]); ok && !r.has(a.urlPort) {
			r.put(a.urlPort, numberValue(n))
		}
		h = h[:i]
	}
	h = bytes.Trim(h, "[]")
	r.fallback(a.urlDomain, h)
}
