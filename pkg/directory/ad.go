package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	ldap "github.com/go-ldap/ldap/v3"
)

// Ways to find changes.
const (
	syncDirSync  = "dirsync"
	syncUSN      = "usn"
	syncModified = "modified"
	syncFull     = "full"
)

// Numbers of the attributes that are read of Active Directory; those that the configuration adds follow.
const (
	aObjectClass = iota
	aObjectSID
	aSIDHistory
	aSAM
	aUPN
	aMail
	aProxies
	aEmployeeID
	aDisplayName
	aGivenName
	aSurname
	aName
	aDepartment
	aTitle
	aManager
	aOffice
	aCity
	aCountryName
	aCountryCode
	aCompany
	aOrganization
	aDescription
	aMember
	aPrimaryGroup
	aAdminCount
	aControl
	aLockoutTime
	aAccountExpires
	aPasswordSet
	aLastLogon
	aSPN
	aDNSHostName
	aOS
	aOSVersion
	aManagedBy
	aLocation
	aCreated
	aLockoutDuration
	aCount
)

var adAttributes = [aCount]string{"objectClass", "objectSid", "sIDHistory", "sAMAccountName", "userPrincipalName", "mail", "proxyAddresses",
	"employeeID", "displayName", "givenName", "sn", "name", "department", "title", "manager", "physicalDeliveryOfficeName", "l", "co", "c",
	"company", "o", "description", "member", "primaryGroupID", "adminCount", "userAccountControl", "lockoutTime", "accountExpires",
	"pwdLastSet", "lastLogonTimestamp", "servicePrincipalName", "dNSHostName", "operatingSystem", "operatingSystemVersion", "managedBy",
	"location", "whenCreated", "lockoutDuration"}

// adFilter takes accounts, groups, contacts (as managers), trusted strangers, and what contains them, since its moves move them.
const adFilter = "(|(objectClass=user)(objectClass=group)(objectClass=contact)(objectClass=foreignSecurityPrincipal)" +
	"(objectClass=organizationalUnit)(objectClass=container)(objectClass=builtinDomain)(objectClass=domainDNS))"

// rootDSE is what a server says of itself.
type rootDSE struct {
	nc, config, invocation string
	usn                    int64
}

func (s *Source) rootDSE(ctx context.Context, c *conn) (rootDSE, error) {
	e, err := s.one(ctx, c, "", []string{"defaultNamingContext", "configurationNamingContext", "dsServiceName", "highestCommittedUSN"})
	if err != nil {
		return rootDSE{}, err
	}
	r := rootDSE{nc: e.GetAttributeValue("defaultNamingContext"), config: e.GetAttributeValue("configurationNamingContext")}
	r.usn, err = strconv.ParseInt(e.GetAttributeValue("highestCommittedUSN"), 10, 64)
	service := e.GetAttributeValue("dsServiceName")
	if err != nil || r.nc == "" || service == "" {
		return r, errors.New("the server is no domain controller (for other directories: kind: ldap)")
	}
	// A database that was put back from a backup gets another invocation id: its numbers begin anew.
	r.invocation = service
	if e, err := s.one(ctx, c, service, []string{"invocationId"}); err == nil {
		r.invocation += " " + fmt.Sprintf("%x", e.GetAttributeValue("invocationId"))
	} else if !isAnswer(err) {
		return r, err
	}
	return r, nil
}

// names reads what the domain is called.
func (s *Source) names(ctx context.Context, c *conn, r rootDSE, st *state) error {
	st.NC = r.nc
	var labels []string
	dn, err := ldap.ParseDN(r.nc)
	if err != nil {
		return fmt.Errorf("defaultNamingContext: %w", err)
	}
	for _, part := range dn.RDNs {
		labels = append(labels, part.Attributes[0].Value)
	}
	st.DNS, st.NetBIOS = strings.ToLower(strings.Join(labels, ".")), strings.ToUpper(labels[0])
	q := query{base: "CN=Partitions," + r.config, scope: ldap.ScopeSingleLevel, attrs: []string{"nETBIOSName", "dnsRoot"},
		filter: "(&(objectClass=crossRef)(nCName=" + ldap.EscapeFilter(r.nc) + "))"}
	err = s.paged(ctx, c, q, func(e *ldap.Entry) error {
		if v := e.GetEqualFoldAttributeValue("nETBIOSName"); v != "" {
			st.NetBIOS = v
		}
		if v := e.GetEqualFoldAttributeValue("dnsRoot"); v != "" {
			st.DNS = strings.ToLower(v)
		}
		return nil
	})
	if err != nil && !isAnswer(err) {
		return err
	}
	return nil
}

