package encode

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// redacted is written in place of a secret.
const redacted = "[redacted]"

// secretNames are the names of secrets, by their first letter. The same list is in src/core/redact.ts.
var secretNames = [256][]string{
	'p': {"password", "passwd", "privatekey"},
	's': {"secret", "sessionkey"},
	't': {"token"},
	'a': {"authorization", "apikey"},
	'c': {"cookie", "credential"},
}

// IsSecret reports whether the value of this key is a secret: the key, in lower case and without `_`, `-` and blanks,
// contains one of secretNames. It runs for each key of each record, so it reads each byte once and allocates nothing for
// keys of usual length.
func IsSecret(key string) bool {
	var space [64]byte
	plain := space[:0]
	for i := 0; i < len(key); i++ {
		switch c := key[i]; {
		case c == '_' || c == '-' || c == ' ' || (c >= '\t' && c <= '\r'):
		case c >= 'A' && c <= 'Z':
			plain = append(plain, c+'a'-'A')
		case c >= utf8.RuneSelf:
			return containsSecret([]byte(strings.Map(lowerLetter, key))) // other alphabets have capitals too
		default:
			plain = append(plain, c)
		}
	}
	return containsSecret(plain)
}

// lowerLetter is a letter in lower case, and -1 (which strings.Map removes) for `_`, `-` and blanks.
func lowerLetter(r rune) rune {
	if r == '_' || r == '-' || r == '\uFEFF' || unicode.IsSpace(r) {
		return -1
	}
	return unicode.ToLower(r)
}

func containsSecret(plain []byte) bool {
	for i, c := range plain {
		for _, name := range secretNames[c] {
			if len(plain)-i >= len(name) && string(plain[i:i+len(name)]) == name {
				return true
			}
		}
	}
	return false
}

// RedactArguments copies a command line with each secret replaced: `--token=abc`, `--password abc`, `API_KEY=abc`.
func RedactArguments(arguments []string) []string {
	clean := make([]string, len(arguments))
	next := false
	for i, argument := range arguments {
		name, value, assigned := strings.Cut(argument, "=")
		switch {
		case next && !strings.HasPrefix(argument, "-"):
			clean[i], next = redacted, false
		case assigned && value != "" && IsSecret(name):
			clean[i], next = name+"="+redacted, false
		default:
			clean[i] = argument
			next = strings.HasPrefix(argument, "-") && !assigned && IsSecret(name)
		}
	}
	return clean
}
