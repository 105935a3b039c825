package directory

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"leat/pkg/dimension"
)

// rowsAD makes the rows of Active Directory.
type rowsAD struct {
	source *Source
	b      *dimension.Builder
	ids    []string
	now    time.Time
	turns  time.Time
	base   string // in lower case
	v      values // of the entry whose row is made
	other  values // of an entry that it refers to
	err    error

	places    map[string]int32 // of ids
	byDN      map[string]int32
	graph     *graph
	domainSID string
	lockout   time.Duration // 0: until somebody unlocks
}

// link finds out who is in which group.
func (r *rowsAD) link() {
	all := r.source.objects
	n := len(r.ids)
	r.graph, r.places, r.byDN = newGraph(n), make(map[string]int32, n), make(map[string]int32, n)
	bySID := map[string]int32{}
	sids := make([]string, n)
	for i, id := range r.ids {
		o := all[id]
		o.unpack(r.v)
		r.places[id] = int32(i)
		r.byDN[strings.ToLower(o.dn)] = int32(i)
		sid, _ := formatSID(r.v.first(aObjectSID))
		sids[i] = sid
		if strings.EqualFold(o.dn, r.source.state.NC) {
			r.domainSID = sid
			r.lockout, _ = interval(r.v.first(aLockoutDuration))
		}
		r.graph.names[i] = nameOf(r.v)
		if class := r.v.first(aObjectClass); class == "group" {
			bySID[sid] = int32(i)
		}
	}
	for i, id := range r.ids {
		all[id].unpack(r.v)
		domain, last := rid(sids[i])
		r.graph.top[i] = sids[i] == sidAdministrators || r.domainSID != "" && domain == r.domainSID && privilegedRID[last]
		if primary := r.v.first(aPrimaryGroup); primary != "" {
			if group, ok := bySID[domain+"-"+primary]; ok {
				r.graph.add(int32(i), group)
			}
		}
		for _, m := range r.v[aMember] {
			if member, ok := r.find(m); ok && member != int32(i) {
				r.graph.add(member, int32(i))
			}
		}
	}
}

// find returns the place of what a link names.
func (r *rowsAD) find(link string) (int32, bool) {
	if i, ok := r.places[link]; ok {
		return i, true
	}
	i, ok := r.byDN[link]
	return i, ok
}

// nameOf is the name by which people speak of a group or an account.
func nameOf(v values) string {
	if s := v.first(aSAM); s != "" {
		return s
	}
	return v.first(aName)
}

func fullName(v values) string {
	if s := v.first(aDisplayName); s != "" {
		return s
	}
	if s := strings.TrimSpace(v.first(aGivenName) + " " + v.first(aSurname)); s != "" {
		return s
	}
	return v.first(aName)
}

func email(v values) string {
	if s := v.first(aMail); s != "" {
		return s
	}
	for _, p := range v[aProxies] {
		// Capital letters mark the address that is written from.
		if s, ok := strings.CutPrefix(p, "SMTP:"); ok {
			return s
		}
	}
	return ""
}

// class is what sort of row an entry of an object class becomes, or nothing.
func class(objectClass string) string {
	switch objectClass {
	case "user", "inetOrgPerson":
		return "user"
	case "computer":
		return "computer"
	case "group":
		return "group"
	case "msDS-GroupManagedServiceAccount":
		return "gmsa"
	case "msDS-ManagedServiceAccount":
		return "msa"
	case "foreignSecurityPrincipal":
		return "foreign"
	}
	return ""
}

func (r *rowsAD) text(col int, s string) {
	if r.err == nil {
		r.err = r.b.SetString(col, s)
	}
}

func (r *rowsAD) list(col int, list []string) {
	if r.err == nil {
		r.err = r.b.Set(col, jsonList(list, true))
	}
}

func (r *rowsAD) flag(col int, v bool) {
	if r.err == nil {
		r.err = r.b.Set(col, strconv.AppendBool(nil, v))
	}
}

func (r *rowsAD) when(col int, t time.Time) { r.text(col, t.UTC().Format(time.RFC3339)) }

func (r *rowsAD) end() error {
	if r.err != nil {
		return r.err
	}
	return r.b.EndRow()
}

