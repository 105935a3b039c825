package directory

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"leat/pkg/dimension"
)

// Columns of Active Directory's table, in their order; those of Config.Attributes follow.
const (
	cSID = iota
	cGUID
	cSAM
	cDomainSAM
	cSAMAtDomain
	cUPN
	cEmail
	cProxies
	cDN
	cSIDHistory
	cEmployeeID
	cDNSHostName
	cMachine
	cKind
	cDomain
	cDNSDomain
	cFullName
	cDepartment
	cTitle
	cManager
	cManagerEmail
	cOfficeName
	cOfficeCity
	cOfficeCountry
	cOrganization
	cDescription
	cGroups
	cDirectGroups
	cPrivileged
	cDisabled
	cLocked
	cExpired
	cNeverExpires
	cNoPassword
	cNoPreauth
	cDelegation
	cService
	cStale
	cLastLogon
	cPasswordSet
	cAccountExpires
	cCreated
	cFunction
	cOwner
	cOwnerEmail
	cOS
	cOSVersion
	cWellKnown
	cCount
)

var adColumns = []string{"sid", "guid", "sam", "domain_sam", "sam_at_domain", "upn", "email", "proxy_addresses", "dn", "sid_history",
	"employee_id", "dns_host_name", "machine", "kind", "domain", "dns_domain", "full_name", "department", "title", "manager", "manager_email",
	"office.name", "office.city", "office.country", "organization", "description", "groups", "direct_groups", "privileged", "disabled",
	"locked", "expired", "password_never_expires", "password_not_required", "no_preauth", "unconstrained_delegation", "service_account",
	"stale", "last_logon", "password_set", "account_expires", "created", "function", "owner", "owner_email", "os", "os_version", "well_known"}

// table makes the rows of what is known. turns is when the same objects will make other rows, because time goes by.
func (s *Source) table() (t *dimension.Table, turns time.Time, err error) {
	ids := make([]string, 0, len(s.objects))
	for id := range s.objects {
		ids = append(ids, id)
	}
	// The order decides which of two rows with one key is found: it must not change by itself.
	slices.Sort(ids)
	if s.cfg.Kind == kindLDAP {
		t, err = s.plainTable(ids)
		return t, time.Time{}, err
	}
	r := &rowsAD{source: s, ids: ids, now: s.env.Now().UTC(), base: strings.ToLower(s.cfg.Base), v: make(values, len(s.attrs)), other: make(values, len(s.attrs))}
	r.link()
	b := dimension.NewBuilder(s.env.Limits, adColumns...)
	r.b = b
	extra := slices.Sorted(keysOf(s.cfg.Attributes))
	for _, col := range extra {
		if _, err := b.Column(col); err != nil {
			return nil, turns, err
		}
	}
	known := map[string]bool{}
	for i := range ids {
		if err := r.row(int32(i), extra, known); err != nil {
			return nil, turns, err
		}
	}
	for _, k := range wellKnown {
		if known[k.sid] {
			continue
		}
		r.text(cSID, k.sid)
		r.text(cSAM, k.name)
		r.text(cFullName, k.name)
		r.text(cDomain, k.domain)
		if k.domain != "" {
			r.text(cDomainSAM, k.domain+`\`+k.name)
		}
		r.text(cKind, "well_known")
		r.text(cWellKnown, k.name)
		if err := r.end(); err != nil {
			return nil, turns, err
		}
	}
	return b.Table(), r.turns, nil
}

// plainTable has a column for each attribute that was asked for, and dn.
func (s *Source) plainTable(ids []string) (*dimension.Table, error) {
	cols := slices.Sorted(keysOf(s.cfg.Attributes))
	b := dimension.NewBuilder(s.env.Limits, append([]string{"dn"}, cols...)...)
	v := make(values, len(s.attrs))
	for _, id := range ids {
		o := s.objects[id]
		o.unpack(v)
		err := b.SetString(0, o.dn)
		for i, col := range cols {
			if err == nil {
				err = set(b, i+1, v[s.codes[strings.ToLower(s.cfg.Attributes[col])]])
			}
		}
		if err == nil {
			err = b.EndRow()
		}
		if err != nil {
			return nil, err
		}
	}
	return b.Table(), nil
}

// set writes one value as a text, several as an array. Values that are no text are written in hexadecimal digits.
func set(b *dimension.Builder, col int, list []string) error {
	for i, v := range list {
		if !utf8.ValidString(v) {
			list[i] = fmt.Sprintf("%x", v)
		}
	}
	if len(list) == 1 {
		return b.SetString(col, list[0])
	}
	return b.Set(col, jsonList(list, false))
}

// version is a hash of all cells.
func version(t *dimension.Table) string {
	h := sha256.New()
	var buf []byte
	for col := range t.Columns() {
		for row := range t.Rows() {
			cell := t.Cell(row, col)
			buf = append(binary.AppendUvarint(buf, uint64(len(cell))), cell...)
			if len(buf) > 1<<15 {
				h.Write(buf)
				buf = buf[:0]
			}
		}
	}
	h.Write(buf)
	return fmt.Sprintf("%x", h.Sum(nil))[:16]
}
