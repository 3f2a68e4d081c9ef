package secrets

import (
	"regexp"
	"strings"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

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
		return valueAt(text, at+2, AnyName, use{})
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
		return valueAt(text, value, AnyName, use{})
	}
	class := optionClass(name)
	switch {
	case class == OrdinaryName:
		return finding{}, false
	case isHeader(name):
		return header(text, value, 0)
	}
	return valueAt(text, value, class, use{})
}

var userOptions = map[string]bool{"-u": true, "-U": true, "--user": true, "--proxy-user": true}

// userOf is `user:` of the argument `user:password` of `-u`, and empty for the group of `-u 1000:1000`.
func userOf(option, value string) string {
	user, password, ok := strings.Cut(value, ":")
	if !userOptions[option] || !ok || isDigits(password) || strings.HasPrefix(password, Mark) {
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
	{regexp.MustCompile(`\bcurl\b`), "-b", false, true},
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
