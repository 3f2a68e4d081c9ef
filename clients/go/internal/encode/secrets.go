package encode

import (
	"regexp"
	"sort"
	"strings"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// mark is what all marks begin with: what begins with it has been redacted.
const mark = "[redacted"

// prefixRule is a key or token with the prefix of its issuer. The same rules are in src/core/secrets/prefixes.ts.
type prefixRule struct {
	prefix, kind, characters string
	least, most              int // how many characters follow; no most is 0
	trigger                  int // where in the prefix the character is that candidates are found by
	allowed                  [256]bool
}

var (
	prefixRules   = builtInRules()
	rulesByByte   [256][]*prefixRule
	candidateByte [256]bool
	ownNames      = map[string]bool{}
)

func init() {
	for _, c := range []byte(":=%JBb-0123456789") {
		candidateByte[c] = true
	}
	for i := range prefixRules {
		addRule(&prefixRules[i])
	}
}

func addRule(rule *prefixRule) {
	rule.trigger = strings.IndexByte(rule.prefix, 'I')
	if rule.trigger <= 0 {
		rule.trigger = len(rule.prefix) - 1
	}
	for c := range rule.allowed {
		rule.allowed[c] = isIn(byte(c), rule.characters)
	}
	c := rule.prefix[rule.trigger]
	rulesByByte[c] = append(rulesByByte[c], rule)
	candidateByte[c] = true
}

// isIn reports whether a character is in a class such as "A-Za-z0-9_-".
func isIn(c byte, class string) bool {
	for i := 0; i < len(class); i++ {
		if i+2 < len(class) && class[i+1] == '-' {
			if c >= class[i] && c <= class[i+2] {
				return true
			}
			i += 2
		} else if c == class[i] {
			return true
		}
	}
	return false
}

const identifierCharacters = "A-Za-z0-9_-"

func builtInRules() (rules []prefixRule) {
	add := func(kind, characters string, least, most int, prefixes string) {
		for _, prefix := range strings.Fields(prefixes) {
			rules = append(rules, prefixRule{prefix: prefix, kind: kind, characters: characters, least: least, most: most})
		}
	}
	add("aws", "A-Z0-9", 16, 16, "AKIA ASIA")
	add("github", "A-Za-z0-9", 20, 0, "ghp_ gho_ ghu_ ghs_ ghr_")
	add("github", "A-Za-z0-9_", 20, 0, "github_pat_")
	add("gitlab", identifierCharacters, 16, 0, "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- gloas-")
	add("slack", identifierCharacters, 8, 0, "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xapp-")
	add("stripe", "A-Za-z0-9", 10, 0, "sk_live_ sk_test_ rk_live_ rk_test_ whsec_")
	add("google", identifierCharacters, 35, 35, "AIza")
	add("google", "."+identifierCharacters, 20, 0, "ya29.")
	add("google", identifierCharacters, 20, 0, "GOCSPX-")
	add("npm", "A-Za-z0-9", 30, 0, "npm_")
	add("pypi", identifierCharacters, 32, 0, "pypi-")
	add("openai", identifierCharacters, 20, 0, "sk-proj- sk-svcacct- sk-admin-")
	add("anthropic", identifierCharacters, 20, 0, "sk-ant-")
	add("huggingface", "A-Za-z0-9", 30, 0, "hf_")
	add("digitalocean", "a-f0-9", 40, 0, "dop_v1_ doo_v1_ dor_v1_")
	add("sendgrid", "."+identifierCharacters, 40, 0, "SG.")
	add("shopify", "A-Fa-f0-9", 32, 0, "shpat_ shpca_ shppa_ shpss_")
	add("docker", identifierCharacters, 20, 0, "dckr_pat_")
	add("datacat", "."+identifierCharacters, 40, 0, "dc_ingest_ dc_read_ dc_admin_")
	return rules
}

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
	case '-':
		return true
	default:
		if isDigit(c) {
			return at+8 < len(text) && isDigit(text[at+1]) && isDigit(text[at+2]) && isDigit(text[at+3]) && len(rulesByByte[c]) == 0 ||
				len(rulesByByte[c]) > 0
		}
	}
	return true
}

