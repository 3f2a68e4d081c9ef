package encode

import "github.com/datacat/datacat/clients/go/v2/internal/secrets"

// AppendTexts writes a list of texts with their secrets replaced.
func AppendTexts(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, text := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendString(b, secrets.Clean(text))
	}
	return append(b, ']')
}

// appendItems is AppendTexts for a list that may be pairs of names and values.
func appendItems(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, text := range list {
		if i > 0 {
			b = append(b, ',')
			if secrets.IsPair(list[i-1], text, i, len(list)) {
				text = secrets.Redacted
			}
		}
		b = AppendString(b, secrets.Clean(text))
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
	return isName && isText && secrets.IsPair(name, value, i, len(list))
}

// nameOfPair is the class of the name in `{"name": "password", "value": "x"}`.
func nameOfPair(data map[string]any) secrets.Class {
	for _, value := range [...]string{"value", "Value", "val"} {
		if _, ok := data[value]; !ok {
			continue
		}
		for _, key := range [...]string{"name", "key", "header", "field", "Name", "Key"} {
			if name, ok := data[key].(string); ok {
				return secrets.ClassOfItem(name)
			}
		}
		break
	}
	return secrets.OrdinaryName
}

func nameOfFields(object Object) secrets.Class {
	for _, field := range object {
		if name, ok := field.Value.(string); ok && secrets.IsNameKey(field.Key) {
			return secrets.ClassOfItem(name)
		}
	}
	return secrets.OrdinaryName
}
