package datacat

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const redacted = "[redacted]"

// secretWords by their first letter. The same list is in src/core/redact.ts.
var secretWords = [256][]string{
	'p': {"password", "passwd", "privatekey"},
	's': {"secret", "sessionkey"},
	't': {"token"},
	'a': {"authorization", "apikey"},
	'c': {"cookie", "credential"},
}

// isSecret tells whether a key of this name holds a secret: its lower-cased name without `_`, `-` and blanks contains one
// of the words. It is asked for every key of every record, so it looks at each byte once and allocates nothing.
func isSecret(key string) bool {
	var space [64]byte
	plain := space[:0]
	for i := 0; i < len(key); i++ {
		switch c := key[i]; {
		case c == '_' || c == '-' || c == ' ' || (c >= '\t' && c <= '\r'):
		case c >= 'A' && c <= 'Z':
			plain = append(plain, c+'a'-'A')
		case c >= utf8.RuneSelf:
			return containsSecret([]byte(strings.Map(lowerLetter, key))) // rare, and other alphabets have capitals too
		default:
			plain = append(plain, c)
		}
	}
	return containsSecret(plain)
}

func lowerLetter(r rune) rune {
	if r == '_' || r == '-' || r == '\uFEFF' || unicode.IsSpace(r) {
		return -1
	}
	return unicode.ToLower(r)
}

func containsSecret(plain []byte) bool {
	for i, c := range plain {
		for _, word := range secretWords[c] {
			if len(plain)-i >= len(word) && string(plain[i:i+len(word)]) == word {
				return true
			}
		}
	}
	return false
}

// withoutSecrets is a command line with what follows a secret flag (`--token=abc`, `--password abc`) written over.
func withoutSecrets(arguments []string) []string {
	clean := make([]string, len(arguments))
	next := false
	for i, argument := range arguments {
		name, value, assigned := strings.Cut(argument, "=")
		switch {
		case next && !strings.HasPrefix(argument, "-"):
			clean[i], next = redacted, false
		case assigned && value != "" && isSecret(name):
			clean[i], next = name+"="+redacted, false
		default:
			clean[i] = argument
			next = strings.HasPrefix(argument, "-") && !assigned && isSecret(name)
		}
	}
	return clean
}