// isAnswer tells a server's refusal from a connection that is broken.
func isAnswer(err error) bool {
	var e *ldap.Error
	return errors.As(err, &e) && e.ResultCode < ldap.ErrorNetwork
}

// syncAD reads what changed, or all.
func (s *Source) syncAD(ctx context.Context, c *conn) error {
	r, err := s.rootDSE(ctx, c)
	if err != nil {
		return err
	}
	if base := strings.ToLower(s.cfg.Base); base != "" && !below(base, strings.ToLower(r.nc)) {
		return fmt.Errorf("base %q is not in the domain %q of this server", s.cfg.Base, r.nc)
	}
	now := s.env.Now()
	full := s.objects == nil || !strings.EqualFold(s.state.NC, r.nc) || now.Sub(s.state.Full) >= s.cfg.Resync
	if !full && s.state.Mode == syncDirSync {
		again, err := s.dirSyncDelta(ctx, c, r)
		if err == nil && !again {
			return s.reconcile(ctx, c, r)
		}
		if err != nil {
			return err
		}
		full = true
	}
	if !full && s.state.Mode == syncUSN && s.state.Invocation == r.invocation && s.state.USN <= r.usn {
		if err := s.usnDelta(ctx, c, r); err != nil {
			return err
		}
		return s.reconcile(ctx, c, r)
	}
	return s.fullAD(ctx, c, r)
}

// query is the search for everything that is kept of the domain.
func (s *Source) adQuery(nc string) query {
	return query{base: nc, scope: ldap.ScopeWholeSubtree, filter: adFilter, controls: []ldap.Control{extendedNames()},
		attrs: append(slices.Clone(s.attrs), "objectGUID", "isDeleted")}
}

// fullAD reads everything, by DirSync where that is allowed.
func (s *Source) fullAD(ctx context.Context, c *conn, r rootDSE) error {
	now := s.env.Now()
	st := state{Config: s.state.Config, Server: c.url, Full: now, Reconciled: now}
	if err := s.names(ctx, c, r, &st); err != nil {
		return err
	}
	var changes []change
	add := func(e *ldap.Entry) error {
		ch, err := s.change(ctx, c, e)
		if err == nil && !ch.deleted {
			changes = append(changes, ch)
		}
		return err
	}
	err := errors.New("not asked for")
	if s.cfg.Sync != syncUSN {
		// With the right of replication all is seen, deletions too; without it, what the account may read.
		for _, flags := range []int64{0, ldap.DirSyncObjectSecurity} {
			changes = nil
			st.Mode, st.Flags = syncDirSync, flags
			if st.Cookie, err = s.dirSync(ctx, c, s.adQuery(r.nc), flags, nil, add); err == nil || !isAnswer(err) {
				break
			}
		}
		if err != nil && (s.cfg.Sync == syncDirSync || !isAnswer(err)) {
			return err
		}
	}
	if err != nil {
		if s.cfg.Sync != syncUSN {
			s.env.Log.Info("DirSync is refused: changes are found by uSNChanged, of one controller at a time", "dimension", s.env.Name, "error", err)
		}
		changes = nil
		st.Mode, st.Flags, st.Cookie = syncUSN, 0, nil
		if err := s.paged(ctx, c, s.adQuery(r.nc), add); err != nil {
			return err
		}
	}
	st.Invocation, st.USN, st.Listed = r.invocation, r.usn, r.usn
	all := make(objects, len(changes))
	all.apply(changes, true, len(s.attrs))
	s.replace(&st, all)
	return nil
}

