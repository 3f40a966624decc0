package trainhost

import (
	"strings"
	"testing"
)

// PSNRs after the best shift have columns of their own, if there are any.
func TestPairTable(t *testing.T) {
	plain := Pair{Degraded: "a.png", Input: 20, Result: 21, Noise: 1}
	if got := PairTable([]Pair{plain}); strings.Contains(got, "shift") || !strings.Contains(got, "| a.png | 20.00 | 21.00 | +1.00 | 1.0 |\n") {
		t.Errorf("without shifts:\n%s", got)
	}
	moved := Pair{Degraded: "b.png", Input: 22, Result: 21, Shifted: [2]float64{22.5, 26}}
	other := Pair{Degraded: "c.png", Input: 24, Result: 25, Shifted: [2]float64{24, 25}}
	got := PairTable([]Pair{moved, other})
	for _, want := range []string{
		"after the best shift | gain |\n",
		"| b.png | 22.00 | 21.00 | -1.00 | 0.0 | 26.00 | +3.50 |\n",
		"| mean of 2; 1 worse than the input | 23.00 | **23.00** | +0.00 | | 25.50 | +2.25 |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