// row makes the row of an entry, if it is one that becomes a row.
func (r *rowsAD) row(place int32, extra []string, present map[string]bool) error {
	o := r.source.objects[r.ids[place]]
	o.unpack(r.v)
	kind := class(r.v.first(aObjectClass))
	if kind == "" || !below(strings.ToLower(o.dn), r.base) {
		return nil
	}
	sid, _ := formatSID(r.v.first(aObjectSID))
	if kind == "foreign" && slices.ContainsFunc(wellKnown, func(k known) bool { return k.sid == sid }) {
		return nil
	}
	present[sid] = true
	r.names(o, sid, kind)
	r.person()
	if m := r.graph.of(place); m != nil {
		if r.err == nil {
			r.err = r.b.Set(cGroups, m.all)
		}
		if r.err == nil {
			r.err = r.b.Set(cDirectGroups, m.direct)
		}
		r.flag(cPrivileged, m.privileged || r.graph.top[place] || r.v.first(aAdminCount) == "1")
	} else {
		r.flag(cPrivileged, r.graph.top[place] || r.v.first(aAdminCount) == "1")
	}
	if kind != "group" && kind != "foreign" {
		r.account(kind)
	}
	if kind == "computer" {
		r.machine()
	}
	if t, ok := generalizedTime(r.v.first(aCreated)); ok {
		r.when(cCreated, t)
	}
	for i, col := range extra {
		if r.err == nil {
			r.err = set(r.b, cCount+i, r.v[r.source.codes[strings.ToLower(r.source.cfg.Attributes[col])]])
		}
	}
	return r.end()
}

// names writes all by which the entry may be called.
func (r *rowsAD) names(o *object, sid, kind string) {
	st := &r.source.state
	sam := r.v.first(aSAM)
	r.text(cSID, sid)
	guid, _ := formatGUID(o.id)
	r.text(cGUID, guid)
	r.text(cSAM, sam)
	domain := st.NetBIOS
	if strings.HasPrefix(sid, "S-1-5-32-") {
		domain = "BUILTIN"
	}
	if kind != "foreign" {
		r.text(cDomain, domain)
		r.text(cDNSDomain, st.DNS)
	}
	if sam != "" {
		r.text(cDomainSAM, domain+`\`+sam)
		r.text(cSAMAtDomain, sam+"@"+st.DNS)
	}
	r.text(cUPN, r.v.first(aUPN))
	r.text(cEmail, email(r.v))
	var addresses []string
	for _, p := range r.v[aProxies] {
		if len(p) > 5 && strings.EqualFold(p[:5], "smtp:") {
			addresses = append(addresses, p[5:])
		}
	}
	r.list(cProxies, addresses)
	r.text(cDN, o.dn)
	var history []string
	for _, h := range r.v[aSIDHistory] {
		s, _ := formatSID(h)
		history = append(history, s)
	}
	r.list(cSIDHistory, history)
	r.text(cEmployeeID, r.v.first(aEmployeeID))
	r.text(cDNSHostName, r.v.first(aDNSHostName))
	if kind == "computer" {
		r.text(cMachine, strings.TrimSuffix(sam, "$"))
	}
	r.text(cKind, kind)
	if sid != "" {
		domain, last := rid(sid)
		if domain == r.domainSID && domain != "" {
			r.text(cWellKnown, wellKnownRID[last])
		} else if i := slices.IndexFunc(wellKnown, func(k known) bool { return k.sid == sid }); i >= 0 {
			r.text(cWellKnown, wellKnown[i].name)
		}
	}
}

// office writes where somebody's desk stands.
func (r *rowsAD) office(of values) {
	r.text(cOfficeName, of.first(aOffice))
	r.text(cOfficeCity, of.first(aCity))
	country := of.first(aCountryName)
	if country == "" {
		country = of.first(aCountryCode)
	}
	r.text(cOfficeCountry, country)
}

func (r *rowsAD) person() {
	r.text(cFullName, fullName(r.v))
	r.text(cDepartment, r.v.first(aDepartment))
	r.text(cTitle, r.v.first(aTitle))
	r.office(r.v)
	org := r.v.first(aCompany)
	if org == "" {
		org = r.v.first(aOrganization)
	}
	r.text(cOrganization, org)
	r.text(cDescription, r.v.first(aDescription))
	if m := r.refer(aManager); m {
		r.text(cManager, fullName(r.other))
		r.text(cManagerEmail, email(r.other))
	}
}

// refer reads the entry that an attribute names into r.other.
func (r *rowsAD) refer(code int) bool {
	v := r.v.first(code)
	if v == "" {
		return false
	}
	i, ok := r.find(v)
	if !ok {
		return false
	}
	return r.source.objects[r.ids[i]].unpack(r.other)
}
