package secrets

import (
	"sort"
	"strings"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// Mark is what all marks begin with: what begins with it has been redacted.
const Mark = "[redacted"

// finding is a part of a text that is a secret, and what replaces it.
type finding struct {
	start, end int
	mark       string
}

// redactFrom replaces each secret in a text by a mark. It returns the text itself where there is none. No candidate is before from.
func redactFrom(text string, from int) string {
	for pass := 0; pass < limits.MaxPasses; pass++ { // behind a mark another secret may begin that was part of a longer name
		found := findings(text, from)
		from = 0
		if len(found) == 0 {
			return text
		}
		var clean strings.Builder
		at := 0
		for _, each := range found {
			clean.WriteString(text[at:each.start])
			clean.WriteString(each.mark)
			at = each.end
		}
		clean.WriteString(text[at:])
		text = clean.String()
	}
	return text
}

// isCandidate is a first comparison of what stands around a character. Most candidates end here.
func isCandidate(text string, at int) bool {
	switch c := text[at]; c {
	case 'b', 'B':
		return at+1 < len(text) && (text[at+1] == 'e' || text[at+1] == 'a' || text[at+1] == 'E' || text[at+1] == 'A')
	case 'J':
		return at >= 2 && text[at-1] == 'y'
	case '%':
		return at+1 < len(text) && text[at+1] == '3'
	case 'V', 'v': // ENV, setenv
		return at > 0 && (text[at-1] == 'N' || text[at-1] == 'n') && at+1 < len(text) && (text[at+1] == ' ' || text[at+1] == '\t')
	case 'm':
		return strings.HasPrefix(text[at:], "machine")
	case '-', '<':
		return true
	default:
		if isDigit(c) {
			return at+8 < len(text) && isDigit(text[at+1]) && isDigit(text[at+2]) && isDigit(text[at+3]) && len(rulesByByte[c]) == 0 ||
				len(rulesByByte[c]) > 0
		}
	}
	return true
}

// findings are the secrets in a text, in order.
func findings(text string, from int) (found []finding) {
	end, nameEnd, hasAWS := 0, 0, false
	lastSign := strings.LastIndexByte(text, '@')
	for at := maximum(0, from-limits.MaxNameDistance); at < len(text); at++ { // a name begins before the candidate
		c := text[at]
		isName := at >= nameEnd && at+2 < len(text) && firstOfStem[c]&secondOfStem[text[at+1]]&thirdOfStem[text[at+2]] != 0
		if at < end || !isName && !candidateByte[c] {
			continue
		}
		var each finding
		ok := candidateByte[c] && isCandidate(text, at) && (c != ':' || at < lastSign)
		if ok {
			each, ok = examine(text, at)
		}
		if !ok && isName && isStem(text, at) {
			for nameEnd = at; nameEnd < len(text) && isNameByte(text[nameEnd]); {
				nameEnd++
			}
			each, ok = nameAt(text, at, nameEnd)
		}
		if ok && each.start >= end {
			found = append(found, each)
			end = each.end
			hasAWS = hasAWS || each.mark == "[redacted:aws]"
		}
	}
	if hasAWS {
		found = withAWSSecrets(text, found)
	}
	return found
}

// stems are parts of names: each name of a secret (names.go) contains one of these, unless a separator divides it in an unusual way
// (`p_assword`). A table has, for each byte, the stems that it may be the first (second, third) of, one bit each.
var (
	stems = strings.Fields("auth bearer card conn cookie credential cvc cvv database db dsn jwt key laravel onid otp pass pem pin pw secret " +
		"security sig ssid ssn token")
	firstOfStem, secondOfStem, thirdOfStem [256]uint64
)

func init() {
	for i, stem := range stems {
		addStem(stem, 1<<uint(i))
	}
}

// isStem compares whole stems, where the tables have compared three bytes.
func isStem(text string, at int) bool {
	for _, stem := range stems {
		if len(text)-at >= len(stem) && strings.EqualFold(text[at:at+len(stem)], stem) {
			return true
		}
	}
	return false
}

func addStem(stem string, bit uint64) {
	for i, table := range [...]*[256]uint64{&firstOfStem, &secondOfStem, &thirdOfStem} {
		if i < len(stem) {
			table[stem[i]] |= bit
			table[strings.ToUpper(stem[i : i+1])[0]] |= bit
			continue
		}
		for c := range table {
			table[c] |= bit
		}
	}
}

// withAWSSecrets adds secret access keys, which have no prefix: 40 characters beside an access key id.
func withAWSSecrets(text string, found []finding) []finding {
	before := found
	next := 0
	for start := 0; start < len(text); {
		end := start
		var hasLower, hasUpper, hasDigit bool
		for end < len(text) && (isAlphanumeric(text[end]) || text[end] == '/' || text[end] == '+') {
			c := text[end]
			hasLower, hasUpper, hasDigit = hasLower || c >= 'a' && c <= 'z', hasUpper || isUpper(c), hasDigit || isDigit(c)
			end++
		}
		if end-start == 40 && hasLower && hasUpper && hasDigit {
			for next < len(before) && before[next].end <= start {
				next++
			}
			if next == len(before) || before[next].start >= end {
				found = append(found, finding{start, end, "[redacted:aws]"})
			}
		}
		start = end + 1
	}
	sort.Slice(found, func(i, j int) bool { return found[i].start < found[j].start })
	return found
}

// examine is the finding at a candidate.
func examine(text string, at int) (finding, bool) {
	switch c := text[at]; c {
	case ':':
		if strings.HasPrefix(text[at+1:], "//") {
			return urlLogin(text, at+3, ":", "@")
		}
		return login(text, at)
	case '%':
		if at+8 < len(text) && strings.EqualFold(text[at:at+9], "%3A%2F%2F") {
			return urlLogin(text, at+9, "%3A", "%40")
		}
	case 'J':
		if at >= 2 && text[at-2:at] == "ey" {
			return jwt(text, at-2)
		}
		return finding{}, false
	case 'B', 'b':
		if strings.HasPrefix(text[at:], "BEGIN ") && at >= 5 && text[at-5:at] == "-----" {
			return pem(text, at-5)
		}
		return scheme(text, at)
	case '-':
		if found, ok := option(text, at); ok {
			return found, true
		}
	default:
		if isDigit(c) {
			if end := cardEnd(text, at); end > 0 {
				return finding{at, end, "[redacted:card]"}, true
			}
		}
	}
	return prefixed(text, at)
}

// keyed is the finding of a value that is a secret by its name or its place.
func keyed(text string, start, end int) (finding, bool) {
	return finding{start, end, Redacted}, end > start && !strings.HasPrefix(text[start:], Mark)
}
