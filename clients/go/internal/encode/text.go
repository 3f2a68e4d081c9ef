package encode

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// AppendString writes a JSON string. Only `"`, `\` and control characters are escaped; everything else is raw UTF-8.
// Each invalid byte, and each surrogate encoded as UTF-8, becomes U+FFFD.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	b = appendEscaped(b, s)
	return append(b, '"')
}

func appendEscaped(b []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
			b = append(b, s[start:i]...)
			b = append(b, "\uFFFD"...)
			i += surrogateLength(s[i:])
			start = i
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\t':
			b = append(b, '\\', 't')
		case '\n':
			b = append(b, '\\', 'n')
		case '\f':
			b = append(b, '\\', 'f')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(b, s[start:]...)
}

// surrogateLength is 3 where s begins with a surrogate encoded as UTF-8 (WTF-8 allows these, UTF-8 does not), else 1.
func surrogateLength(s string) int {
	if len(s) >= 3 && s[0] == 0xED && s[1] >= 0xA0 && s[1] <= 0xBF && s[2] >= 0x80 && s[2] <= 0xBF {
		return 3
	}
	return 1
}

// AppendStrings writes a list of strings.
func AppendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendString(b, s)
	}
	return append(b, ']')
}

// CutText cuts text after a whole character, so that at most units UTF-16 code units are left. The server counts in these.
func CutText(s string, units int) (kept string, isCut bool) {
	if len(s) <= units {
		return s, false
	}
	for i, character := range s {
		units--
		if character >= 0x10000 {
			units--
		}
		if units < 0 {
			return s[:i], true
		}
	}
	return s, false
}
