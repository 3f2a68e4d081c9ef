package secrets

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
)

// ownRules are the rules of DATACAT_REDACT (clients/README.md, "Secrets"). A setting that is wrong is not used at all.
type ownRules struct {
	Prefixes []struct {
		Prefix, Kind, Characters string
		Least                    int
	}
	Names []string
	Keep  []string // paths whose values stay: `data.token_kind`, `state.auth`
}

var ownCharacters = map[string]string{
	"digits": "0-9", "hex": "A-Fa-f0-9", "letters_and_digits": "A-Za-z0-9", "identifier": identifierCharacters, "base64": "A-Za-z0-9+/=_-",
}

var (
	ownPrefix = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,32}$`)
	ownKind   = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
)

const (
	maxOwnRules = 50
	maxLeast    = 256
	maxPath     = 1000
)

func init() { useRules(os.Getenv("DATACAT_REDACT")) }

func useRules(setting string) {
	var own ownRules
	decoder := json.NewDecoder(bytes.NewReader([]byte(setting)))
	decoder.DisallowUnknownFields()
	if setting == "" || decoder.Decode(&own) != nil || len(own.Prefixes) > maxOwnRules || len(own.Names) > maxOwnRules || len(own.Keep) > maxOwnRules {
		return
	}
	for _, path := range own.Keep {
		if path == "" || len(path) > maxPath {
			return
		}
	}
	var rules []prefixRule
	for _, each := range own.Prefixes {
		rule := prefixRule{prefix: each.Prefix, kind: each.Kind, characters: "identifier", least: each.Least}
		if each.Characters != "" {
			rule.characters = each.Characters
		}
		if rule.kind == "" {
			rule.kind = "own"
		}
		if rule.least == 0 {
			rule.least = 8
		}
		rule.characters = ownCharacters[rule.characters]
		if !ownPrefix.MatchString(rule.prefix) || !ownKind.MatchString(rule.kind) || rule.characters == "" || rule.least < 1 || rule.least > maxLeast {
			return
		}
		rules = append(rules, rule)
	}
	for i := range rules {
		addRule(&rules[i])
	}
	for _, name := range own.Names {
		ownNames[strings.ToLower(name)] = true
		stems = append(stems, strings.ToLower(name))
		addStem(strings.ToLower(name), 1<<63)
	}
	for _, path := range own.Keep {
		keep[path] = true
	}
}

var keep = map[string]bool{}

// HasExceptions reports whether there are paths whose values stay.
func HasExceptions() bool { return len(keep) > 0 }

// Keeps reports whether the value at a path stays, with all that it contains.
func Keeps(path string) bool { return keep[path] }
