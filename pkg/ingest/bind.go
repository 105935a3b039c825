package ingest

import (
	"errors"
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// ListenError says that a source's address can't be listened on.
type ListenError struct {
	Source string
	Err    error
}

func (e *ListenError) Error() string { return fmt.Sprintf("source %s: %v", e.Source, e.Err) }

// Unwrap returns why.
func (e *ListenError) Unwrap() error { return e.Err }

// socket is what a listener's address is bound to; none for other sources.
type socket struct {
	tcp *net.TCPListener
	udp *net.UDPConn
}

// sockets are those of a Source, in the order of its list.
type sockets []socket

// bind opens every address. The kernel may already take connections and datagrams; nothing is read from them.
func (s *Source) bind() (sockets, error) {
	list := make(sockets, len(s.list))
	var errs []error
	for i, sp := range s.list {
		var err error
		switch sp.kind {
		case kindTCP, kindTLS, kindHTTP, kindHTTPS:
			var addr *net.TCPAddr
			if addr, err = net.ResolveTCPAddr("tcp", sp.addr); err == nil {
				list[i].tcp, err = net.ListenTCP("tcp", addr)
			}
		case kindUDP:
			list[i].udp, err = bindUDP(sp.addr)
		}
		if err != nil {
			errs = append(errs, &ListenError{sp.name(), err})
		}
	}
	if len(errs) > 0 {
		list.close()
		return nil, errors.Join(errs...)
	}
	return list, nil
}

// close closes what is still open.
func (l sockets) close() {
	for _, s := range l {
		if s.tcp != nil {
			s.tcp.Close()
		}
		if s.udp != nil {
			s.udp.Close()
		}
	}
}

func bindUDP(address string) (*net.UDPConn, error) {
	addr, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp", addr)
	if err != nil {
		return nil, err
	}
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, udpSocketBuffer) != nil {
				_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, udpSocketBuffer)
			}
		})
	}
	return conn, nil
}
