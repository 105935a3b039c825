package ingest

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options of a listener, from the query of its URL.
type options struct {
	maxMessage int           // max_message: bytes
	maxConns   int           // max_connections
	idle       time.Duration // idle: a connection that sends nothing for so long is closed
	// messageTime (message_time): a message that was begun must be whole after so long.
	messageTime time.Duration
	tls         *tls.Config // cert, key, client_ca, client_auth
	maxBody     int         // max_body: bytes of a request, decompressed
	tokens      [][32]byte  // token: SHA-256 of what a request must bear; nil: nothing
}

func defaultOptions() options {
	return options{maxMessage: 256 << 10, maxConns: 512, idle: 30 * time.Minute, messageTime: time.Minute, maxBody: 8 << 20}
}

// optionNames are those that a kind of listener takes.
func optionNames(k kind) []string {
	switch k {
	case kindUDP:
		return nil
	case kindTLS:
		return []string{"cert", "client_auth", "client_ca", "idle", "key", "max_connections", "max_message", "message_time"}
	case kindHTTP:
		return []string{"max_body", "max_connections", "token"}
	case kindHTTPS:
		return []string{"cert", "client_auth", "client_ca", "key", "max_body", "max_connections", "token"}
	}
	return []string{"idle", "max_connections", "max_message", "message_time"}
}

func parseOptions(k kind, q url.Values) (options, error) {
	o := defaultOptions()
	names := optionNames(k)
	for name, vals := range q {
		if !slices.Contains(names, name) {
			if len(names) == 0 {
				return o, fmt.Errorf("unknown option %q; there are none", name)
			}
			return o, fmt.Errorf("unknown option %q; there are %s", name, strings.Join(names, ", "))
		}
		var err error
		switch v := vals[len(vals)-1]; name {
		case "max_message":
			o.maxMessage, err = intOption(v, 480, 16<<20)
		case "max_connections":
			o.maxConns, err = intOption(v, 1, 100_000)
		case "idle":
			o.idle, err = timeOption(v)
		case "message_time":
			o.messageTime, err = timeOption(v)
		case "max_body":
			o.maxBody, err = intOption(v, 1<<10, 1<<30)
		case "token":
			o.tokens, err = tokensOf(v)
		}
		if err != nil {
			return o, fmt.Errorf("option %s: %w", name, err)
		}
	}
	if k != kindTLS && k != kindHTTPS {
		return o, nil
	}
	var err error
	o.tls, err = serverTLS(q.Get("cert"), q.Get("key"), q.Get("client_ca"), q.Get("client_auth"))
	return o, err
}

func intOption(v string, least, most int) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%q is no number from %d to %d", v, least, most)
	}
	return n, nil
}

// tokensOf reads a secret with one token a line, so that a new one can be handed out before the old one ends.
func tokensOf(from string) (sums [][32]byte, err error) {
	text, err := secret(from)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			sums = append(sums, sha256.Sum256([]byte(line)))
		}
	}
	if sums == nil {
		return nil, errors.New("no token in it; expected env:NAME or a file, with one token a line")
	}
	return sums, nil
}

func timeOption(v string) (time.Duration, error) {
	d, err := time.ParseDuration(v)
	if err != nil || d < time.Second {
		return 0, fmt.Errorf("%q: expected a duration of at least 1s", v)
	}
	return d, nil
}

// serverTLS builds the listener's side. With clientCA a sender must show a certificate that it signed; where clientAuth is
// "optional", only if it shows one at all.
func serverTLS(cert, key, clientCA, clientAuth string) (*tls.Config, error) {
	switch {
	case clientAuth != "" && clientAuth != "require" && clientAuth != "optional":
		return nil, fmt.Errorf("option client_auth: %q is none of require, optional", clientAuth)
	case clientAuth != "" && clientCA == "":
		return nil, errors.New("option client_auth: client_ca is needed too")
	}
	if cert == "" || key == "" {
		return nil, errors.New("options cert and key are needed: PEM files, or env:NAME for a variable that holds the PEM text")
	}
	certPEM, err := secret(cert)
	if err != nil {
		return nil, fmt.Errorf("option cert: %w", err)
	}
	keyPEM, err := secret(key)
	if err != nil {
		return nil, fmt.Errorf("option key: %w", err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("options cert and key: %w", err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if clientCA != "" {
		pem, err := secret(clientCA)
		if err != nil {
			return nil, fmt.Errorf("option client_ca: %w", err)
		}
		c.ClientCAs = x509.NewCertPool()
		if !c.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("option client_ca: no certificate in it")
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
		if clientAuth == "optional" {
			c.ClientAuth = tls.VerifyClientCertIfGiven
		}
	}
	return c, nil
}

// secret reads a file, or the environment variable of env:NAME, so that no secret stands on a command line.
func secret(from string) ([]byte, error) {
	if name, ok := strings.CutPrefix(from, "env:"); ok {
		v, ok := os.LookupEnv(name)
		if !ok {
			return nil, fmt.Errorf("environment variable %s is not set", name)
		}
		return []byte(v), nil
	}
	return os.ReadFile(strings.TrimPrefix(from, "file:"))
}
