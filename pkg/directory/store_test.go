package directory

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// told is a change that tells the values of some attributes.
func told(id, dn string, attrs int, pairs ...any) change {
	c := change{id: id, dn: dn, named: make([]bool, attrs), v: make(values, attrs)}
	for i := 0; i < len(pairs); i += 2 {
		code := pairs[i].(int)
		c.named[code] = true
		c.v[code], _ = pairs[i+1].([]string)
	}
	return c
}

func (all objects) values(t *testing.T, id string, attrs int) values {
	t.Helper()
	v := make(values, attrs)
	if all[id] == nil || !all[id].unpack(v) {
		t.Fatalf("no object %q", id)
	}
	return v
}

func TestApplyMerges(t *testing.T) {
	all := objects{}
	all.apply([]change{told("1", "cn=a", 3, 0, []string{"x"}, 2, []string{"p", "q"})}, true, 3)
	if !all.apply([]change{told("1", "cn=a", 3, 0, []string{"y"}, 1, []string{"new"})}, false, 3) {
		t.Error("nothing changed")
	}
	if v := all.values(t, "1", 3); v.first(0) != "y" || v.first(1) != "new" || !reflect.DeepEqual(v[2], []string{"p", "q"}) {
		t.Errorf("merged: %v", v)
	}
	if !all.apply([]change{told("1", "cn=a", 3, 2, nil)}, false, 3) || len(all.values(t, "1", 3)[2]) != 0 {
		t.Error("an emptied attribute is still there")
	}
	if all.apply([]change{told("1", "cn=a", 3, 0, []string{"y"})}, false, 3) {
		t.Error("the same again is a change")
	}
	all.apply([]change{told("1", "cn=a", 3, 1, []string{"only"})}, true, 3)
	if v := all.values(t, "1", 3); v.first(0) != "" || v.first(1) != "only" {
		t.Errorf("whole: %v", v)
	}
	if !all.apply([]change{{id: "1", deleted: true}, {id: "2", deleted: true}}, false, 3) || len(all) != 0 {
		t.Error("a deleted object is still there")
	}
}

// TestFollow: what lies in moved containers moves along, in whatever order the server tells.
func TestFollow(t *testing.T) {
	all := objects{}
	for i, dn := range []string{"OU=A,DC=x", "OU=B,OU=A,DC=x", "CN=one,OU=B,OU=A,DC=x", "CN=two,OU=A,DC=x", `CN=th\,ree,OU=A,DC=x`, "CN=other,OU=AA,DC=x"} {
		all.apply([]change{told(fmt.Sprint(i), dn, 1)}, true, 1)
	}
	// A becomes C; B leaves it for the top; two goes to where A was, into a new A.
	all.apply([]change{told("3", "CN=two,OU=A,DC=x", 1), told("9", "OU=a,DC=x", 1), told("1", "OU=B,DC=x", 1), told("0", "OU=C,DC=x", 1)}, false, 1)
	for id, want := range map[string]string{"0": "OU=C,DC=x", "1": "OU=B,DC=x", "2": "CN=one,OU=B,DC=x", "3": "CN=two,OU=A,DC=x", "4": `CN=th\,ree,OU=C,DC=x`, "5": "CN=other,OU=AA,DC=x"} {
		if all[id].dn != want {
			t.Errorf("%s is %s, want %s", id, all[id].dn, want)
		}
	}
}

func TestPack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		v := make(values, 40)
		for i := range v {
			for range r.IntN(3) {
				v[i] = append(v[i], strings.Repeat("v", r.IntN(200)))
			}
		}
		got := make(values, 40)
		o := object{packed: pack(v)}
		if !o.unpack(got) {
			t.Fatal("damaged")
		}
		for i := range v {
			if len(v[i]) != len(got[i]) || len(v[i]) > 0 && !reflect.DeepEqual(v[i], got[i]) {
				t.Fatalf("attribute %d is %v, want %v", i, got[i], v[i])
			}
		}
	}
}

func sample() (*state, objects) {
	all := objects{}
	all.apply([]change{told("1", "cn=a", 2, 0, []string{"x"}), told("2", "cn=b", 2, 1, []string{"", "\x00\xff"})}, true, 2)
	return &state{Config: "c", Mode: syncUSN, USN: 77, Cookie: []byte{1, 2}, AsOf: time.Unix(1700000000, 0).UTC()}, all
}

func TestStoreFile(t *testing.T) {
	dir := t.TempDir()
	if st, all, err := load(dir, 2); st != nil || all != nil || err != nil {
		t.Errorf("no file: %v, %v, %v", st, all, err)
	}
	st, all := sample()
	if err := save(dir, st, all); err != nil {
		t.Fatal(err)
	}
	gotState, got, err := load(dir, 2)
	if err != nil || !reflect.DeepEqual(gotState, st) || !same(got, all) {
		t.Errorf("%+v, %v, %v", gotState, got, err)
	}
	// Each byte counts: whichever is wrong, and wherever the file is torn, it is refused.
	path := filepath.Join(dir, storeName)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 1
		if _, _, err := parseStore(bad, 2); err == nil {
			t.Fatalf("byte %d is wrong, and nobody notices", i)
		}
		if _, _, err := parseStore(data[:i], 2); err == nil {
			t.Fatalf("torn after %d bytes, and nobody notices", i)
		}
	}
	put(t, dir, storeName, string(data[:40]))
	put(t, dir, storeName+".tmp-77", "of a save that was killed")
	if _, _, err := load(dir, 2); err == nil || !strings.Contains(err.Error(), storeName) {
		t.Errorf("a torn file says %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if err := save(filepath.Join(dir, "nowhere"), st, all); err == nil {
		t.Error("a folder that is not there takes files")
	}
}

// sealed is a file with the body and the right checksum.
func sealed(body []byte) []byte {
	data := append([]byte(storeMagic), body...)
	sum := sha256.Sum256(data)
	return append(data, sum[:]...)
}

// FuzzStore: whatever a file holds that claims to be whole, reading it ends, and what is read can be written again.
func FuzzStore(f *testing.F) {
	st, all := sample()
	var b bytes.Buffer
	if err := writeStore(&b, st, all); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes()[len(storeMagic) : b.Len()-32])
	f.Add([]byte("\x02{}\x01\x01\x01"))
	f.Fuzz(func(t *testing.T, body []byte) {
		data := sealed(body)
		st, all, err := parseStore(data, 2)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := writeStore(&b, st, all); err != nil {
			t.Fatal(err)
		}
		if _, again, err := parseStore(b.Bytes(), 2); err != nil || !same(again, all) {
			t.Errorf("written and read again: %v", err)
		}
	})
}
