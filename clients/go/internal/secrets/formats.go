package secrets

import (
	"strings"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

func pem(text string, start int) (finding, bool) {
	label := text[start+11 : minimum(len(text), start+11+limits.MaxPEMLabel)]
	end := strings.Index(label, "-----")
	if end < 0 || !strings.Contains(label[:end], "PRIVATE KEY") {
		return finding{}, false
	}
	footer := "-----END " + label[:end] + "-----"
	if at := strings.Index(text[start:], footer); at >= 0 {
		return finding{start, start + at + len(footer), "[redacted:private-key]"}, true
	}
	return finding{start, len(text), "[redacted:private-key]"}, true
}

func jwt(text string, start int) (finding, bool) {
	if start > 0 && isNameByte(text[start-1]) {
		return finding{}, false
	}
	end := start
	for end < len(text) && isNameByte(text[end]) {
		end++
	}
	token := strings.TrimRight(text[start:end], ".")
	if strings.IndexByte(token, '.') < 10 || len(token) < 24 {
		return finding{}, false
	}
	return finding{start, start + len(token), "[redacted:jwt]"}, true
}

// schemeEnd is the position after a scheme of HTTP's authentication and its blanks; start if there is none.
func schemeEnd(text string, start int) int {
	for _, name := range [...]string{"bearer", "basic", "token", "negotiate", "apikey", "api-key"} {
		if len(text)-start > len(name) && strings.EqualFold(text[start:start+len(name)], name) {
			if end := skipBlanks(text, start+len(name)); end > start+len(name) {
				return end
			}
		}
	}
	return start
}

func scheme(text string, at int) (finding, bool) {
	if at > 0 && isAlphanumeric(text[at-1]) || !isSchemeCase(text[at:]) {
		return finding{}, false
	}
	start := schemeEnd(text, at)
	if start == at {
		return finding{}, false
	}
	end, isCode := start, false
	for ; end < len(text) && (isAlphanumeric(text[end]) || strings.IndexByte("._~+/=:-", text[end]) >= 0); end++ {
		c := text[end]
		isCode = isCode || isDigit(c) || c == '=' || end > start && isUpper(c)
	}
	return finding{start, end, Redacted}, end-start >= 6 && isCode
}

// isSchemeCase reports whether the scheme is written in one of the usual ways: Bearer, bearer, BEARER.
func isSchemeCase(text string) bool {
	for _, rest := range [...]string{"earer", "asic", "EARER", "ASIC"} {
		if strings.HasPrefix(text[1:], rest) {
			return true
		}
	}
	return false
}
