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
	't': {tokenName},
	'a': {"authorization", "apikey"},
	'c': {"cookie", "credential"},
}

// tokenName is the name of secrets that are never numbers or booleans: `max_tokens` is a count.
const tokenName = "token"

// IsSecret reports whether the value of this key is a secret: the key, in lower case and without `_`, `-` and blanks,
// contains one of secretNames. It runs for each key of each record, so it reads each byte once and allocates nothing for
// keys of usual length.
func IsSecret(key string) bool {
	return namesSecret(key, "")
}

// isSecretOfAnyType reports whether a number or a boolean under this key is a secret, too.
func isSecretOfAnyType(key string) bool {
	return namesSecret(key, tokenName)
}

// namesSecret reports whether the key contains one of secretNames other than except.
func namesSecret(key, except string) bool {
	var space [64]byte
	plain := space[:0]
	for i := 0; i < len(key); i++ {
		switch c := key[i]; {
		case c == '_' || c == '-' || c == ' ' || (c >= '\t' && c <= '\r'):
		case c >= 'A' && c <= 'Z':
			plain = append(plain, c+'a'-'A')
		case c >= utf8.RuneSelf:
			return containsSecret([]byte(strings.Map(lowerLetter, key)), except) // other alphabets have capitals too
		default:
			plain = append(plain, c)
		}
	}
	return containsSecret(plain, except)
}

// lowerLetter is a letter in lower case, and -1 (which strings.Map removes) for `_`, `-` and blanks.
func lowerLetter(r rune) rune {
	if r == '_' || r == '-' || r == '\uFEFF' || unicode.IsSpace(r) {
		return -1
	}
	return unicode.ToLower(r)
}

func containsSecret(plain []byte, except string) bool {
	for i, c := range plain {
		for _, name := range secretNames[c] {
			if name != except && len(plain)-i >= len(name) && string(plain[i:i+len(name)]) == name {
				return true
			}
		}
	}
	return false
}

// RedactArguments copies a command line with each secret replaced: `--token=abc`, `--password abc`, `API_KEY=abc`.
func RedactArguments(arguments []string) []string {
	clean := make([]string, len(arguments))
	option := ""
	for i, argument := range arguments {
		name, value, assigned := strings.Cut(argument, "=")
		switch {
		case option != "" && !strings.HasPrefix(argument, "-"):
			clean[i], option = redactedArgument(option, argument), ""
		case assigned && value != "" && IsSecret(name):
			clean[i], option = name+"="+redactedArgument(name, value), ""
		default:
			clean[i], option = argument, ""
			if strings.HasPrefix(argument, "-") && !assigned && IsSecret(name) {
				option = name
			}
		}
	}
	return clean
}

func redactedArgument(name, value string) string {
	isNumber := value != "" && strings.Trim(value, "0123456789") == ""
	if isNumber && !isSecretOfAnyType(name) {
		return value
	}
	return redacted
}
