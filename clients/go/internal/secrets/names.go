package secrets

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// Class is what a name states of its value. The same rules are in src/core/secrets/names.ts.
type Class byte

const (
	OrdinaryName Class = iota
	CountName          // a secret unless it is a number or digits
	TextName           // a secret unless it is a number or a boolean
	AnyName            // a secret
	FolderName         // a secret unless it is a path, which the variable PWD holds
)

// nameParts are parts of a name in lower case without separators, by their first letter.
var nameParts = [256][]struct {
	part  string
	class Class
}{
	'a': {{"authorization", AnyName}, {"apikey", AnyName}, {"accesskey", TextName}, {"accountkey", TextName}, {"authkey", TextName},
		{"activationkey", TextName}, {"aspsessionid", AnyName}, {"aspnetsessionid", AnyName}},
	'c': {{"cookie", AnyName}, {"credential", AnyName}, {"cardnumber", AnyName}, {"creditcard", AnyName}, {"connectionstring", TextName},
		{"connectionuri", TextName}, {"connstr", TextName}, {"connstring", TextName}, {"connectsid", AnyName}},
	'd': {{"databaseurl", TextName}, {"databaseuri", TextName}, {"dburl", TextName}, {"dburi", TextName}},
	'e': {{"encryptionkey", TextName}},
	'j': {{"jsessionid", AnyName}},
	'l': {{"licensekey", TextName}, {"licencekey", TextName}, {"laravelsession", AnyName}},
	'm': {{"masterkey", TextName}},
	'p': {{"password", AnyName}, {"passwd", AnyName}, {"passphrase", AnyName}, {"passcode", AnyName}, {"privatekey", AnyName}, {"pincode", AnyName},
		{"phpsessid", AnyName}},
	's': {{"secret", AnyName}, {"sessionkey", AnyName}, {"securitycode", AnyName}, {"socialsecurity", AnyName}, {"sharedkey", TextName}, {"signingkey", TextName}},
	't': {{"token", TextName}},
}

// continuations make another name of a part: keyboard, passwordless, tokenizer, secretary, cookiecutter, key name.
var continuations = []string{"board", "stroke", "less", "iz", "ary", "aries", "ive", "cutter", "name"}

// nameTerms are too short to be looked for inside other names.
var nameTerms = map[string]Class{
	"pwd": AnyName, "otp": AnyName, "totp": AnyName, "pin": AnyName, "cvv": AnyName, "cvc": AnyName, "ssn": AnyName,
	"auth": TextName, "oauth": TextName, "bearer": TextName, "dsn": TextName, "pem": TextName, "jwt": TextName, "pw": TextName,
}

// passOwners are the terms after which `pass` is a password.
var passOwners = setOf("admin api auth basic db email ftp http imap key keystore ldap login mail mongo my mysql pg postgres proxy redis root " +
	"smtp ssh sudo user usr vault vpn wifi")

// countingTerms are the first or last terms of the names of numbers: max_tokens, pin_count.
var countingTerms = setOf("age attempts bits budget count counts expiry index input left length limit limits len max maximum min minimum " +
	"output remaining retries size total ttl usage used")

// aboutTerms are the last terms of names of settings: password_policy, cookie_consent.
var aboutTerms = setOf("banner consent policies policy strength")

// settings are values of settings: `credentials: include`, `cookies: enabled`.
var settings = setOf("disabled enabled include omit optional same-origin")

// optionNames hold a secret as an option of a command only.
var optionNames = setOf("pass passin passout requirepass masterauth")

func setOf(names string) map[string]bool {
	set := map[string]bool{}
	for _, name := range strings.Fields(names) {
		set[name] = true
	}
	return set
}

// knownNames is the cache of ClassOf. A program uses the same few names again and again. The map is replaced, never changed, so that
// reading it needs no lock.
var (
	knownNames   atomic.Pointer[map[string]Class]
	knownNamesMu sync.Mutex
)

func ClassOf(name string) Class {
	known := knownNames.Load()
	if known != nil {
		if class, ok := (*known)[name]; ok {
			return class
		}
	}
	if len(name) > limits.MaxSecretName {
		return classify(name[:limits.MaxSecretName])
	}
	class := classify(name)
	if ownNames[strings.ToLower(name)] {
		class = AnyName
	}
	if known == nil || len(*known) < limits.MaxCachedNames {
		remember(strings.Clone(name), class)
	}
	return class
}

