package secrets

import (
	"regexp"
	"strings"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

func urlLogin(text string, start int, colon, sign string) (finding, bool) {
	whole := text[start:minimum(len(text), start+limits.MaxUserinfo)]
	whole = upToAny(whole, " \t\r\n\"'`<>")
	authority := upToAny(whole, "/?#\\")
	if colon != ":" {
		authority = upToEncoded(whole)
	}
	separator := strings.Index(authority, colon)
	if !strings.Contains(authority, sign) && separator >= 0 && !isDigits(authority[separator+len(colon):]) {
		authority = whole // a password with a slash: what follows the colon is no port
	}
	userEnd := strings.LastIndex(authority, sign)
	if userEnd < 0 {
		return finding{}, false
	}
	if separator = strings.Index(authority, colon); separator >= 0 && separator < userEnd {
		return keyed(text, start+separator+len(colon), start+userEnd)
	}
	before := text[:start]
	if userEnd >= limits.MinURLToken && (strings.HasSuffix(before, "http://") || strings.HasSuffix(before, "https://")) {
		return keyed(text, start, start+userEnd)
	}
	return finding{}, false
}

func upToAny(text, stops string) string {
	if end := strings.IndexAny(text, stops); end >= 0 {
		return text[:end]
	}
	return text
}

func upToEncoded(text string) string {
	for i := range text {
		if text[i] == '&' || i+3 <= len(text) && (strings.EqualFold(text[i:i+3], "%2F") || strings.EqualFold(text[i:i+3], "%3F")) {
			return text[:i]
		}
	}
	return text
}

// noUser are names in front of an address that is no login: mailto:a@b.c.
var noUser = setOf("mailto sip sips xmpp acct to from cc bcc mail email e-mail contact npm git ssh author by")

// host is what follows `user:password@`: a host with a domain, a port or a path; localhost, an IPv4 address, or `tcp(`. The expressions
// of this package are linear (RE2), and this one reads at most a host's name.
var host = regexp.MustCompile(`^(?:tcp\(|unix\(|localhost\b|[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b|[A-Za-z][A-Za-z0-9_-]{0,62}(?:\.[A-Za-z]|:[0-9]|/))`)
var checksum = regexp.MustCompile(`^sha[0-9]`)

func login(text string, at int) (finding, bool) {
	value := text[at+1 : minimum(len(text), at+1+limits.MaxUserinfo)]
	if strings.IndexByte(value, '@') < 1 {
		return finding{}, false
	}
	start := nameStart(text, at, at)
	if start == at || noUser[strings.ToLower(text[start:at])] {
		return finding{}, false
	}
	value = value[:unquotedEnd(value, 0)]
	sign, slash := strings.LastIndexByte(value, '@'), strings.IndexByte(value, '/')
	if sign < 1 || strings.Contains(value[:sign], ":") {
		return finding{}, false
	}
	switch text[start:at] {
	case "thin", "oci", "oci8":
		if slash > 0 && slash < sign {
			return keyed(text, at+slash+2, at+1+sign)
		}
		return finding{}, false
	}
	rest := text[at+sign+2:]
	if isDigits(value[:sign]) || slash >= 0 && slash < sign || checksum.MatchString(rest) || !host.MatchString(rest) {
		return finding{}, false
	}
	return keyed(text, at+1, at+1+sign)
}
