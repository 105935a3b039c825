package intel

import (
	"io"
	"strconv"
	"strings"
)

// The CSV exports of abuse.ch have their header in a comment; these are the columns, by the services' documentation.
var (
	urlhausColumns    = [...]string{"id", "dateadded", "url", "url_status", "last_online", "threat", "tags", "urlhaus_link", "reporter"}
	urlhausOldColumns = [...]string{"id", "dateadded", "url", "url_status", "threat", "tags", "urlhaus_link", "reporter"}
	threatfoxColumns  = [...]string{"first_seen_utc", "ioc_id", "ioc_value", "ioc_type", "threat_type", "fk_malware", "malware_alias", "malware_printable", "last_seen_utc", "confidence_level", "is_compromised", "reference", "tags", "anonymous", "reporter"}
	threatfoxOld      = [...]string{"first_seen_utc", "ioc_id", "ioc_value", "ioc_type", "threat_type", "fk_malware", "malware_alias", "malware_printable", "last_seen_utc", "confidence_level", "reference", "tags", "anonymous", "reporter"}
	feodoColumns      = [...]string{"first_seen_utc", "dst_ip", "dst_port", "c2_status", "last_online", "malware"}
	malwarebazaar     = [...]string{"first_seen_utc", "sha256_hash", "md5_hash", "sha1_hash", "reporter", "file_name", "file_type_guess", "mime_type", "signature", "clamav", "vtpercent", "imphash", "ssdeep", "tlsh"}
	sslblCertColumns  = [...]string{"listing_date", "sha1", "listing_reason"}
	sslblIPColumns    = [...]string{"listing_date", "dst_ip", "dst_port"}
	sslblFirstJA3     = [...]string{"ja3_md5", "first_seen", "last_seen", "listing_reason"}
)

const abusech = "abuse.ch "

// hasColumns sets the columns by the number of fields: services have added some over the years.
func (r *record) columns(choices ...[]string) bool {
	for _, c := range choices {
		if len(r.fields) == len(c) {
			clear(r.at)
			for i, name := range c {
				r.at[name] = i
			}
			return true
		}
	}
	return false
}

// eachAbuse reads one of abuse.ch's exports. A line with another number of fields is counted as malformed.
func eachAbuse(r io.Reader, t *intake, f func(rec *record, i *indicator), choices ...[]string) error {
	return eachRecord(r, []string{}, ',', t, func(rec *record) {
		i := t.record()
		if !rec.columns(choices...) {
			t.counts.Malformed++
			return
		}
		f(rec, i)
	})
}

// readURLhaus reads https://urlhaus.abuse.ch/downloads/csv/. An URL that is offline stays an indicator; its last_online is when it was last seen.
func readURLhaus(r io.Reader, t *intake) error {
	return eachAbuse(r, t, func(rec *record, i *indicator) {
		i.kind, i.value = URL, append(i.value, rec.get("url")...)
		i.firstSeen, i.lastSeen = parseTime(rec.get("dateadded")), parseTime(rec.get("last_online"))
		i.provider, i.reference = abusech+"URLhaus", rec.word("urlhaus_link")
		i.description, i.id = rec.word("threat"), rec.get("id")
		i.tags = rec.list(i.tags, "tags")
		t.put(i)
	}, urlhausColumns[:], urlhausOldColumns[:])
}

// readThreatFox reads https://threatfox.abuse.ch/export/csv/.
func readThreatFox(r io.Reader, t *intake) error {
	return eachAbuse(r, t, func(rec *record, i *indicator) {
		i.value = append(i.value, rec.get("ioc_value")...)
		if i.kind = threatfoxKind(rec.get("ioc_type")); i.kind == kinds {
			t.counts.Unsupported++
			return
		}
		i.firstSeen, i.lastSeen = parseTime(rec.get("first_seen_utc")), parseTime(rec.get("last_seen_utc"))
		if n, err := strconv.Atoi(rec.get("confidence_level")); err == nil && n >= 0 {
			i.confidence = n
		}
		if i.name = rec.word("malware_printable"); strings.EqualFold(i.name, "Unknown malware") {
			i.name = ""
		}
		i.provider, i.reference = abusech+"ThreatFox", rec.word("reference")
		i.description, i.id = rec.word("threat_type"), rec.get("ioc_id")
		i.tags = rec.list(i.tags, "tags")
		t.put(i)
	}, threatfoxColumns[:], threatfoxOld[:])
}

