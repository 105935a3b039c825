package directory

import (
	"strconv"
	"strings"
	"time"
)

// account writes what is true of accounts: of users, machines and service accounts.
func (r *rowsAD) account(kind string) {
	// The number is signed 32 bits.
	control, _ := strconv.ParseInt(r.v.first(aControl), 10, 64)
	for _, f := range []struct {
		col int
		bit int64
	}{{cDisabled, uacDisabled}, {cNeverExpires, uacNeverExpires}, {cNoPassword, uacNotRequired}, {cNoPreauth, uacNoPreauth},
		{cDelegation, uacDelegation}} {
		r.flag(f.col, control&f.bit != 0)
	}
	r.flag(cLocked, r.locked())
	expires, ok := fileTime(r.v.first(aAccountExpires))
	if ok {
		r.when(cAccountExpires, expires)
	}
	r.flag(cExpired, ok && r.past(expires))
	r.flag(cService, kind == "gmsa" || kind == "msa" || kind == "user" && len(r.v[aSPN]) > 0)
	if t, ok := fileTime(r.v.first(aPasswordSet)); ok {
		r.when(cPasswordSet, t)
	}
	// The last logon is told to all controllers only every 9 to 14 days; who never logged on counts from the making.
	last, ok := fileTime(r.v.first(aLastLogon))
	if ok {
		r.when(cLastLogon, last)
	} else {
		last, ok = generalizedTime(r.v.first(aCreated))
	}
	if ok {
		r.flag(cStale, r.past(last.Add(r.source.cfg.StaleAfter)))
	}
}

// past tells whether a time has come, and notes when it will.
func (r *rowsAD) past(t time.Time) bool {
	if !r.now.Before(t) {
		return true
	}
	if r.turns.IsZero() || t.Before(r.turns) {
		r.turns = t
	}
	return false
}

// locked: an account is locked from lockoutTime on, for the domain's lockoutDuration.
func (r *rowsAD) locked() bool {
	at, ok := fileTime(r.v.first(aLockoutTime))
	if !ok {
		return false
	}
	return r.lockout == 0 || !r.past(at.Add(r.lockout))
}

// machine writes what is true of computers.
func (r *rowsAD) machine() {
	r.text(cOS, r.v.first(aOS))
	r.text(cOSVersion, r.v.first(aOSVersion))
	control, _ := strconv.ParseInt(r.v.first(aControl), 10, 64)
	switch {
	case control&(uacServer|uacReadOnlyDC) != 0:
		r.text(cFunction, "domain controller")
	case r.v.first(aDescription) != "":
		r.text(cFunction, r.v.first(aDescription))
	case strings.Contains(strings.ToLower(r.v.first(aOS)), "server"):
		r.text(cFunction, "server")
	case r.v.first(aOS) != "":
		r.text(cFunction, "workstation")
	}
	placed := r.v.first(aLocation) != "" || r.v.first(aOffice) != "" || r.v.first(aCity) != ""
	r.text(cOfficeName, r.v.first(aLocation))
	if r.refer(aManagedBy) {
		r.text(cOwner, fullName(r.other))
		r.text(cOwnerEmail, email(r.other))
		if placed {
			return
		}
		// A machine of which nobody says where it stands is where its owner is.
		r.office(r.other)
	}
}
