package restore

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/task"
)

// Open returns an error for any bad Config, and does not panic.
func TestOpenNonsense(t *testing.T) {
	change := func(f func(*nets.EdgeConfig)) *Network {
		cfg := nets.DefaultEdge()
		f(&cfg)
		return &Network{Config: cfg}
	}
	for name, cfg := range map[string]Config{
		"empty":          {Network: &Network{}},
		"no parameters":  {Network: &Network{Config: nets.DefaultEdge()}},
		"no blocks":      {Network: change(func(c *nets.EdgeConfig) { c.Blocks = nil })},
		"one level":      {Network: change(func(c *nets.EdgeConfig) { c.Widths = c.Widths[:1] })},
		"one up":         {Network: change(func(c *nets.EdgeConfig) { c.Up = []int{1} })},
		"one gate":       {Network: change(func(c *nets.EdgeConfig) { c.Gates = c.Gates[:1] })},
		"huge":           {Network: change(func(c *nets.EdgeConfig) { c.Widths = []int{math.MaxInt} })},
		"nil special":    {Special: []*Network{nil}},
		"empty special":  {Special: []*Network{{}}},
		"one of each":    {Network: &Network{}, Special: []*Network{{}}},
		"short argument": {Network: &Network{Config: nets.DefaultEdge(), Params: map[string][]float32{"adapter/gain": {1}}}},
	} {
		m, err := Open(cfg)
		var network *NetworkError
		if !errors.As(err, &network) {
			t.Errorf("%s: got %v", name, err)
		}
		if m != nil {
			m.Close()
		}
	}
	for name, cfg := range map[string]Config{"tile": {Tile: math.MinInt}, "margin": {Margin: math.MaxInt}, "negative margin": {Margin: math.MinInt}} {
		var config *ConfigError
		if _, err := Open(cfg); !errors.As(err, &config) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// The largest tile size makes one tile of every picture.
func TestLargestTile(t *testing.T) {
	ts := tile.Tiling{Halo: 120, Align: 8, MaxOwn: min(math.MaxInt, maxTile), MaxPixels: math.MaxInt}
	if w, h, ok := ts.Size(tile.Rect{W: 5000, H: 3000}); !ok || w != 5000 || h != 3000 {
		t.Errorf("got %d×%d, %v", w, h, ok)
	}
}

// Sizes that fit in no memory give a typed error before anything is allocated.
func TestBudget(t *testing.T) {
	var e *MemoryError
	r := Request{Task: task.SuperResolve}
	if err := r.checkMemory(1<<28, 1<<28, false); !errors.As(err, &e) {
		t.Errorf("a picture: got %v", err)
	}
	s := SampleRequest{W: 1 << 14, H: 1 << 14, Samples: math.MaxInt32}
	if err := s.checkMemory(); !errors.As(err, &e) {
		t.Errorf("samples: got %v", err)
	}
	if err := (&SampleRequest{W: 64, H: 64, Samples: 2}).checkMemory(); err != nil {
		t.Error(err)
	}
	if small, large := r.Memory(100, 100, true), (&Request{Task: task.SuperResolve, Samples: 3}).Memory(100, 100, true); small != 3*160000 || large < 12*160000*5 {
		t.Errorf("%d and %d bytes", small, large)
	}
}

// So do streams, also if the product of their sides overflows.
func TestStreamBudget(t *testing.T) {
	m := sharedModel(t, 0, NoMargin)
	for _, side := range []int{1 << 16, 1 << 22, math.MaxInt32} {
		s, err := m.NewStream(StreamConfig{Task: task.SuperResolve, W: side, H: side})
		var e *MemoryError
		if !errors.As(err, &e) {
			t.Errorf("%d: got %v", side, err)
		}
		if s != nil {
			s.Close()
		}
	}
}

// End is called while one Submit waits, and while many do: every Submit returns, the accepted
// frames come out, and nothing panics.
func TestEndBesideSubmit(t *testing.T) {
	m := sharedModel(t, 0, NoMargin)
	for range 20 {
		s, err := m.NewStream(StreamConfig{Task: task.Denoise, Noise: 10, W: 16, H: 16, InFlight: 2})
		if err != nil {
			t.Fatal(err)
		}
		const senders = 3
		results, taken := make(chan error, senders), make(chan int, senders)
		for range senders {
			go func() {
				n := 0
				for {
					err := s.Submit(context.Background(), make([]byte, s.InSize()))
					if err != nil {
						taken <- n
						results <- err
						return
					}
					n++
				}
			}()
		}
		out := make([]byte, s.OutSize())
		if _, err := s.Receive(context.Background(), out); err != nil { // some have begun
			t.Fatal(err)
		}
		s.End()
		s.End()
		got := 1
		for {
			_, err := s.Receive(context.Background(), out)
			if err != nil {
				break
			}
			got++
		}
		sent := 0
		for range senders {
			sent += <-taken
			if err := <-results; !errors.Is(err, ErrEnded) {
				t.Errorf("Submit beside End: %v", err)
			}
		}
		if sent != got {
			t.Errorf("%d frames were taken, %d came out", sent, got)
		}
		s.Close()
	}
}
