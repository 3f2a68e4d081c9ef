package encode

import (
	"strings"

	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

// redacted is written in place of a secret.
const redacted = "[redacted]"

// RedactArguments copies a command line with each secret replaced: `--token=abc`, `--password abc`, `-u user:abc`, `API_KEY=abc`.
func RedactArguments(arguments []string) []string {
	clean := make([]string, len(arguments))
	for i, argument := range arguments {
		clean[i] = cleanArgument(argument, arguments[maximum(0, i-limits.MaxArgumentsBefore):i])
	}
	return clean
}

func cleanArgument(argument string, before []string) string {
	if strings.HasPrefix(argument, mark) {
		return argument
	}
	if len(before) > 0 && !strings.HasPrefix(argument, "-") {
		option := before[len(before)-1]
		if strings.HasPrefix(option, "-") && !strings.Contains(option, "=") && argument != "" {
			if isHiddenText(optionClass(option), argument) || isPasswordOption(strings.Join(before[:len(before)-1], " ")+" ", option, false) {
				return redacted
			}
			if user := userOf(option, argument); user != "" {
				return user + redacted
			}
		}
	}
	if len(argument) > 2 && argument[0] == '-' && isPasswordOption(strings.Join(before, " ")+" ", argument[:2], true) {
		if strings.HasPrefix(argument[2:], mark) {
			return argument
		}
		return argument[:2] + redacted
	}
	name, value, _ := strings.Cut(argument, "=")
	if value != "" && isPlainName(name) && isHiddenText(argumentClass(name), value) {
		if strings.HasPrefix(value, mark) {
			return argument
		}
		return name + "=" + redacted
	}
	return Clean(argument)
}

func argumentClass(name string) nameClass {
	if strings.HasPrefix(name, "-") {
		return optionClass(name)
	}
	return classOf(name)
}

// isHiddenText reports whether an argument is redacted. Digits in a command line are a number.
func isHiddenText(class nameClass, argument string) bool {
	if isNumber(argument) {
		return class == anyName
	}
	return class != ordinaryName
}

func isPlainName(name string) bool {
	for i := 0; i < len(name); i++ {
		if !isNameByte(name[i]) {
			return false
		}
	}
	return name != ""
}

// Clean is a text with its secrets replaced. It reads a text without candidates once.
func Clean(text string) string {
	for i := 0; i < len(text); i++ {
		if candidateByte[text[i]] && isCandidate(text, i) {
			return redactFrom(text, i)
		}
	}
	return text
}

// AppendTexts writes a list of texts with their secrets replaced.
func AppendTexts(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, text := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendString(b, Clean(text))
	}
	return append(b, ']')
}

// appendItems is AppendTexts for a list that may be pairs of names and values.
func appendItems(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, text := range list {
		if i > 0 {
			b = append(b, ',')
			if isPair(list[i-1], text, i, len(list)) {
				text = redacted
			}
		}
		b = AppendString(b, Clean(text))
	}
	return append(b, ']')
}

// isValueOfItem reports whether the item before names this one: `["--password", "x"]`, `["Authorization", "x"]`.
func isValueOfItem(list []any, i int) bool {
	if i == 0 {
		return false
	}
	name, isName := list[i-1].(string)
	value, isText := list[i].(string)
	return isName && isText && isPair(name, value, i, len(list))
}

func isPair(name, value string, i, length int) bool {
	if len(name) > limits.MaxItemName || value == "" || strings.HasPrefix(value, mark) {
		return false
	}
	if letter := strings.TrimPrefix(strings.TrimPrefix(name, "-"), "-"); letter != name && letter != "" && value[0] != '-' &&
		isAlphanumeric(letter[0]) && !isDigit(letter[0]) && !strings.Contains(name, "=") {
		return isHiddenText(optionClass(name), value)
	}
	if length != 2 && !(i%2 == 1 && length%2 == 0 && isHeader(name)) || !isPlainName(name) {
		return false
	}
	class := classOf(name)
	return class != ordinaryName && !(class == countName && isNumber(value))
}

func isNameKey(key string) bool {
	switch key {
	case "name", "key", "header", "field", "Name", "Key":
		return true
	}
	return false
}

func isValueKey(key string) bool { return key == "value" || key == "Value" || key == "val" }

// nameOfPair is the class of the name in `{"name": "password", "value": "x"}`.
func nameOfPair(data map[string]any) nameClass {
	for _, value := range [...]string{"value", "Value", "val"} {
		if _, ok := data[value]; !ok {
			continue
		}
		for _, key := range [...]string{"name", "key", "header", "field", "Name", "Key"} {
			if name, ok := data[key].(string); ok {
				return classOfItem(name)
			}
		}
		break
	}
	return ordinaryName
}

func nameOfFields(object Object) nameClass {
	for _, field := range object {
		if name, ok := field.Value.(string); ok && isNameKey(field.Key) {
			return classOfItem(name)
		}
	}
	return ordinaryName
}

func classOfItem(name string) nameClass {
	if len(name) > limits.MaxItemName {
		return ordinaryName
	}
	return classOf(name)
}
