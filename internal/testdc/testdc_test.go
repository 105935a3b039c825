package testdc

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"testing"
)

// TestController: it comes up with a certificate that Go accepts, takes changes, and is there again after a stop.
func TestController(t *testing.T) {
	d := Start(t)
	pem, err := os.ReadFile(d.CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	d.LDIF(t, "dn: OU=New,"+Base+"\nchangetype: add\nobjectClass: organizationalUnit\n")
	d.Stop()
	d.Start(t)
	c, err := tls.Dial("tcp", net.JoinHostPort(d.IP, "636"), &tls.Config{RootCAs: roots, ServerName: Host})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	d.LDIF(t, "dn: OU=New,"+Base+"\nchangetype: delete\n")
}
