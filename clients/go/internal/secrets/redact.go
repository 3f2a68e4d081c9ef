package secrets

import (
	"strings"
	"unicode/utf8"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// Redacted is written in place of a secret.
const Redacted = "[redacted]"

// Arguments copies a command line with each secret replaced: `--token=abc`, `--password abc`, `-u user:abc`, `API_KEY=abc`.
func Arguments(arguments []string) []string {
	clean := make([]string, len(arguments))
	for i, argument := range arguments {
		clean[i] = cleanArgument(argument, arguments[maximum(0, i-limits.MaxArgumentsBefore):i])
	}
	return clean
}

func cleanArgument(argument string, before []string) string {
	if strings.HasPrefix(argument, Mark) {
		return argument
	}
	if len(before) > 0 && !strings.HasPrefix(argument, "-") {
		option := before[len(before)-1]
		if strings.HasPrefix(option, "-") && !strings.Contains(option, "=") && argument != "" {
			if isHiddenText(optionClass(option), argument) || isPasswordOption(strings.Join(before[:len(before)-1], " ")+" ", option, false) {
				return Redacted
			}
			if user := userOf(option, argument); user != "" {
				return user + Redacted
			}
		}
	}
	if len(argument) > 2 && argument[0] == '-' && isPasswordOption(strings.Join(before, " ")+" ", argument[:2], true) {
		if strings.HasPrefix(argument[2:], Mark) {
			return argument
		}
		return argument[:2] + Redacted
	}
	name, value, _ := strings.Cut(argument, "=")
	if value != "" && isPlainName(name) && isHiddenText(argumentClass(name), value) {
		if strings.HasPrefix(value, Mark) {
			return argument
		}
		return name + "=" + Redacted
	}
	return Clean(argument)
}

func argumentClass(name string) Class {
	if strings.HasPrefix(name, "-") {
		return optionClass(name)
	}
	return ClassOf(name)
}

// isHiddenText reports whether an argument is redacted. Digits in a command line are a number.
func isHiddenText(class Class, argument string) bool {
	if IsNumber(argument) {
		return class >= AnyName
	}
	return IsHidden(class, argument)
}

func isPlainName(name string) bool {
	for i := 0; i < len(name); i++ {
		if !isNameByte(name[i]) {
			return false
		}
	}
	return name != ""
}

// Clean returns a text with its secrets replaced. It reads a text without candidates once.
func Clean(text string) string {
	for i := 0; i < len(text); i++ {
		if candidateByte[text[i]] && isCandidate(text, i) {
			return redactFrom(text, i)
		}
	}
	return text
}

// CleanUpTo is Clean for a text of an op that is cut if it has more than most bytes: of a longer text, only what may be stored is read.
func CleanUpTo(text string, most int) string {
	for read := limits.FirstRead; len(text) > most && read < len(text); read *= 2 {
		for read > 0 && !utf8.RuneStart(text[read]) {
			read--
		}
		clean := Clean(text[:read])
		if utf8.RuneCountInString(clean) >= limits.MinRead && len(clean)+len(text)-read > most {
			return clean + text[read:]
		}
	}
	return Clean(text)
}

// IsPair reports whether an item of a list is a secret by the item before it, its name.
func IsPair(name, value string, i, length int) bool {
	if len(name) > limits.MaxItemName || value == "" || strings.HasPrefix(value, Mark) {
		return false
	}
	if letter := strings.TrimPrefix(strings.TrimPrefix(name, "-"), "-"); letter != name && letter != "" && value[0] != '-' &&
		isAlphanumeric(letter[0]) && !isDigit(letter[0]) && !strings.Contains(name, "=") {
		return isHiddenText(optionClass(name), value)
	}
	if length != 2 && !(i%2 == 1 && length%2 == 0 && isHeader(name)) || !isPlainName(name) {
		return false
	}
	return IsHidden(ClassOf(name), value)
}

// IsNameKey reports whether a key is that of a name in a pair as `{"name": "password", "value": "x"}`, and IsValueKey that of the value.
func IsNameKey(key string) bool {
	switch key {
	case "name", "key", "header", "field", "Name", "Key":
		return true
	}
	return false
}

func IsValueKey(key string) bool { return key == "value" || key == "Value" || key == "val" }

// ClassOfItem is the class of a text that may be a name.
func ClassOfItem(name string) Class {
	if len(name) > limits.MaxItemName {
		return OrdinaryName
	}
	return ClassOf(name)
}
