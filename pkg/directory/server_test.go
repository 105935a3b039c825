package directory

import (
	"bufio"
	"crypto/tls"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	ldap "github.com/go-ldap/ldap/v3"

	"leat/internal/testdc"
)

// server is a directory server that does what a test wants: what real ones do only when they are ill.
type server struct {
	url  string
	addr string
	mu   sync.Mutex
	// answer returns what a search gets; nil: the library's answer of no entries.
	answer func(q search) reply
	binds  int
	closed chan struct{}
}

// search is a search request.
type search struct {
	base     string
	attrs    []string
	controls []ldap.Control
}

// reply is the answer to a search.
type reply struct {
	entries  []*ldap.Entry
	code     uint16
	controls []ldap.Control
	raw      []byte // in place of all that
	hang     bool   // no answer
	drop     bool   // the connection ends
	endless  bool   // entries without end
}

// serve starts a server with TLS by the certificate, or without any where that is nil.
func serve(t testing.TB, cert *tls.Certificate, answer func(search) reply) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{addr: l.Addr().String(), url: "ldap://" + l.Addr().String(), answer: answer, closed: make(chan struct{})}
	if cert != nil {
		s.url = "ldaps://" + s.addr
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*cert}})
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				go func() {
					<-s.closed
					c.Close()
				}()
				s.talk(c)
			})
		}
	})
	t.Cleanup(func() {
		close(s.closed)
		l.Close()
		wg.Wait()
	})
	return s
}

func (s *server) talk(c net.Conn) {
	in := bufio.NewReader(c)
	for {
		p, err := ber.ReadPacket(in)
		if err != nil || len(p.Children) < 2 {
			return
		}
		id, _ := p.Children[0].Value.(int64)
		switch p.Children[1].Tag {
		case ldap.ApplicationBindRequest:
			s.mu.Lock()
			s.binds++
			s.mu.Unlock()
			c.Write(done(id, ldap.ApplicationBindResponse, 0, nil))
		case ldap.ApplicationSearchRequest:
			if !s.found(c, id, p) {
				return
			}
		default:
			return
		}
	}
}

// found answers a search, and returns whether the connection goes on.
func (s *server) found(c net.Conn, id int64, p *ber.Packet) bool {
	q := search{base: p.Children[1].Children[0].Value.(string)}
	for _, a := range p.Children[1].Children[7].Children {
		q.attrs = append(q.attrs, a.Value.(string))
	}
	if len(p.Children) > 2 {
		for _, child := range p.Children[2].Children {
			if ctl, err := ldap.DecodeControl(child); err == nil {
				q.controls = append(q.controls, ctl)
			}
		}
	}
	s.mu.Lock()
	r := s.answer(q)
	s.mu.Unlock()
	switch {
	case r.drop:
		return false
	case r.hang:
		<-s.closed
		return false
	case r.raw != nil:
		c.Write(r.raw)
		return true
	}
	for _, e := range r.entries {
		for once := true; once || r.endless; once = false {
			if _, err := c.Write(entry(id, e)); err != nil {
				return false
			}
		}
	}
	c.Write(done(id, ldap.ApplicationSearchResultDone, r.code, r.controls))
	return true
}

func message(id int64, op *ber.Packet) *ber.Packet {
	p := ber.NewSequence("")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	p.AppendChild(op)
	return p
}

func text(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

func done(id int64, op ber.Tag, code uint16, controls []ldap.Control) []byte {
	r := ber.Encode(ber.ClassApplication, ber.TypeConstructed, op, nil, "")
	r.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(code), ""))
	r.AppendChild(text(""))
	r.AppendChild(text(""))
	p := message(id, r)
	if len(controls) > 0 {
		list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		for _, c := range controls {
			list.AppendChild(c.Encode())
		}
		p.AppendChild(list)
	}
	return p.Bytes()
}

func entry(id int64, e *ldap.Entry) []byte {
	r := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	r.AppendChild(text(e.DN))
	attrs := ber.NewSequence("")
	for _, a := range e.Attributes {
		seq := ber.NewSequence("")
		seq.AppendChild(text(a.Name))
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for _, v := range a.Values {
			set.AppendChild(text(v))
		}
		seq.AppendChild(set)
		attrs.AppendChild(seq)
	}
	r.AppendChild(attrs)
	return message(id, r).Bytes()
}

func made(dn string, pairs ...string) *ldap.Entry {
	m := map[string][]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = append(m[pairs[i]], pairs[i+1])
	}
	return ldap.NewEntry(dn, m)
}

// domain answers as a domain controller does, of the entries that content returns for a search of the domain.
func domain(invocation string, usn *int, content func(q search) reply) func(search) reply {
	return func(q search) reply {
		switch {
		case q.base == "":
			return reply{entries: []*ldap.Entry{made("", "defaultNamingContext", "DC=lab,DC=test", "configurationNamingContext", "CN=C,DC=lab,DC=test",
				"dsServiceName", "CN=NTDS,DC=lab,DC=test", "highestCommittedUSN", strconv.Itoa(*usn))}}
		case strings.HasPrefix(q.base, "CN=NTDS"):
			return reply{entries: []*ldap.Entry{made(q.base, "invocationId", invocation)}}
		case strings.HasPrefix(q.base, "CN=Partitions"):
			return reply{entries: []*ldap.Entry{made("CN=LAB,"+q.base, "nETBIOSName", "LAB", "dnsRoot", "lab.test")}}
		}
		return content(q)
	}
}

func person(n int, pairs ...string) *ldap.Entry {
	return made("CN=P"+strconv.Itoa(n)+",DC=lab,DC=test", append([]string{"objectGUID", guid(n), "objectClass", "user", "sAMAccountName", "p" + strconv.Itoa(n)}, pairs...)...)
}

// certificate makes one of an authority that is in ca.pem of the returned folder, beside the password pw.
func certificate(t testing.TB, c testdc.Cert) (*tls.Certificate, string) {
	t.Helper()
	ca := testdc.NewAuthority(t)
	dir := password(t, "secret")
	put(t, dir, "ca.pem", string(ca.PEM()))
	cert, key := ca.Issue(t, c)
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return &pair, dir
}

// plainText is for servers without TLS.
func plainText(urls ...string) Config {
	return Config{URLs: urls, Insecure: true, Bind: Bind{User: "a", PasswordFile: "pw"}, Sync: syncUSN}
}