// dirSyncDelta reads what changed since the cookie. again: the server does not take the cookie.
func (s *Source) dirSyncDelta(ctx context.Context, c *conn, r rootDSE) (again bool, err error) {
	var changes []change
	cookie, err := s.dirSync(ctx, c, s.adQuery(r.nc), s.state.Flags, s.state.Cookie, func(e *ldap.Entry) error {
		ch, err := s.change(ctx, c, e)
		changes = append(changes, ch)
		return err
	})
	if isAnswer(err) {
		s.env.Log.Warn("the server does not take the cookie: everything is read anew", "dimension", s.env.Name, "error", err)
		return true, nil
	}
	if err != nil {
		return false, err
	}
	for i := range changes {
		// Of what came back (undeleted, or newly allowed to be read) only what changed is told: the rest is asked for.
		if ch := &changes[i]; !ch.deleted && !ch.named[aObjectClass] && s.objects[ch.id] == nil {
			e, err := s.one(ctx, c, ch.dn, s.adQuery(r.nc).attrs, extendedNames())
			if err == nil {
				*ch, err = s.change(ctx, c, e)
			}
			if ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
				ch.deleted, err = true, nil
			}
			if err != nil {
				return false, err
			}
		}
	}
	s.take(changes, false)
	s.state.Cookie = cookie
	return false, nil
}

// usnDelta reads what changed since the number that this server's database had.
func (s *Source) usnDelta(ctx context.Context, c *conn, r rootDSE) error {
	if r.usn == s.state.USN {
		return nil
	}
	q := s.adQuery(r.nc)
	q.filter = "(&(uSNChanged>=" + strconv.FormatInt(s.state.USN+1, 10) + ")" + adFilter + ")"
	q.controls = append(q.controls, showDeleted())
	var changes []change
	err := s.paged(ctx, c, q, func(e *ldap.Entry) error {
		ch, err := s.change(ctx, c, e)
		changes = append(changes, ch)
		return err
	})
	if err != nil {
		return err
	}
	s.take(changes, true)
	s.state.USN = r.usn
	return nil
}

// change reads an entry of Active Directory.
func (s *Source) change(ctx context.Context, c *conn, e *ldap.Entry) (change, error) {
	id, dn := extendedDN(e.DN)
	ch := change{id: id, dn: dn, named: make([]bool, len(s.attrs)), v: make(values, len(s.attrs))}
	for _, a := range e.Attributes {
		name, next := ranged(a.Name)
		switch {
		case strings.EqualFold(name, "objectGUID") && len(a.Values) == 1:
			ch.id = a.Values[0]
			continue
		case strings.EqualFold(name, "isDeleted"):
			ch.deleted = len(a.Values) == 1 && strings.EqualFold(a.Values[0], "TRUE")
			continue
		}
		code, ok := s.codes[strings.ToLower(name)]
		// The range of what follows comes under its own name; the plain one is empty then.
		if !ok || len(a.Values) == 0 && ch.named[code] {
			continue
		}
		list := a.Values
		if next > 0 {
			more, err := s.remaining(ctx, c, dn, name, next, extendedNames())
			if err != nil {
				return ch, err
			}
			list = append(list, more...)
		}
		ch.named[code] = true
		ch.v[code] = stored(code, list)
	}
	if len(ch.id) != 16 {
		return ch, fmt.Errorf("the entry %q has no objectGUID", dn)
	}
	return ch, nil
}

// stored is what is kept of an attribute's values.
func stored(code int, list []string) []string {
	switch code {
	case aMember, aManager, aManagedBy:
		out := make([]string, len(list))
		for i, v := range list {
			out[i] = link(v)
		}
		return out
	case aObjectClass:
		// The last is the most special, as the schema orders them; classes of somebody's own stand behind those known here.
		for i := len(list) - 1; i >= 0; i-- {
			if class(list[i]) != "" {
				return list[i : i+1]
			}
		}
		return list[max(0, len(list)-1):]
	case aSPN:
		// That there is one is what counts.
		return list[:min(1, len(list))]
	}
	return list
}

// link is how a reference is kept: by GUID where the server tells it, since names change; else by DN.
func link(v string) string {
	id, dn := extendedDN(v)
	if id != "" {
		return id
	}
	return strings.ToLower(dn)
}