// threatfoxKind is Unknown for an address with a port, which the value tells, and kinds for what is not matched.
func threatfoxKind(s string) Kind {
	switch s {
	case "ip:port":
		return Unknown
	case "domain":
		return Domain
	case "url":
		return URL
	case "md5_hash":
		return MD5
	case "sha1_hash":
		return SHA1
	case "sha256_hash":
		return SHA256
	case "email":
		return Email
	}
	return kinds
}

// readFeodo reads https://feodotracker.abuse.ch/downloads/ipblocklist.csv (also the aggressive one).
func readFeodo(r io.Reader, t *intake) error {
	return eachAbuse(r, t, func(rec *record, i *indicator) {
		i.kind, i.value = IPv4, append(i.value, rec.get("dst_ip")...)
		if rec.get("dst_ip") == "dst_ip" { // the header, which is no comment here
			t.counts.Records--
			return
		}
		i.firstSeen, i.lastSeen = parseTime(rec.get("first_seen_utc")), parseTime(rec.get("last_online"))
		i.provider, i.name = abusech+"Feodo Tracker", rec.word("malware")
		i.description = "command and control server, port " + rec.get("dst_port")
		t.put(i)
	}, feodoColumns[:])
}

// readMalwareBazaar reads https://bazaar.abuse.ch/export/csv/: each sample has up to three hashes.
func readMalwareBazaar(r io.Reader, t *intake) error {
	return eachAbuse(r, t, func(rec *record, i *indicator) {
		i.firstSeen = parseTime(rec.get("first_seen_utc"))
		i.provider, i.name = abusech+"MalwareBazaar", rec.word("signature")
		if name, typ := rec.word("file_name"), rec.word("file_type_guess"); name != "" {
			i.description = strings.TrimSpace(typ + " file " + name)
		}
		if sha := rec.get("sha256_hash"); len(sha) == 64 && allHex([]byte(sha)) {
			i.reference = "https://bazaar.abuse.ch/sample/" + sha + "/"
		}
		for _, h := range [...]struct {
			column string
			kind   Kind
		}{{"sha256_hash", SHA256}, {"md5_hash", MD5}, {"sha1_hash", SHA1}} {
			if v := rec.word(h.column); v != "" {
				i.kind, i.value = h.kind, append(i.value[:0], v...)
				t.put(i)
			}
		}
	}, malwarebazaar[:])
}

// readSSLBL reads the three exports of https://sslbl.abuse.ch/blacklist/: fingerprints of certificates, addresses, and JA3.
func readSSLBL(r io.Reader, t *intake) error {
	return eachAbuse(r, t, func(rec *record, i *indicator) {
		i.provider = abusech + "SSLBL"
		switch {
		case len(rec.fields) == len(sslblFirstJA3):
			i.kind, i.value = JA3, append(i.value, rec.get("ja3_md5")...)
			i.firstSeen, i.lastSeen = parseTime(rec.get("first_seen")), parseTime(rec.get("last_seen"))
			i.name = rec.word("listing_reason")
		case len(rec.get("sha1")) == 40:
			i.kind, i.value = Certificate, append(i.value, rec.get("sha1")...)
			i.firstSeen = parseTime(rec.get("listing_date"))
			i.name = strings.TrimSuffix(rec.word("listing_reason"), " C&C")
			i.description = rec.word("listing_reason")
		default:
			rec.columns(sslblIPColumns[:])
			i.kind, i.value = IPv4, append(i.value, rec.get("dst_ip")...)
			i.firstSeen = parseTime(rec.get("listing_date"))
			i.description = "command and control server, port " + rec.get("dst_port")
		}
		t.put(i)
	}, sslblCertColumns[:], sslblFirstJA3[:])
}
