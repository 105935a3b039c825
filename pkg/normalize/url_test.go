package normalize

import (
	"strings"
	"testing"

	"leat/pkg/event"
)

// urlOf runs a mapping of one URL field over u and returns the url object of the event.
func urlOf(t testing.TB, field, u string) string {
	t.Helper()
	m := mapping(t, "name: u.test\nwhen: {keys: {u: '*'}}\nparse: json\nfields: {"+field+": u}\n")
	var b event.Batch
	b.Push(event.AppendString([]byte(`{"u":`), []byte(u)))
	b.Events[0].Replace(append(b.Events[0].Line(), '}'))
	if err := New(Config{Mappings: m}).Process(&b); err != nil {
		t.Fatal(err)
	}
	return string(b.Events[0].Get(event.MustPath("url")).Raw)
}

func TestURL(t *testing.T) {
	for _, c := range []struct{ field, in, want string }{
		{"url.full", "https://a.example/b/c.php?d=1#e", `{"domain":"a.example","extension":"php","fragment":"e","full":"https://a.example/b/c.php?d=1#e","original":"https://a.example/b/c.php?d=1#e","path":"/b/c.php","port":443,"query":"d=1","scheme":"https"}`},
		{"url.original", "http://a.example:8080", `{"domain":"a.example","full":"http://a.example:8080","original":"http://a.example:8080","port":8080,"scheme":"http"}`},
		{"url.original", "/b?c", `{"original":"/b?c","path":"/b","query":"c"}`},
		{"url.original", "/b?to=http://x.example/", `{"original":"/b?to=http://x.example/","path":"/b","query":"to=http://x.example/"}`},
		{"url.original", "ftp://[2001:db8::1]/f", `{"domain":"2001:db8::1","full":"ftp://[2001:db8::1]/f","original":"ftp://[2001:db8::1]/f","path":"/f","scheme":"ftp"}`},
		{"url.original", "HTTPS://a.example/", `{"domain":"a.example","full":"HTTPS://a.example/","original":"HTTPS://a.example/","path":"/","port":443,"scheme":"HTTPS"}`},
		{"url.original", "a.example:443", `{"original":"a.example:443"}`},
	} {
		if got := urlOf(t, c.field, c.in); got != c.want {
			t.Errorf("%s of %s:\n got %s\nwant %s", c.field, c.in, got, c.want)
		}
	}
}

func FuzzURL(f *testing.F) {
	for _, s := range []string{"https://a/b?c#d", "http://u:p@h:1/", "://", "x://[", "http://:/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, u string) {
		got := urlOf(t, "url.original", u)
		if u != "" && !strings.Contains(got, `"original":`) {
			t.Errorf("%q gave %s", u, got)
		}
	})
}
