package parse

import (
	"strings"
	"testing"
)

func TestAudit(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"a system call", `type=SYSCALL msg=audit(1764000000.243:24287): arch=c000003e syscall=59 success=yes exit=0 ppid=2 pid=42 comm="id" exe="/usr/bin/id" key=(null)`,
			`type=SYSCALL time=1764000000.243 serial=24287 arch=c000003e syscall=59 success=yes exit=0 ppid=2 pid=42 comm=id exe=/usr/bin/id`},
		{"a program's message", `node=h1 type=USER_LOGIN msg=audit(1764000000.1:7): pid=9 uid=0 auid=1000 msg='op=login acct="ann" exe="/usr/sbin/sshd" hostname=? addr=192.0.2.7 terminal=ssh res=failed'`,
			`type=USER_LOGIN time=1764000000.1 serial=7 node=h1 pid=9 uid=0 auid=1000 op=login acct=ann exe=/usr/sbin/sshd addr=192.0.2.7 terminal=ssh res=failed`},
		{"words as a value", `type=ADD_USER msg=audit(1764000000.1:7): msg='op=adding user id=1004 exe="/usr/sbin/useradd" res=success'`,
			`type=ADD_USER time=1764000000.1 serial=7 op=adding user id=1004 exe=/usr/sbin/useradd res=success`},
		{"hexadecimal", `type=PROCTITLE msg=audit(1764000000.1:7): proctitle=6C73002D6C0061622063`,
			`type=PROCTITLE time=1764000000.1 serial=7 proctitle=ls -l ab c`},
		{"hexadecimal that is a number", `type=SYSCALL msg=audit(1764000000.1:7): a0=41424344 exe=2F746D702F6120622E7368`,
			`type=SYSCALL time=1764000000.1 serial=7 a0=41424344 exe=/tmp/a b.sh`},
		{"bytes that are no text", `type=SYSCALL msg=audit(1764000000.1:7): comm=FF00 exe=00`,
			`type=SYSCALL time=1764000000.1 serial=7 comm=FF00 exe=00`},
		{"arguments", `type=EXECVE msg=audit(1764000000.1:7): argc=3 a0="sh" a1=2D63 a2[0]=6563686F a2[1]=2068`,
			`type=EXECVE time=1764000000.1 serial=7 argc=3 a0=sh a1=-c a2[0]=echo a2[1]= h args=["sh","-c","echo h"]`},
		{"an IPv4 address", `type=SOCKADDR msg=audit(1764000000.1:7): saddr=020001BBC00002070000000000000000`,
			`type=SOCKADDR time=1764000000.1 serial=7 saddr{family=ipv4 addr=192.0.2.7 port=443}`},
		{"an IPv6 address", `type=SOCKADDR msg=audit(1764000000.1:7): saddr=0A00003500000000` + `20010DB8000000000000000000000001` + `00000000`,
			`type=SOCKADDR time=1764000000.1 serial=7 saddr{family=ipv6 addr=2001:db8::1 port=53}`},
		{"a path", `type=SOCKADDR msg=audit(1764000000.1:7): saddr=01002F72756E2F7800`, `type=SOCKADDR time=1764000000.1 serial=7 saddr{family=unix path=/run/x}`},
		{"SELinux", `type=AVC msg=audit(1764000000.1:7): avc:  denied  { read write } for  pid=4 comm="x" tclass=file`,
			`type=AVC time=1764000000.1 serial=7 seresult=denied seperms=read write pid=4 comm=x tclass=file`},
		{"the kernel's log", `audit: type=1400 audit(1764000000.1:7): apparmor="DENIED" operation="open" name="/x"`,
			`type=1400 time=1764000000.1 serial=7 apparmor=DENIED operation=open name=/x`},
		{"enriched", "type=USER_CMD msg=audit(1764000000.1:7): uid=0 msg='cmd=6C73 res=success'\x1dUID=\"root\"", `type=USER_CMD time=1764000000.1 serial=7 uid=0 cmd=ls res=success UID=root`},
		{"all records of an event", "type=SYSCALL msg=audit(1764000000.1:7): pid=4\ntype=CWD msg=audit(1764000000.1:7): cwd=\"/\"\n\ntype=PATH msg=audit(1764000000.1:7): item=0 name=\"/a\"\ntype=PATH msg=audit(1764000000.1:7): item=1 name=\"/b\"\n",
			`type=SYSCALL time=1764000000.1 serial=7 pid=4 cwd=/ path{item=0 name=/a} path_2{item=1 name=/b}`},
		{"two events", "type=CWD msg=audit(1764000000.1:7): cwd=\"/\"\ntype=CWD msg=audit(1764000000.1:8): cwd=\"/\"", "bad"},
		{"no serial", `type=CWD msg=audit(1764000000.1): cwd="/"`, "bad"},
		{"no time", `type=CWD msg=audit(x:1): cwd="/"`, "bad"},
		{"no type", `msg=audit(1764000000.1:7): cwd="/"`, "bad"},
		{"nothing", "", "bad"},
	} {
		var r Record
		r.Reset()
		got := "bad"
		if Audit(&r, 0, []byte(c.in)) {
			got = tree(&r, 0)
		}
		if got != c.want {
			t.Errorf("%s:\n %s\nwant\n %s", c.name, got, c.want)
		}
	}
}

func TestAuditBounds(t *testing.T) {
	var r Record
	r.Reset()
	if !Audit(&r, 0, []byte("type=X msg=audit(1764000000.1:7): "+strings.Repeat("a=b ", 100_000))) || len(r.Cells) > maxAuditPairs+8 || r.Find(0, "text") == None {
		t.Errorf("%d cells", len(r.Cells))
	}
	if Audit(&r, 0, []byte(strings.Repeat("x", 1<<20)+"type=X msg=audit(1764000000.1:7): a=b")) {
		t.Error("a header that far in is none")
	}
}

func FuzzAudit(f *testing.F) {
	f.Add([]byte(`type=EXECVE msg=audit(1.1:7): argc=3 a0="sh" a2[0]=6563 a2[1]=20`))
	f.Add([]byte("type=USER_CMD msg=audit(1.1:7): msg='cmd=6C73 msg='x=y''\x1dUID=\"root\"\ntype=SOCKADDR msg=audit(1.1:7): saddr=020001BBC0000207"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var r Record
		r.Reset()
		Audit(&r, 0, in)
		for i := range r.Cells {
			if n := r.Cells[i].Next; n != None && n <= int32(i) {
				t.Fatalf("cell %d is followed by %d", i, n)
			}
			if c := r.Cells[i]; c.JSON && strings.ContainsAny(string(c.Val), "\n\x00") {
				t.Fatalf("no JSON: %q", c.Val)
			}
		}
	})
}

func BenchmarkAudit(b *testing.B) {
	in := []byte(`type=SYSCALL msg=audit(1764000000.243:24287): arch=c000003e syscall=59 success=yes exit=0 a0=1 a1=2 a2=3 a3=4 items=2 ppid=26843 pid=27032 auid=1000 uid=1000 gid=1000 euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=pts2 ses=106985 comm="perl" exe="/usr/bin/perl" key=(null)`)
	var r Record
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		r.Reset()
		if !Audit(&r, 0, in) {
			b.Fatal("not read")
		}
	}
}
