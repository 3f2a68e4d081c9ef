package datacat

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/datacat/datacat/clients/go/v2/internal/lane"
	"github.com/datacat/datacat/clients/go/v2/internal/limits"
)

func TestAnEventThatIsTooLongIsCutToValidJSONWithinTheLimit(t *testing.T) {
	random := rand.New(rand.NewSource(7))
	for round := 0; round < 8; round++ {
		r := lane.NewRecord()
		data := Data{}
		for i := random.Intn(12) + 1; i > 0; i-- {
			data[fmt.Sprint(i)] = strings.Repeat("ä\n\"😀"[:2+random.Intn(4)], random.Intn(20_000))
		}
		writeEvent(r, &Event{Name: "big", Data: data})
		if size := len(r.Op()); size > limits.MaxOpBytes || !json.Valid(append([]byte{'{'}, r.Op()...)) {
			t.Fatalf("round %d: %d bytes", round, size)
		}
	}
}
