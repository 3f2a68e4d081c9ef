package secrets

import "strings"

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
	for _, c := range []byte(":=%JBb-<Vvm0123456789") {
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
	add("slack", "/"+identifierCharacters, 20, 0, "hooks.slack.com/services/ hooks.slack.com/workflows/ hooks.slack.com/triggers/")
	add("discord", "/"+identifierCharacters, 20, 0, "discord.com/api/webhooks/ discordapp.com/api/webhooks/")
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
			return finding{start, end, Mark + ":" + rule.kind + "]"}, true
		}
	}
	return finding{}, false
}
