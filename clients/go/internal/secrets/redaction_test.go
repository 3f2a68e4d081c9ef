package secrets_test

import (
	"bytes"
	"encoding/json"
	"math/rand"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/datacat/datacat/clients/go/v2/internal/encode"
	"github.com/datacat/datacat/clients/go/v2/internal/limits"
	"github.com/datacat/datacat/clients/go/v2/internal/secrets"
)

type redactionCases struct {
	Values []struct {
		Key      string
		Value    any
		Redacted bool
	}
	Texts []struct {
		Original string
		Written  *string
	}
	Structures []struct{ Original, Written any }
	Arguments  []struct{ Original, Written []string }
	Own        struct {
		Rules   any
		Texts   []struct{ Original, Written string }
		Objects []struct {
			Root              string
			Original, Written any
		}
	}
}

// fixture reads the cases that all clients test, without the characters that keep scanners from taking an example for a secret.
func fixture(t *testing.T) (cases redactionCases) {
	text, err := os.ReadFile("../../../../test/fixtures/redaction.json")
	if os.IsNotExist(err) {
		t.Skip("the module was downloaded without the fixtures")
	}
	if err := json.Unmarshal(bytes.ReplaceAll(text, []byte("¦"), nil), &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases.Values) == 0 || len(cases.Texts) == 0 || len(cases.Structures) == 0 || len(cases.Arguments) == 0 {
		t.Fatal("the fixture has no cases")
	}
	return cases
}

func TestRedactionOfTheFixture(t *testing.T) {
	cases := fixture(t)
	for _, one := range cases.Values {
		encoder := &encode.Encoder{}
		encoder.Value(map[string]any{one.Key: one.Value})
		if got := strings.Contains(string(encoder.Buf), secrets.Redacted); got != one.Redacted {
			t.Errorf("%s: %v is written as %s", one.Key, one.Value, encoder.Buf)
		}
	}
	for _, one := range cases.Texts {
		written := one.Original
		if one.Written != nil {
			written = *one.Written
		}
		if got := secrets.Clean(one.Original); got != written {
			t.Errorf("%q became %q, not %q", one.Original, got, written)
		}
	}
	for _, one := range cases.Structures {
		written := one.Written
		if written == nil {
			written = one.Original
		}
		encoder := &encode.Encoder{}
		encoder.Value(one.Original)
		var got any
		if err := json.Unmarshal(encoder.Buf, &got); err != nil || !reflect.DeepEqual(got, written) {
			t.Errorf("%v became %s", one.Original, encoder.Buf)
		}
	}
	for _, one := range cases.Arguments {
		if got := secrets.Arguments(one.Original); !reflect.DeepEqual(got, one.Written) {
			t.Errorf("%q became %q", one.Original, got)
		}
	}
}

func TestNoPartOfASecretIsStoredWhereATextIsCut(t *testing.T) {
	const secret = "password=hunter2hunter2"
	for before := 1; before < len(secret); before++ {
		text := strings.Repeat("x", limits.MaxCut-before-1) + " " + secret + strings.Repeat(" y", 200_000)
		if clean := secrets.CleanUpTo(text, limits.MaxOpBytes); strings.Contains(clean[:limits.MaxCut], "=h") {
			t.Errorf("a secret that begins %d bytes before the cut is stored in part", before)
		}
	}
}

func TestWhatIsNotStoredOfATextIsNotRead(t *testing.T) {
	clean := secrets.CleanUpTo(strings.Repeat("token: abcdefgh12 ", 60_000), limits.MaxOpBytes)
	if strings.Contains(clean[:limits.MaxCut], "abcdefgh12") || !strings.HasSuffix(clean, strings.Repeat("token: abcdefgh12 ", 40_000)) {
		t.Error("the whole text was read, or not its beginning")
	}
	key := "-----BEGIN PRIVATE KEY-----" + strings.Repeat("A", 300_000) + "-----END PRIVATE KEY-----"
	clean = secrets.CleanUpTo(key+" password=hunter2"+strings.Repeat(" y", 60_000), limits.MaxOpBytes)
	if !strings.HasPrefix(clean, "[redacted:private-key] password=[redacted] y") {
		t.Errorf("%.60s", clean)
	}
}

func TestRedactingAgainChangesNothing(t *testing.T) {
	cases := fixture(t)
	pieces := strings.Split("=|:|\"|'|\\|[|]|{|}|(|)|@|/|?|&|#|,|;|-|_|.|%| |\n|0|x", "|")
	for _, one := range cases.Texts {
		pieces = append(pieces, one.Original)
	}
	random := rand.New(rand.NewSource(12))
	for i := 0; i < 5_000; i++ {
		var text strings.Builder
		for length := 1 + random.Intn(8); length > 0; length-- {
			text.WriteString(pieces[random.Intn(len(pieces))])
		}
		if once := secrets.Clean(text.String()); secrets.Clean(once) != once {
			t.Fatalf("%q becomes %q, then %q", text.String(), once, secrets.Clean(once))
		}
	}
}
