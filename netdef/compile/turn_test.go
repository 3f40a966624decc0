package compile

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/reference"
)

// Runs that overlap give what each gives by itself, with one submission and one wait each, in
// memory that host and device share and in memory that they do not.
func TestTurns(t *testing.T) {
	for _, separate := range []bool{false, true} {
		dev := gputest.Open(t, gpu.Options{SeparateMemory: separate})
		g := netdef.NewGraph()
		x, s := g.Input("x", S{2, 6, 8, 16}), g.Input("s", S{1, 1, 1, 8})
		scale := g.Exp(g.Conv2D(s, g.Param("v", S{1, 1, 8, 16}, netdef.HeNormal{Gain: 0.7}), 1))
		y := g.SiLU(g.Conv2D(x, g.Param("w", S{3, 3, 16, 16}, netdef.HeNormal{Gain: 0.7}), 1))
		outs := []*netdef.Node{g.Mul(y, scale), x, scale, y}
		store, err := NewStore(dev, netdef.Reachable(outs...), false, rand.Uint64())
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		var arena Arena
		p, err := Compile(dev, store, g, outs, Options{Settings: []string{"s"}, Arena: &arena})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		params, err := store.Get()
		if err != nil {
			t.Fatal(err)
		}
		fixed := map[string]*netdef.Tensor{}
		for name, v := range params {
			fixed[name], _ = netdef.FromFloat32(store.Shape(name), v)
		}
		rng := rand.New(rand.NewPCG(rand.Uint64(), 3))
		var given [Turns]map[string]*netdef.Tensor
		check := func(turn int) {
			if err := p.Wait(turn); err != nil {
				t.Fatal(err)
			}
			want, err := reference.Run(outs, given[turn], fixed)
			if err != nil {
				t.Fatal(err)
			}
			for i := range outs {
				got, err := p.Result(turn, i)
				if err != nil {
					t.Fatal(err)
				}
				for k, v := range got {
					if w := want[i].Data[k]; !(math.Abs(float64(v)-w) <= 1e-4*(1+math.Abs(w))) {
						t.Fatalf("separate memory %v, turn %d, output %d: value %d is %v, want %v", separate, turn, i, k, v, w)
					}
				}
			}
		}
		setting := make([]float32, 8)
		const runs = 12
		var busy gpu.Activity
		for i := range runs {
			turn := i % Turns
			if i >= Turns {
				check(turn)
			}
			if i == Turns {
				busy = dev.Activity() // both turns are made, and settings of their lists too
			}
			if i < runs/2 == (i == 0 || i == 3) { // settings change while runs are in flight
				for k := range setting {
					setting[k] = float32(rng.NormFloat64())
				}
			}
			if err := p.Set(turn, "s", setting); err != nil {
				t.Fatal(err)
			}
			in, err := p.Input(turn, "x")
			if err != nil {
				t.Fatal(err)
			}
			for k := range in {
				in[k] = float32(rng.NormFloat64())
			}
			given[turn] = map[string]*netdef.Tensor{}
			given[turn]["x"], _ = netdef.FromFloat32(x.Shape, append([]float32{}, in...))
			given[turn]["s"], _ = netdef.FromFloat32(s.Shape, append([]float32{}, setting...))
			if err := p.Start(turn); err != nil {
				t.Fatal(err)
			}
			if p.Start(turn) == nil {
				t.Fatal("a turn was started twice")
			}
		}
		check(runs % Turns)
		check((runs + 1) % Turns)
		now := dev.Activity()
		submits, waits := now.Submits-busy.Submits, now.Waits-busy.Waits
		if submits != runs-Turns || waits != runs-1 {
			t.Errorf("%d submissions and %d waits for %d runs", submits, waits, runs-Turns)
		}
		var input *InputError
		if _, err := p.Input(0, "s"); !errors.As(err, &input) {
			t.Errorf("memory of a setting: %v", err)
		}
		if _, err := p.Input(1, "z"); !errors.As(err, &input) {
			t.Errorf("memory of an unknown input: %v", err)
		}
	}
}

// Two programs that share working memory may be in flight together.
func TestTurnsShareArena(t *testing.T) {
	g1, g2 := netdef.NewGraph(), netdef.NewGraph()
	build := func(g *netdef.Graph, scale float64) []*netdef.Node {
		x := g.Input("x", S{1, 16, 16, 16})
		return []*netdef.Node{g.Scale(g.Conv2D(g.Conv2D(x, g.Param("w", S{3, 3, 16, 16}, netdef.HeNormal{Gain: 0.7}), 1), g.Param("w", S{3, 3, 16, 16}, netdef.HeNormal{Gain: 0.7}), 1), scale)}
	}
	o1, o2 := build(g1, 2), build(g2, -3)
	store, err := NewStore(testDev, netdef.Reachable(o1...), false, rand.Uint64())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var arena Arena
	var ps [2]*Program
	for i, o := range [][]*netdef.Node{o1, o2} {
		if ps[i], err = Compile(testDev, store, []*netdef.Graph{g1, g2}[i], o, Options{Arena: &arena}); err != nil {
			t.Fatal(err)
		}
		defer ps[i].Close()
	}
	x := make([]float32, 16*16*16)
	for i := range x {
		x[i] = rand.Float32()
	}
	var alone, together [2][]float32
	for i, p := range ps {
		if err := errors.Join(p.SetInput("x", x), p.Run()); err != nil {
			t.Fatal(err)
		}
		alone[i], err = p.Output(0)
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		if err := errors.Join(ps[0].Start(0), ps[1].Start(0), ps[0].Wait(0), ps[1].Wait(0)); err != nil {
			t.Fatal(err)
		}
		for i, p := range ps {
			if together[i], err = p.Output(0); err != nil {
				t.Fatal(err)
			}
			for k, v := range together[i] {
				if v != alone[i][k] {
					t.Fatalf("program %d: value %d is %v together and %v alone", i, k, v, alone[i][k])
				}
			}
		}
	}
}
