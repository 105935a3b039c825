package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// latency runs the built program at a steady rate of events, of which every fiftieth raises an alert, and tells how long
// after the write of an event's line its alert's line was read.
func latency(o *options) error {
	args := []string{"--alerts-only", "--log-level", "error"}
	for _, r := range o.rules {
		args = append(args, "-r", r)
	}
	c := exec.Command(o.latency, args...)
	in, err := c.StdinPipe()
	if err != nil {
		return err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		return err
	}
	total := o.rate * o.seconds
	sent := make([]atomic.Int64, total)
	took := make(chan []int64, 1)
	go func() {
		var list []int64
		r := bufio.NewReaderSize(out, 1<<20)
		for {
			l, err := r.ReadSlice('\n')
			if err != nil {
				took <- list
				return
			}
			now := time.Now().UnixNano()
			_, rest, ok := bytes.Cut(l, []byte("seq="))
			num, _, ok2 := bytes.Cut(rest, []byte(";"))
			if n, err := strconv.Atoi(string(num)); ok && ok2 && err == nil && n < total {
				if at := sent[n].Load(); at != 0 {
					list = append(list, now-at)
				}
			}
		}
	}()
	if err := send(o, in, sent); err != nil {
		return err
	}
	if err := in.Close(); err != nil {
		return err
	}
	list := <-took
	if err := c.Wait(); err != nil {
		return err
	}
	if len(list) == 0 {
		return errors.New("no alert came out")
	}
	slices.Sort(list)
	at := func(q float64) float64 { return float64(list[int(q*float64(len(list)-1))]) / 1e6 }
	fmt.Printf("latency at %d events/s: %d alerts, p50 %.3f ms, p90 %.3f ms, p99 %.3f ms, max %.3f ms\n", o.rate, len(list), at(0.5), at(0.9), at(0.99), at(1))
	return nil
}

// send writes events in steps of a millisecond, after two seconds in which the program loads its rules.
func send(o *options, in interface{ Write([]byte) (int, error) }, sent []atomic.Int64) error {
	if _, err := in.Write([]byte(quietLine(-1))); err != nil { // the index of its class is made now
		return err
	}
	time.Sleep(2 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	began := time.Now()
	for n := 0; n < len(sent); {
		<-tick.C
		due := min(int(time.Since(began).Seconds()*float64(o.rate)), len(sent))
		var b bytes.Buffer
		now := time.Now().UnixNano()
		for ; n < due; n++ {
			if n%50 == 0 {
				b.WriteString(raisingLine(n))
			} else {
				b.WriteString(quietLine(n))
			}
			sent[n].Store(now)
		}
		if _, err := in.Write(b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func quietLine(n int) string {
	return fmt.Sprintf(`{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"Computer":"ws-7","User":"CORP\\anna","ProcessId":%d,`+
		`"Image":"C:\\Windows\\System32\\svchost.exe","CommandLine":"svchost.exe -k netsvcs -p -s Schedule","ParentImage":"C:\\Windows\\System32\\services.exe"}`+"\n", n)
}

func raisingLine(n int) string {
	return fmt.Sprintf(`{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"Computer":"ws-7","User":"CORP\\anna","ProcessId":%d,`+
		`"Image":"C:\\Windows\\System32\\vssadmin.exe","OriginalFileName":"VSSADMIN.EXE",`+
		`"CommandLine":"vssadmin.exe delete shadows /all /quiet seq=%d;","ParentImage":"C:\\Windows\\explorer.exe"}`+"\n", n, n)
}
