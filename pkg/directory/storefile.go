package directory

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"leat/internal/durable"
)

// The file of what was read: magic, state (JSON, with its length in front), then for each object id, DN and packed values
// (each with its length in front), then the SHA-256 of all that.
const (
	storeName  = "directory.store"
	storeMagic = "leat directory 1\n"
	// maxStore bounds what is read back.
	maxStore = 8 << 30
)

// state is what is known beside the objects.
type state struct {
	// Config is the part of the configuration that the objects depend on.
	Config string `json:"config"`
	// Mode is how changes are found: dirsync, usn, modified or full.
	Mode string `json:"mode"`
	// Cookie is DirSync's.
	Cookie []byte `json:"cookie,omitempty"`
	// Flags are DirSync's that the account has the right for.
	Flags int64 `json:"flags,omitempty"`
	// Invocation and USN: of which database of which server, and up to where changes were read.
	Invocation string `json:"invocation,omitempty"`
	USN        int64  `json:"usn,omitempty"`
	// Listed is that number when all entries were listed last.
	Listed int64 `json:"listed,omitempty"`
	// Modified is the newest modifyTimestamp that was seen.
	Modified string `json:"modified,omitempty"`
	// Server is the URL that answered last; it is asked first.
	Server string `json:"server,omitempty"`
	// Domain's names.
	NC      string `json:"nc,omitempty"`
	NetBIOS string `json:"netbios,omitempty"`
	DNS     string `json:"dns,omitempty"`
	// Times of the newest answer, of the newest full read, and of the newest list of all entries.
	AsOf       time.Time `json:"as_of"`
	Full       time.Time `json:"full"`
	Reconciled time.Time `json:"reconciled"`
	Objects    int       `json:"objects"`
}

var errDamaged = errors.New("damaged")

// save writes the file so that it is there whole, or as it was.
func save(dir string, st *state, all objects) error {
	if err := durable.Create(filepath.Join(dir, storeName), func(f *os.File) error { return writeStore(f, st, all) }); err != nil {
		return fmt.Errorf("save directory: %w", err)
	}
	return nil
}

func writeStore(out io.Writer, st *state, all objects) error {
	st.Objects = len(all)
	head, err := json.Marshal(st)
	if err != nil {
		return err
	}
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(out, sum), 1<<16)
	w.WriteString(storeMagic)
	var buf []byte
	put := func(s string) {
		buf = append(binary.AppendUvarint(buf[:0], uint64(len(s))), s...)
		w.Write(buf)
	}
	put(string(head))
	for _, o := range all {
		put(o.id)
		put(o.dn)
		put(o.packed)
	}
	// A bufio.Writer keeps its first error.
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = out.Write(sum.Sum(nil))
	return err
}

// load reads the file; nil, nil: there is none. Damage is an error: then all is read anew.
func load(dir string, attrs int) (*state, objects, error) {
	// What a save that was killed left behind.
	left, _ := filepath.Glob(filepath.Join(dir, storeName+".tmp-*"))
	for _, f := range left {
		os.Remove(f)
	}
	path := filepath.Join(dir, storeName)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err == nil && info.Size() > maxStore {
		err = fmt.Errorf("%d bytes long", info.Size())
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	st, all, err := parseStore(data, attrs)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	return st, all, nil
}

func parseStore(data []byte, attrs int) (*state, objects, error) {
	if len(data) < len(storeMagic)+sha256.Size || string(data[:len(storeMagic)]) != storeMagic {
		return nil, nil, errDamaged
	}
	body, sum := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if have := sha256.Sum256(body); !bytes.Equal(have[:], sum) {
		return nil, nil, errDamaged
	}
	// One string for all: the objects point into it.
	r := reader{string(body[len(storeMagic):])}
	head, ok := r.text()
	st := &state{}
	if !ok || json.Unmarshal([]byte(head), st) != nil || st.Objects < 0 || st.Objects > len(r.s) {
		return nil, nil, errDamaged
	}
	all := make(objects, st.Objects)
	v := make(values, attrs)
	for r.s != "" {
		id, ok := r.text()
		dn, ok2 := r.text()
		packed, ok3 := r.text()
		o := &object{id, dn, packed}
		if !ok || !ok2 || !ok3 || !o.unpack(v) {
			return nil, nil, errDamaged
		}
		all[id] = o
	}
	if len(all) != st.Objects {
		return nil, nil, errDamaged
	}
	return st, all, nil
}
