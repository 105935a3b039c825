// Package trust reads the certificates that a configuration says are trusted instead of the system's.
//
// It is not for certificates that are shown, and it checks nobody's. It keeps nothing: a renewed file counts at the next call.
package trust

import (
	"crypto/x509"
	"fmt"
	"os"
)

// Pool reads the certificates of a PEM file.
func Pool(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate: %s has no PEM certificate", path)
	}
	return pool, nil
}