func remember(name string, class Class) {
	knownNamesMu.Lock()
	defer knownNamesMu.Unlock()
	names := map[string]Class{name: class}
	if known := knownNames.Load(); known != nil {
		for each, own := range *known {
			names[each] = own
		}
	}
	knownNames.Store(&names)
}

// optionClass is the class of an option such as `--pass`.
func optionClass(option string) Class {
	name := strings.TrimLeft(option, "-")
	if optionNames[name] && len(option)-len(name) <= 2 {
		return AnyName
	}
	if class := ClassOf(option); class != OrdinaryName {
		return class
	}
	return ClassOf(name)
}

func classify(name string) Class {
	class := partClass(squash(name))
	terms := termsOf(name)
	for i := range terms {
		if own := termClass(terms, i); own > class {
			class = own
		}
	}
	if class == OrdinaryName || len(terms) > 0 && aboutTerms[terms[len(terms)-1]] {
		return OrdinaryName
	}
	if squashed := squash(name); squashed == "pwd" || squashed == "oldpwd" {
		return FolderName
	}
	if len(terms) > 0 && (countingTerms[terms[0]] || countingTerms[terms[len(terms)-1]]) {
		return CountName
	}
	return class
}

func partClass(name string) (class Class) {
	for i := range name {
		for _, each := range nameParts[name[i]] {
			if each.class > class && strings.HasPrefix(name[i:], each.part) && !continues(name[i+len(each.part):]) {
				class = each.class
			}
		}
	}
	return class
}

func continues(rest string) bool {
	for _, continuation := range continuations {
		if strings.HasPrefix(rest, continuation) {
			return true
		}
	}
	return false
}

func termClass(terms []string, i int) Class {
	name := strings.TrimRight(terms[i], "0123456789")
	if class, ok := nameTerms[name]; ok {
		return class
	}
	if singular := strings.TrimSuffix(name, "s"); singular != name && nameTerms[singular] != OrdinaryName {
		return TextName // a plural with a number is a count
	}
	owner := strings.TrimSuffix(name, "pass")
	if owner == name {
		return OrdinaryName
	}
	if owner == "" && i > 0 {
		owner = terms[i-1]
	}
	if passOwners[owner] {
		return TextName
	}
	return OrdinaryName
}

// IsHidden reports whether a text is redacted as the value of a name of this class.
func IsHidden(class Class, value string) bool {
	switch {
	case class == OrdinaryName || value == "" || len(value) <= maxSetting && settings[strings.ToLower(value)]:
		return false
	case class == CountName:
		return !IsNumber(value)
	case class == FolderName:
		return !isPath(value)
	}
	return true
}

const maxSetting = len("same-origin")

func isPath(value string) bool {
	return value[0] == '/' || value[0] == '~' ||
		len(value) > 2 && isAlphanumeric(value[0]) && !isDigit(value[0]) && value[1] == ':' && (value[2] == '/' || value[2] == '\\')
}

// isHeader reports whether the value of this name reaches to the end of the line.
func isHeader(name string) bool {
	name = squash(name)
	return strings.HasSuffix(name, "cookie") || strings.HasSuffix(name, "authorization")
}

// squash is a name in lower case, letters and digits of ASCII only.
func squash(name string) string {
	plain := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		if c := name[i]; isAlphanumeric(c) {
			plain = append(plain, lower(c))
		}
	}
	return string(plain)
}

// termsOf divides db_password, dbPassword, DBPassword, db-password. Letters outside ASCII belong to a term.
func termsOf(name string) (terms []string) {
	var term []byte
	end := func() {
		if len(term) > 0 {
			terms = append(terms, string(term))
			term = term[:0]
		}
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		if !isAlphanumeric(c) && c < 0x80 {
			end()
			continue
		}
		if isUpper(c) && i > 0 {
			before := name[i-1]
			isLast := isUpper(before) && i+1 < len(name) && name[i+1] >= 'a' && name[i+1] <= 'z'
			if before >= 'a' && before <= 'z' || isDigit(before) || isLast {
				end()
			}
		}
		term = append(term, lower(c))
	}
	end()
	return terms
}

func lower(c byte) byte {
	if isUpper(c) {
		return c + 'a' - 'A'
	}
	return c
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isAlphanumeric(c byte) bool {
	return isDigit(c) || isUpper(c) || c >= 'a' && c <= 'z'
}
