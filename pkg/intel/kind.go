package intel

import "strings"

// Kind is what an indicator's value is.
type Kind uint8

// The kinds. Unknown is told from the value by [Classify].
const (
	Unknown Kind = iota
	IPv4
	IPv6
	CIDR // of either family; one address is IPv4 or IPv6
	Domain
	URL
	Email
	MD5
	SHA1
	SHA256
	SHA512
	Certificate // SHA-1 of an X.509 certificate in DER
	JA3         // MD5 of a TLS client's hello, in the form of JA3
	kinds
)

var kindNames = [kinds]string{
	Unknown: "unknown", IPv4: "ipv4-addr", IPv6: "ipv6-addr", CIDR: "cidr", Domain: "domain-name", URL: "url", Email: "email-addr",
	MD5: "file-md5", SHA1: "file-sha1", SHA256: "file-sha256", SHA512: "file-sha512", Certificate: "x509-sha1", JA3: "ja3",
}

// String returns the word for k in the column kind.
func (k Kind) String() string { return kindNames[min(k, kinds)] }

// kindOf is String's inverse; Unknown for any other word.
func kindOf(name string) Kind {
	for k, n := range kindNames {
		if n == name {
			return Kind(k)
		}
	}
	return Unknown
}

// ecsType returns the word of ECS's threat.indicator.type for a value of kind k; "" where it has none.
func ecsType(k Kind, value []byte) string {
	switch k {
	case CIDR:
		for _, c := range value {
			if c == ':' {
				return "ipv6-addr"
			}
		}
		return "ipv4-addr"
	case MD5, SHA1, SHA256, SHA512:
		return "file"
	case Certificate:
		return "x509-certificate"
	case JA3:
		return "software"
	}
	return kindNames[k]
}

// hashKind tells the kind of file hash by the number of its hexadecimal digits.
func hashKind(digits int) Kind {
	switch digits {
	case 32:
		return MD5
	case 40:
		return SHA1
	case 64:
		return SHA256
	case 128:
		return SHA512
	}
	return Unknown
}

// kindList names the kinds for messages.
func kindList() string { return strings.Join(kindNames[1:], ", ") }