func findings(text string, from int) (found []finding) {
	end, hasAWS := 0, false
	lastSign := strings.LastIndexByte(text, '@')
	stem := -1 - limits.MaxNameDistance                                       // where the last part of a secret's name begins
	for at := maximum(0, from-limits.MaxNameDistance); at < len(text); at++ { // a name begins before the candidate
		c := text[at]
		if at+2 < len(text) && firstOfStem[c]&secondOfStem[text[at+1]]&thirdOfStem[text[at+2]] != 0 {
			stem = at
		}
		if !candidateByte[c] || at < end || !isCandidate(text, at) {
			continue
		}
		if (c == '=' || c == ':') && at > stem+limits.MaxNameDistance && !(c == ':' && at < lastSign) {
			continue // no secret's name is before it, and it is not that of a login
		}
		if each, ok := examine(text, at); ok && each.start >= end {
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

// Each name of a secret (names.go) contains one of these, unless a separator divides it in an unusual way (`p_assword`). A table has, for
// each byte, the stems that it may be the first (second, third) of, one bit each.
var firstOfStem, secondOfStem, thirdOfStem [256]uint64

func init() {
	for i, stem := range strings.Fields("auth bearer card conn cookie credential cvc cvv database db dsn jwt key otp pass pem pin pw secret " +
		"security sig ssn token") {
		addStem(stem, 1<<uint(i))
	}
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
		if found, ok := named(text, at, at+1); ok {
			return found, true
		}
		return login(text, at)
	case '=':
		return named(text, at, at+1)
	case '%':
		switch {
		case at+2 < len(text) && text[at+1] == '3' && (text[at+2] == 'D' || text[at+2] == 'd'):
			return named(text, at, at+3)
		case at+8 < len(text) && strings.EqualFold(text[at:at+9], "%3A%2F%2F"):
			return urlLogin(text, at+9, "%3A", "%40")
		}
		return finding{}, false
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

func prefixed(text string, at int) (finding, bool) {
	for _, rule := range rulesByByte[text[at]] {
		start := at - rule.trigger
		if start < 0 || !strings.HasPrefix(text[start:], rule.prefix) || start > 0 && isAlphanumeric(text[start-1]) {
			continue
		}
		from := start + len(rule.prefix)
		end := from
		for end < len(text) && rule.allowed[text[end]] && (rule.most == 0 || end-from <= rule.most) {
			end++
		}
		if end-from >= rule.least && (rule.most == 0 || end-from <= rule.most) {
			return finding{start, end, mark + ":" + rule.kind + "]"}, true
		}
	}
	return finding{}, false
}

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
	return finding{start, end, redacted}, end-start >= 6 && isCode
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

func skipBlanks(text string, at int) int {
	for end := at + 4; at < len(text) && at < end && (text[at] == ' ' || text[at] == '\t'); {
		at++
	}
	return at
}

// keyed is the finding of a value that is a secret by its name or its place.
func keyed(text string, start, end int) (finding, bool) {
	return finding{start, end, redacted}, end > start && !strings.HasPrefix(text[start:], mark)
}

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

// isDigits reports whether there is nothing but digits; the empty text has nothing else.
func isDigits(text string) bool { return strings.Trim(text, "0123456789") == "" }

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
	start, end, _ := nameBefore(text, at)
	if end != at || start == at || noUser[strings.ToLower(text[start:at])] {
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

func isNameByte(c byte) bool { return isAlphanumeric(c) || c == '_' || c == '.' || c == '-' }

// nameBefore is the name that ends before at, behind a closing quote or bracket and blanks.
func nameBefore(text string, at int) (start, end int, isQuoted bool) {
	end = at
	for end > 0 && end > at-2 && (text[end-1] == ' ' || text[end-1] == '\t') {
		end--
	}
	if end > 0 && text[end-1] == ']' {
		end--
	}
	if end > 0 && (text[end-1] == '"' || text[end-1] == '\'') {
		isQuoted = true
		end--
		for end > 0 && end > at-8 && text[end-1] == '\\' {
			end--
		}
	}
	start = end
	for start > 0 && start > at-limits.MaxNameDistance && isNameByte(text[start-1]) {
		start--
	}
	return start, end, isQuoted
}

func named(text string, at, from int) (finding, bool) {
	start, end, isQuoted := nameBefore(text, at)
	if start == end {
		return finding{}, false
	}
	name := text[start:end]
	before := byte(0)
	if start > 0 {
		before = text[start-1]
	}
	isQuery := before == '?' || before == '&' || before == '#'
	class := classOf(name)
	if name[0] == '-' {
		class = optionClass(name)
	}
	isProse := class == ordinaryName && strings.EqualFold(name, "key")
	if class == ordinaryName && isQuery && isQueryName(strings.ToLower(name)) {
		class = textName
	}
	if class == ordinaryName || text[at] == ':' && isPosition(text[from:], name) {
		return finding{}, false
	}
	value := from
	if value < len(text) && (text[value] == '=' || text[value] == '>') {
		value++
	}
	blanks := value
	value = skipBlanks(text, value)
	if isHeader(name) && !isQuery {
		return header(text, value, before)
	}
	isProse = isProse || value > blanks && text[at] == ':' && !isQuoted && class != anyName
	return valueAt(text, value, class, isQuery, isProse)
}

// sourceFiles are the extensions of names that a line's number follows: auth.go:12.
var sourceFiles = setOf(".js .mjs .cjs .ts .mts .cts .jsx .mjsx .cjsx .tsx .mtsx .ctsx .py .go .rs .rb .java .kt .c .cc .cpp .h .cs .php .vue")

// isPosition reports whether a line and a column follow, as in a stack: auth.ts:12:5.
func isPosition(text, name string) bool {
	if text == "" || !isDigit(text[0]) {
		return false
	}
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 && sourceFiles[strings.ToLower(name[dot:])] {
		return true
	}
	rest := strings.TrimLeft(text, "0123456789")
	if rest == "" || rest[0] != ':' || len(rest) == 1 || !isDigit(rest[1]) {
		return false
	}
	rest = strings.TrimLeft(rest[1:], "0123456789")
	return rest == "" || !isAlphanumeric(rest[0]) && strings.IndexByte("_@:.", rest[0]) < 0
}

func isQueryName(name string) bool {
	return name == "key" || name == "sig" || name == "signature" || strings.HasSuffix(name, "-signature") || strings.HasSuffix(name, "_signature")
}

// unquotedEnd is where a value without quotes ends.
func unquotedEnd(text string, start int) int {
	for at := start; at < len(text); at++ {
		switch text[at] {
		case ' ', '\t', '\r', '\n', ';', '&', '"', '\'', '`', '<', '>', '|', ',':
			return at
		case '\\':
			if at+1 < len(text) && strings.IndexByte("nrt\"'\\", text[at+1]) >= 0 {
				return at
			}
		case '%':
			if strings.HasPrefix(text[at:], "%26") {
				return at
			}
		}
	}
	return len(text)
}

var literals = setOf("null none nil undefined true false string str bearer required")

func isLiteral(value string) bool { return len(value) <= 9 && literals[strings.ToLower(value)] }

func valueAt(text string, at int, class nameClass, isQuery, isProse bool) (finding, bool) {
	start := at
	if at+1 < len(text) && strings.IndexByte("bBfFrRuU", text[at]) >= 0 && (text[at+1] == '"' || text[at+1] == '\'') {
		start++
	}
	if strings.HasPrefix(text[start:], mark) {
		return finding{}, false
	}
	if from, to, ok := quotedAt(text, start); ok {
		if class == countName && isNumber(text[from:to]) || class != anyName && !hasAlphanumeric(text[from:to]) {
			return finding{}, false
		}
		return keyed(text, from, to)
	}
	if start < len(text) && (text[start] == '[' || text[start] == '{') {
		end := bracketEnd(text, start)
		if !hasAlphanumeric(text[start:end]) {
			return finding{}, false
		}
		return keyed(text, start, end)
	}
	end := unquotedEnd(text, start)
	if isQuery {
		end = start + len(upToAny(text[start:end], "#"))
	}
	for end > start && isUnopened(text[start:end]) {
		end--
	}
	value := text[start:end]
	if isLiteral(value) || class != anyName && isNumber(value) {
		return finding{}, false
	}
	if _, isLong := CutText(value, 15); isProse && !isLong && !strings.ContainsAny(value, "0123456789") {
		return finding{}, false
	}
	return keyed(text, start, end)
}

// isNumber reports whether a text is digits, with a decimal point at most.
func isNumber(text string) bool {
	whole, fraction, hasPoint := strings.Cut(text, ".")
	return whole != "" && isDigits(whole) && (!hasPoint || fraction != "" && isDigits(fraction))
}

func hasAlphanumeric(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < 0x80 && isAlphanumeric(byte(r)) }) >= 0
}

// isUnopened reports whether a value ends with a bracket that it did not open: `(password=x)`.
func isUnopened(value string) bool {
	closer := strings.IndexByte(")]}>", value[len(value)-1])
	return closer >= 0 && strings.IndexByte(value, "([{<"[closer]) < 0
}

// quotedAt is the inside of a quoted value. In JSON within JSON the quotes have backslashes. Without a closing quote it was cut.
func quotedAt(text string, at int) (start, end int, ok bool) {
	quote := at
	for quote < at+8 && quote < len(text) && text[quote] == '\\' {
		quote++
	}
	if quote == len(text) || text[quote] != '"' && text[quote] != '\'' && text[quote] != '`' {
		return 0, 0, false
	}
	escapes, start, before := quote-at, quote+1, 0
	for end = start; end < len(text); end++ {
		if text[end] == '\\' {
			before++
			continue
		}
		if text[end] == text[quote] && (before <= escapes || escapes == 0 && before%2 == 0) {
			return start, end - before, true
		}
		before = 0
	}
	return start, len(text), true
}

func bracketEnd(text string, start int) int {
	depth := 0
	for at := start; at < len(text); at++ {
		switch text[at] {
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return at + 1
			}
		}
	}
	return len(text)
}

func header(text string, at int, before byte) (finding, bool) {
	if strings.HasPrefix(text[at:], mark) {
		return finding{}, false
	}
	_, _, isQuoted := quotedAt(text, at)
	if isQuoted || at < len(text) && (text[at] == '[' || text[at] == '{') {
		return valueAt(text, at, anyName, false, false)
	}
	scheme := schemeEnd(text, at)
	if strings.HasPrefix(text[scheme:], mark) {
		return finding{}, false
	}
	end := 0
	switch {
	case before == '"' || before == '\'' || before == '`':
		end = lineEnd(text, at, before)
	case scheme > at:
		end = unquotedEnd(text, scheme)
	default:
		end = lineEnd(text, at, 0)
	}
	if isLiteral(text[at:end]) {
		return finding{}, false
	}
	return keyed(text, at, end)
}

// lineEnd is the end of the line, also of an escaped one, or the quote, if there is one.
func lineEnd(text string, start int, quote byte) int {
	for at := start; at < len(text); at++ {
		c := text[at]
		if c == '\r' || c == '\n' || quote != 0 && c == quote {
			return at
		}
		if c == '\\' && at+1 < len(text) {
			if next := text[at+1]; next == 'r' || next == 'n' || quote != 0 && next == quote {
				return at
			}
		}
	}
	return len(text)
}

func option(text string, at int) (finding, bool) {
	if at > 0 && (isAlphanumeric(text[at-1]) || text[at-1] == '_' || text[at-1] == '-') {
		return finding{}, false
	}
	letter := at + 1
	if letter < len(text) && text[letter] == '-' {
		letter++
	}
	if letter >= len(text) || !isAlphanumeric(text[letter]) || isDigit(text[letter]) {
		return finding{}, false
	}
	end := at
	for end < len(text) && end < at+limits.MaxNameDistance && isNameByte(text[end]) {
		end++
	}
	name := text[at:end]
	value := skipBlanks(text, end)
	before := text[maximum(0, at-limits.MaxCommandDistance):at]
	if len(name) > 2 && isPasswordOption(before, name[:2], true) {
		return valueAt(text, at+2, anyName, false, false)
	}
	if value == end || value == len(text) || text[value] == '-' {
		return finding{}, false
	}
	if userOptions[name] {
		from, to, ok := quotedAt(text, value)
		if !ok {
			from, to = value, unquotedEnd(text, value)
		}
		user := userOf(name, text[from:to])
		if user == "" {
			return finding{}, false
		}
		return keyed(text, from+len(user), to)
	}
	if isPasswordOption(before, name, false) {
		return valueAt(text, value, anyName, false, false)
	}
	class := optionClass(name)
	switch {
	case class == ordinaryName:
		return finding{}, false
	case isHeader(name):
		return header(text, value, 0)
	}
	return valueAt(text, value, class, false, false)
}

var userOptions = map[string]bool{"-u": true, "-U": true, "--user": true, "--proxy-user": true}

// userOf is `user:` of the argument `user:password` of `-u`, and empty for the group of `-u 1000:1000`.
func userOf(option, value string) string {
	user, password, ok := strings.Cut(value, ":")
	if !userOptions[option] || !ok || isDigits(password) || strings.HasPrefix(password, mark) {
		return ""
	}
	return user + ":"
}

// passwordOptions are the short options that are a password's in certain commands. The same list is in src/core/secrets/programs.ts.
var passwordOptions = []struct {
	program              *regexp.Regexp
	option               string
	isAttached, isSingle bool
}{
	{regexp.MustCompile(`\bsshpass[ \t]+$`), "-p", true, true},
	{regexp.MustCompile(`\b(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump)\b`), "-p", true, false},
	{regexp.MustCompile(`\b7z[ar]?\b`), "-p", true, false},
	{regexp.MustCompile(`\blogin\b`), "-p", false, true},
	{regexp.MustCompile(`\bmongo(?:sh|dump|restore|export|import)?\b`), "-p", false, true},
	{regexp.MustCompile(`\bredis-cli\b`), "-a", false, true},
	{regexp.MustCompile(`\b(?:zip|unzip|sqlcmd|bcp)\b`), "-P", false, true},
	{regexp.MustCompile(`\bldap(?:search|add|modify|delete|whoami|passwd)\b`), "-w", true, true},
}

func isPasswordOption(before, option string, isAttached bool) bool {
	for _, each := range passwordOptions {
		if each.option == option && (isAttached && each.isAttached || !isAttached && each.isSingle) && each.program.MatchString(before) {
			return true
		}
	}
	return false
}

func minimum(a, b int) int {
	if a < b {
		return a
	}
	return b
}

func maximum(a, b int) int {
	if a > b {
		return a
	}
	return b
}
