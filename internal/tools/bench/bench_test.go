package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef/nets"
)

// With a small network and a small picture every figure is measured, valid and printed.
func TestRun(t *testing.T) {
	dev, err := gpu.Open(gpu.Options{})
	if err != nil {
		t.Skip(err)
	}
	defer dev.Close()
	net := nets.DefaultEdge()
	net.Widths, net.Blocks, net.Up, net.Mid, net.Gates, net.Emb = []int{16, 24}, []int{1}, nil, 1, []int{0, 3}, 16
	opt := Options{Network: net, Side: 64}
	var out bytes.Buffer
	r, err := Run(context.Background(), &out, dev, opt)
	if err != nil {
		t.Fatal(err)
	}
	figures := append(append([]Figure{r.Forward}, r.Products...), r.Kernels...)
	if len(r.Products) == 0 || !strings.HasPrefix(r.Precision, "fp") {
		t.Errorf("products %+v, precision %q", r.Products, r.Precision)
	}
	if len(r.Transfers) != 5 || r.Picture.Seconds <= 0 {
		t.Errorf("transfers %+v, picture %+v", r.Transfers, r.Picture)
	}
	for _, f := range r.Transfers {
		if !(f.Seconds > 0) || !strings.Contains(out.String(), f.Name) {
			t.Errorf("%+v", f)
		}
	}
	if len(r.Kernels) < 5 {
		t.Errorf("%d shapes of convolution", len(r.Kernels))
	}
	for _, f := range figures {
		if !(f.Rate() > 0) || math.IsInf(f.Rate(), 0) || !strings.Contains(out.String(), f.Name) {
			t.Errorf("%+v", f)
		}
	}
	if !(r.Peak > 0) || math.IsInf(r.Peak, 0) {
		t.Errorf("peak %g", r.Peak)
	}
	found := false
	for _, f := range r.Kernels {
		found = found || f.Name == "3×3 24→24 at 8×8" // at the second level
		var k, cin, cout, w, h int
		if _, err := fmt.Sscanf(f.Name, "%d×%d %d→%d at %d×%d", &k, &k, &cin, &cout, &w,
			&h); err != nil {
			t.Fatalf("%q: %v", f.Name, err)
		}
		if k == 2 { // of stride 2
			w, h = w/2, h/2
		}
		if want := 2 * float64(k*k*cin*cout) * float64(w*h); f.Flops != want {
			t.Errorf("%s: %g FLOP, want %g", f.Name, f.Flops, want)
		}
	}
	if !found {
		t.Errorf("no 3×3 24→24 in:\n%s", out.String())
	}
	sum := 0.0
	for _, s := range r.Steps {
		if c := s.Name[0]; c < 'a' || c > 'z' {
			t.Errorf("a kind of step is called %q", s.Name)
		}
		sum += s.Flops
	}
	if len(r.Steps) > 0 && math.Abs(sum-r.Forward.Flops) > 1e-9*sum {
		t.Errorf("the steps make %g FLOP, the whole %g", sum, r.Forward.Flops)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, &out, dev, opt); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
	opt.Side = 30
	if _, err := Run(context.Background(), &out, dev, opt); err == nil {
		t.Error("a side of 30 pixels was accepted")
	}
}
