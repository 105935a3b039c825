package remote

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// keeper writes answers to a log, so that a restart has them. The log begins with a head (magic, and a hash of what is
// asked); each record is: length and CRC-32C of its body (uint32 each, little endian); the body is the end of its time
// (int64), the length of the key (uint32), the key, and the row (none for a miss). Later records win. It is not synced: what
// a crash takes is asked again.
type keeper struct {
	mu      sync.Mutex
	path    string
	head    []byte
	f       *os.File
	lock    *os.File // held by who writes
	records int      // in the log
	failed  bool
	buf     []byte
}

const (
	keeperName  = "lookups.log"
	keeperMagic = "leatlk1\n"
	// slack is how many records that are out of date the log may have beside as many as there are keys.
	slack = 1024
	// maxLog bounds the log that is read, in bytes.
	maxLog = 8 << 30
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openKeeper reads the log, and hands each answer to load. What is torn or garbled is cut off, with all behind it. Where
// another process writes the log, it is only read: the keeper is nil.
func openKeeper(dir, of string, load func(key string, v value)) (k *keeper, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("open kept look-ups: %w", err)
		}
	}()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(of))
	k = &keeper{path: filepath.Join(dir, keeperName), head: append([]byte(keeperMagic), sum[:16]...)}
	// The log itself can't be the lock: it is replaced.
	if k.lock, err = os.OpenFile(k.path+".lock", os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, err
	}
	shared := false
	if err := syscall.Flock(int(k.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if shared = errors.Is(err, syscall.EWOULDBLOCK); !shared {
			return nil, errors.Join(err, k.lock.Close())
		}
	}
	if k.f, err = os.OpenFile(k.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, errors.Join(err, k.lock.Close())
	}
	whole, n, err := readLog(k.f, k.head, load)
	if err == nil && !shared {
		k.records = n
		err = k.resume(whole)
	}
	if err != nil || shared {
		return nil, errors.Join(err, k.f.Close(), k.lock.Close())
	}
	return k, nil
}

// resume cuts the log behind what is whole; a log of something else begins anew.
func (k *keeper) resume(whole int64) error {
	if err := k.f.Truncate(whole); err != nil {
		return err
	}
	if _, err := k.f.Seek(whole, io.SeekStart); err != nil {
		return err
	}
	if whole > 0 {
		return nil
	}
	_, err := k.f.Write(k.head)
	return err
}

// readLog returns how many bytes of the log are whole, and how many records those are.
func readLog(r io.Reader, head []byte, load func(key string, v value)) (whole int64, n int, err error) {
	br := bufio.NewReaderSize(io.LimitReader(r, maxLog), 1<<16)
	got := make([]byte, len(head))
	if _, err := io.ReadFull(br, got); err != nil || !bytes.Equal(got, head) {
		return 0, 0, ignoreEnd(err)
	}
	whole = int64(len(head))
	var frame [8]byte
	var body []byte
	for {
		if _, err := io.ReadFull(br, frame[:]); err != nil {
			return whole, n, ignoreEnd(err)
		}
		size := binary.LittleEndian.Uint32(frame[:])
		if size < 12 || size > 12+maxKey+maxRow {
			return whole, n, nil
		}
		if uint32(cap(body)) < size {
			body = make([]byte, size)
		}
		body = body[:size]
		if _, err := io.ReadFull(br, body); err != nil {
			return whole, n, ignoreEnd(err)
		}
		keyLen := binary.LittleEndian.Uint32(body[8:])
		if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(frame[4:]) || keyLen > size-12 {
			return whole, n, nil
		}
		v := value{expires: int64(binary.LittleEndian.Uint64(body))}
		if row := body[12+keyLen:]; len(row) > 0 {
			v.row = bytes.Clone(row)
		}
		load(string(body[12:12+keyLen]), v)
		whole += int64(len(frame)) + int64(size)
		n++
	}
}

func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

func appendRecord(dst []byte, key string, v value) []byte {
	at := len(dst)
	dst = append(dst, make([]byte, 8)...)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(v.expires))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(key)))
	dst = append(append(dst, key...), v.row...)
	body := dst[at+8:]
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(body)))
	binary.LittleEndian.PutUint32(dst[at+4:], crc32.Checksum(body, castagnoli))
	return dst
}

// record is an answer as it is kept.
type record struct {
	key   string
	value value
}

// write appends answers. When more of the log is out of date than not - there are live keys -, it is written anew with what
// all returns. After an error nothing is written any more, and nil returned.
func (k *keeper) write(records []record, live int, all func() []record) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failed {
		return nil
	}
	k.buf = k.buf[:0]
	for _, r := range records {
		k.buf = appendRecord(k.buf, r.key, r.value)
	}
	_, err := k.f.Write(k.buf)
	if k.records += len(records); err == nil && k.records > 2*live+slack {
		err = k.compact(all())
	}
	if err != nil {
		k.failed = true
		return errors.Join(err, k.f.Close(), k.lock.Close())
	}
	return nil
}

// compact writes the log anew.
func (k *keeper) compact(records []record) error {
	f, err := os.CreateTemp(filepath.Dir(k.path), keeperName+".*")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<16)
	_, err = w.Write(k.head)
	for i := 0; i < len(records) && err == nil; i++ {
		k.buf = appendRecord(k.buf[:0], records[i].key, records[i].value)
		_, err = w.Write(k.buf)
	}
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = os.Rename(f.Name(), k.path)
	}
	if err != nil {
		return errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	old := k.f
	k.f, k.records = f, len(records)
	return old.Close()
}

func (k *keeper) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failed {
		return nil
	}
	k.failed = true
	return errors.Join(k.f.Close(), k.lock.Close())
}
