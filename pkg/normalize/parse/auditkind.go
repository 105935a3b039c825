package parse

import "bytes"

// AuditHeader is what a record of the Linux audit system says before its pairs.
type AuditHeader struct {
	Node, Kind, Time, Serial []byte
}

// AuditRecord reads the header of one record; the parts lie in s.
func AuditRecord(s []byte) (h AuditHeader, ok bool) {
	r, ok := auditHeader(s)
	return AuditHeader{r.node, r.kind, r.time, r.serial}, ok
}

// Single tells whether a record of that kind is an event by itself: the kernel writes the records of a system call one after
// the other, but passes on what programs and auditd say (linux/audit.h, 1100-1299 and 2100-2999) as single records.
func (h AuditHeader) Single() bool {
	for _, p := range singleKinds {
		if bytes.HasPrefix(h.Kind, []byte(p)) {
			return true
		}
	}
	return false
}

var singleKinds = [...]string{
	"USER", "CRED_", "SERVICE_", "ADD_", "DEL_", "GRP_", "ACCT_", "CHGRP_", "CHUSER_", "DAEMON_", "SYSTEM_", "CRYPTO_", "VIRT_", "ROLE_", "RESP_",
	"LABEL_", "ANOM_LOGIN_", "ANOM_ADD_", "ANOM_DEL_", "ANOM_MOD_", "ANOM_ROOT_", "ANOM_EXEC", "ANOM_MK_", "ANOM_CRYPTO_", "ANOM_RBAC_", "DEV_", "FS_RELABEL", "MAC_CHECK",
	"TEST", "TRUSTED_APP", "USYS_", "DAC_CHECK", "SOFTWARE_UPDATE",
}
