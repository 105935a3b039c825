package ingest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// authority signs certificates for the tests.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // PEM of its certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.file, _ = a.sign("leat test CA", true)
	return a
}

// sign makes a key and a certificate for name and 127.0.0.1. With self it signs itself, and is the authority's own.
func (a *authority) sign(name string, self bool) (certFile, keyFile string) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		a.t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{name}, IsCA: self, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if self {
		a.cert, a.key = tmpl, key
		tmpl.DNSNames, tmpl.KeyUsage = nil, tmpl.KeyUsage|x509.KeyUsageCertSign
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	base := filepath.Join(a.dir, strings.ReplaceAll(name, " ", "-"))
	certFile, keyFile = base+".pem", base+".key"
	writeFile(a.t, certFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	writeFile(a.t, keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
	return certFile, keyFile
}

// certificate makes a key and a certificate for 127.0.0.1 that signs itself.
func certificate(t *testing.T, dir string) (certFile, keyFile string) {
	t.Helper()
	a := &authority{t: t, dir: dir}
	return a.sign("cert", true)
}

// With client_ca a sender without a certificate is refused; the key may come from the environment.
func TestTLSClientCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, dir)
	keyText, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("LEAT_TEST_KEY", string(keyText))
	addr := freePort(t, "tcp")
	k := &keeper{t: t}
	stop := following(t, testConfig(t, "syslog+tls://"+addr+"?cert="+cert+"&key=env:LEAT_TEST_KEY&client_ca="+cert), k)
	connect(t, addr).Close()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err == nil {
		_, _ = stranger.Write([]byte("<13>stranger\n"))
		_ = stranger.SetReadDeadline(time.Now().Add(20 * time.Second))
		_, err = stranger.Read(make([]byte, 1))
		stranger.Close()
	}
	if err == nil {
		t.Error("a sender without certificate was not refused")
	}
	friend, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	send(t, friend, "<13>friend\n")
	k.await(1)
	friend.Close()
	stop()
	if got := k.originals(); !slices.Equal(got, []string{"<13>friend"}) {
		t.Errorf("got %q", got)
	}
}
