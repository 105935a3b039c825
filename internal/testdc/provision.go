package testdc

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// conf is smb.conf of a controller that speaks LDAP and nothing else. 1: address, 2: folder.
const conf = `[global]
 netbios name = DC1
 realm = LAB.TEST
 workgroup = LAB
 server role = active directory domain controller
 server services = ldap
 interfaces = %[1]s/8
 bind interfaces only = yes
 private dir = %[2]s/private
 state directory = %[2]s/state
 cache directory = %[2]s/cache
 lock directory = %[2]s
 binddns dir = %[2]s/bind-dns
 tls keyfile = %[2]s/key.pem
 tls certfile = %[2]s/cert.pem
 tls cafile = %[2]s/ca.pem
 pid directory = %[2]s
 ncalrpc dir = %[2]s/ncalrpc
 winbindd socket directory = %[2]s/winbindd
 ntp signd socket directory = %[2]s/ntp
 log file = %[2]s/samba.log
 ldap server require strong auth = allow_sasl_over_tls
`

// samba is an environment in which Debian's own Python, which has Samba's modules, comes first.
func samba() []string {
	return append(os.Environ(), "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
}

// provision returns the folder of a domain with so many users, made by the first who asks.
func provision(users int) (string, error) {
	root, err := cache()
	if err != nil {
		return "", err
	}
	version, err := exec.Command(Program("samba"), "--version").Output()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%d", version, populate, conf, users))
	final := filepath.Join(root, fmt.Sprintf("%x", sum[:6]))
	l, err := lock(filepath.Join(root, "lock"), true)
	if err != nil {
		return "", err
	}
	defer l.Close()
	if _, err := os.Stat(final); err == nil {
		return final, nil
	}
	dir, err := os.MkdirTemp(root, "new")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	empty := filepath.Join(dir, "empty.conf")
	if err := os.WriteFile(empty, []byte("[global]\n"), 0o600); err != nil {
		return "", err
	}
	if err := run("samba-tool", "domain", "provision", "-s", empty, "--realm=LAB.TEST", "--domain=LAB", "--server-role=dc", "--dns-backend=NONE",
		"--adminpass="+Password, "--targetdir="+dir, "--host-name=dc1", "--host-ip=127.0.0.1"); err != nil {
		return "", err
	}
	own := filepath.Join(dir, "dc.conf")
	if err := os.WriteFile(own, fmt.Appendf(nil, conf, "127.0.0.1", dir), 0o600); err != nil {
		return "", err
	}
	script := filepath.Join(dir, "populate.py")
	if err := os.WriteFile(script, []byte(populate), 0o600); err != nil {
		return "", err
	}
	if err := run("/usr/bin/python3", script, own, filepath.Join(dir, "private", "sam.ldb"), fmt.Sprint(users)); err != nil {
		return "", err
	}
	return final, os.Rename(dir, final)
}

func run(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Env = samba()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

// cache is .cache/dc of the checkout.
func cache() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(filepath.Dir(strings.TrimSpace(string(out))), ".cache", "dc")
	return dir, os.MkdirAll(dir, 0o700)
}
