package secrets

// cardGroups are the sizes of the groups that follow a first group of four digits.
var cardGroups = [...][]int{{4, 4, 4, 3}, {4, 4, 4}, {6, 5}, {6, 4}}

// cardEnd is the end of the card number that begins at start: with the prefix and length of an issuer and a right check digit, in one
// piece or in the groups of a card. It is 0 if there is none.
func cardEnd(text string, start int) int {
	if start > 0 {
		before := text[start-1]
		if isAlphanumeric(before) || before == '_' || before == '.' || before == '-' && start > 1 && isDigit(text[start-2]) {
			return 0
		}
	}
	end := digitsEnd(text, start)
	if end-start != 4 {
		if end-start >= 13 && isCardEnd(text, end) && isCard(text[start:end]) {
			return end
		}
		return 0
	}
	if end == len(text) || text[end] != ' ' && text[end] != '-' {
		return 0
	}
	separator := text[end]
	var space [19]byte
	for _, sizes := range cardGroups {
		digits, at, isWhole := append(space[:0], text[start:end]...), end, true
		for _, size := range sizes {
			if at == len(text) || text[at] != separator || digitsEnd(text, at+1)-at-1 != size {
				isWhole = false
				break
			}
			digits = append(digits, text[at+1:at+1+size]...)
			at += 1 + size
		}
		if isWhole && isCardEnd(text, at) && isCard(string(digits)) {
			return at
		}
	}
	return 0
}

func digitsEnd(text string, at int) int {
	for at < len(text) && isDigit(text[at]) {
		at++
	}
	return at
}

// isCardEnd reports whether no longer number or name goes on here.
func isCardEnd(text string, at int) bool {
	if at >= len(text) {
		return true
	}
	c := text[at]
	return !isAlphanumeric(c) && c != '_' && !((c == '.' || c == '-') && at+1 < len(text) && isDigit(text[at+1]))
}

func isCard(digits string) bool {
	return len(digits) >= 13 && len(digits) <= 19 && isIssued(digits) && isChecked(digits)
}

// isIssued compares prefixes and lengths of ISO/IEC 7812 issuers.
func isIssued(digits string) bool {
	length := len(digits)
	number := func(size int) (n int) {
		for _, c := range digits[:size] {
			n = 10*n + int(c-'0')
		}
		return n
	}
	two, three, four := number(2), number(3), number(4)
	switch {
	case digits[0] == '4': // Visa
		return length == 13 || length == 16 || length == 19
	case two >= 51 && two <= 55 || four >= 2221 && four <= 2720: // Mastercard
		return length == 16
	case two == 34 || two == 37: // American Express
		return length == 15
	case two == 36 || two == 38 || three >= 300 && three <= 305: // Diners Club
		return length == 14
	case four == 6011 || two == 65 || three >= 644 && three <= 649: // Discover
		return length == 16
	case four >= 3528 && four <= 3589: // JCB
		return length == 16
	}
	return two == 62 && length >= 16 // UnionPay
}

// isChecked computes Luhn's check digit (ISO/IEC 7812-1, annex B).
func isChecked(digits string) bool {
	sum := 0
	for i := range digits {
		digit := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if digit *= 2; digit > 9 {
				digit -= 9
			}
		}
		sum += digit
	}
	return sum%10 == 0
}
