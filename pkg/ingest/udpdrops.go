package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// kernelDrops returns how many datagrams the kernel has thrown away since the socket was opened.
func kernelDrops(conn *net.UDPConn) (int64, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var st unix.Stat_t
	var serr error
	if err := raw.Control(func(fd uintptr) { serr = unix.Fstat(int(fd), &st) }); err != nil {
		return 0, err
	}
	if serr != nil {
		return 0, serr
	}
	for _, path := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		n, ok := dropsOf(f, st.Ino)
		f.Close()
		if ok {
			return n, nil
		}
	}
	return 0, errors.New("socket is not in /proc/net/udp")
}

// dropsOf finds a socket by its inode in the format of /proc/net/udp: the tenth field is the inode, the last the drops.
func dropsOf(r io.Reader, ino uint64) (int64, bool) {
	want := fmt.Appendf(nil, "%d", ino)
	s := bufio.NewScanner(r)
	for s.Scan() {
		f := bytes.Fields(s.Bytes())
		if len(f) < 13 || !bytes.Equal(f[9], want) {
			continue
		}
		n, err := strconv.ParseInt(string(f[len(f)-1]), 10, 64)
		return n, err == nil
	}
	return 0, false
}
