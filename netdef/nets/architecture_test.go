package nets

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/netdef"
)

// TestJSON checks that settings survive being stored, and that Decode is strict.
func TestJSON(t *testing.T) {
	forAll(t, func(t *testing.T, a Architecture) {
		a = a.WithScales([][]float32{{0.5, 0.25}, {}, {1}})
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		back, err := Decode(a.Name(), text)
		if err != nil || !reflect.DeepEqual(a, back) {
			t.Errorf("%+v comes back as %+v: %v", a, back, err)
		}
		for what, bad := range map[string]string{
			"an unknown setting": strings.Replace(text, "{", `{"more":1,`, 1),
			"two objects":        text + text,
			"a short list":       strings.Replace(text, `"mean":[0,`, `"mean":[`, 1),
			"no settings":        "{}",
			"no object":          "[]",
			"an invalid setting": strings.Replace(text, `"emb":8`, `"emb":9`, 1),
		} {
			if _, err := Decode(a.Name(), bad); err == nil {
				t.Errorf("%s was accepted: %s", what, bad)
			}
		}
	})
	var unknown *UnknownError
	if _, err := Decode("other", "{}"); !errors.As(err, &unknown) || !strings.Contains(err.Error(), "edge and plain") {
		t.Errorf("an unknown architecture: %v", err)
	}
}

func TestPlainConfig(t *testing.T) {
	for field, spoil := range map[string]func(c *PlainConfig){
		"width":  func(c *PlainConfig) { c.Width = 12 },
		"blocks": func(c *PlainConfig) { c.Blocks = -1 },
		"emb":    func(c *PlainConfig) { c.Emb = 0 },
		"scales": func(c *PlainConfig) { c.Scales = [][]float32{{-1}} },
		"sd":     func(c *PlainConfig) { c.SD[3] = 0 },
		"mean":   func(c *PlainConfig) { c.Mean[3] = float32(math.Inf(1)) },
	} {
		bad := DefaultPlain()
		spoil(&bad)
		g := netdef.NewGraph()
		OneStep(g, bad, g.Input("z", netdef.Shape{1, 4, 4, 48}))
		var e *ConfigError
		if !errors.As(g.Err(), &e) || !strings.Contains(e.Field, field) || !strings.Contains(e.Error(), "plain network") {
			t.Errorf("bad %s: %v", field, g.Err())
		}
	}
	cost, err := CostOf(DefaultPlain())
	if err != nil {
		t.Fatal(err)
	}
	edge, err := CostOf(DefaultEdge())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("default: %+v, halo %d pixels", cost, DefaultPlain().Halo(1))
	if r := cost.FLOPsPerPixel / edge.FLOPsPerPixel; r < 0.8 || r > 1.25 {
		t.Errorf("%.2f times the arithmetic of the edge network", r)
	}
}
