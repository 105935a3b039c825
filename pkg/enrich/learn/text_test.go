package learn

import (
	"strings"
	"testing"

	"leat/pkg/event"
)

func TestAccounts(t *testing.T) {
	who := &accounts{service: []string{"svc-*", "*_svc"}}
	for in, want := range map[string]string{
		"ann": "ann", `CORP\ann`: "ann", "ann@CORP.EXAMPLE": "ann", " ann ": "ann", "Ann": "Ann", "Ann Doe": "Ann Doe",
		"PC7$": "", "PC7$@CORP.EXAMPLE": "", "": "", "-": "", "SYSTEM": "", "LOCAL SERVICE": "", "ANONYMOUS LOGON": "", "DWM-12": "", "UMFD-3": "", "root": "",
		"svc-backup": "", "SVC-Backup": "", "sql_svc": "", "HealthMailbox1a2b": "", "MSOL_0123abc": "", "@x": "@x",
	} {
		got, ok := who.person([]byte(in))
		if ok != (want != "") || ok && string(got) != want {
			t.Errorf("person %q: %q %v, want %q", in, got, ok, want)
		}
	}
	for in, want := range map[string]string{"PC7$": "PC7", "PC7$@CORP.EXAMPLE": "PC7", `CORP\PC7$`: "PC7", "ann": "", "$": "", "": ""} {
		if got, ok := machine([]byte(in)); ok != (want != "") || string(got) != want {
			t.Errorf("machine %q: %q %v, want %q", in, got, ok, want)
		}
	}
}

func TestKeys(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", " 192.0.2.7 ": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:DB8:0::1": "2001:db8::1", "fe80::1%eth0": "fe80::1",
		"00:00:5e:00:53:1c": "00-00-5E-00-53-1C", "00-00-5E-00-53-1C": "00-00-5E-00-53-1C", "0000.5e00.531c": "00-00-5E-00-53-1C", "00005e00531c": "00-00-5E-00-53-1C",
		"PC7.Corp.Example": "pc7.corp.example", "1.2.3": "1.2.3", "": "", strings.Repeat("a", 300): "",
	} {
		if got := string(appendKey(nil, []byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]bool{
		"127.0.0.1": true, "::1": true, "0.0.0.0": true, "::": true, "169.254.3.4": true, "fe80::1": true, "224.0.0.1": true, "255.255.255.255": true, "-": true,
		"192.0.2.7": false, "2001:db8::1": false, "10.0.0.1": false, "pc7": false, "1": false, "00-00-5E-00-53-1C": false,
	} {
		if nobody([]byte(in)) != want {
			t.Errorf("nobody %q: %v", in, !want)
		}
	}
}

func TestExpressions(t *testing.T) {
	for _, c := range []struct{ in, text, want string }{
		{"f", "a b", "a b"},
		{"f | address", "address 192.0.2.7 was released", "192.0.2.7"},
		{"f | address", "DHCPACK(br0) 192.0.2.7, x", "192.0.2.7"},
		{"f | address", "version 4.4.1 of it", ""},
		{"f | mac", "for 00:00:5e:00:53:1c", "00-00-5E-00-53-1C"},
		{"f | mac", "for nobody", ""},
		{"f | seconds", "has been allocated for 4000 seconds", "4000"},
		{"f | seconds", "seconds", ""},
		{"f | after lease-duration | word 1", "x lease-duration 600 (RENEW)", "600"},
		{"f | after lease-duration | word 1", "x", ""},
		{"f | before '@'", "ann@example.com", "ann"},
		{"f | before '@'", "ann", "ann"},
		{"f | before '@'", "@ann", ""},
		{"f | word 3", "a b", ""},
		{"f | host", "pc7.example.", "pc7.example"},
		{"f | host", "-", ""},
		{"f | host", "192.0.2.7", ""},
		{"f | host", "localhost", ""},
		{"f", "", ""},
	} {
		x, err := parseExpression(c.in, &accounts{})
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		got, _, ok := x.eval(event.ValueOf(event.AppendString(nil, c.text)), nil)
		if ok != (c.want != "") || string(got) != c.want {
			t.Errorf("%s of %q: %q %v, want %q", c.in, c.text, got, ok, c.want)
		}
	}
	for in, want := range map[string]int64{"3600": 3600, "3600.0": 3600, "": -1, "x": -1, ".5": -1, "-3": -1, "99999999999999999999": -1} {
		n, ok := wholeNumber([]byte(in))
		if ok != (want >= 0) || ok && n != want {
			t.Errorf("%q: %d %v", in, n, ok)
		}
	}
}

// FuzzLearn: whatever an event says, nothing panics, what is kept is bounded and valid, and is written and read as the same.
func FuzzLearn(f *testing.F) {
	f.Add([]byte(`{"event":{"dataset":"dhcpd","action":"dhcpack"},"source":{"ip":"192.0.2.7","mac":"00-00-5E-00-53-1C","domain":"pc7"}}`), int64(1))
	f.Add([]byte(`{"event":{"dataset":"windows.security","code":"4768"},"winlog":{"event_data":{"Status":"0x0"}},"source":{"ip":"::1"},"user":{"name":["a\u0000","b"],"id":7}}`), int64(-1))
	f.Add([]byte(`{"event":{"dataset":["kea"],"action":"DHCP4_LEASE_ALLOC"},"source":{"ip":["192.0.2.7",null,{}]},"kea":{"what":"for 99999999999 seconds"}}`), int64(1)<<62)
	f.Fuzz(func(t *testing.T, line []byte, at int64) {
		tab := mustNew(t, &Config{Preset: Presets(), Keys: 3, PerKey: 2})
		var e event.Event
		e.Reset(line)
		if e.Parse() != nil {
			return
		}
		for i := range int64(4) {
			tab.Learn(&e, at+i*int64(3e12))
		}
		for key := range tab.Keys {
			if len(key) == 0 || len(key) > maxKey || nobody([]byte(key)) {
				t.Fatalf("key %q", key)
			}
			for _, iv := range tab.Intervals([]byte(key)) {
				var row event.Event
				row.Reset(iv.Row)
				if err := row.Parse(); err != nil || iv.To <= iv.From {
					t.Fatalf("%d to %d: %s: %v", iv.From, iv.To, iv.Row, err)
				}
			}
		}
		again := mustNew(t, &Config{Preset: Presets(), Keys: 3, PerKey: 2})
		if err := again.Restore(tab.Base(nil), nil); err != nil {
			t.Fatal(err)
		}
		if string(again.Base(nil)) != string(tab.Base(nil)) || again.Stats().Bytes != tab.Stats().Bytes {
			t.Fatal("what was written is read as something else")
		}
	})
}
