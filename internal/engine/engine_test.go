package engine

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
)

var testDev *gpu.Device

func TestMain(m *testing.M) {
	gputest.SmallKernels()
	gputest.Main(m, &testDev, "-")
}

// line is a recipe: y = w·x·s of n×n×8 values, where s is a setting.
type line struct {
	n int
	p *Parameters
}

func (l line) Parameters() *Parameters { return l.p }

func (l line) Graph(g *netdef.Graph) (outs []*netdef.Node, opt compile.Options, bytes int64, err error) {
	x := g.Input("x", netdef.Shape{1, l.n, l.n, 8})
	y := g.Mul(g.Mul(x, weight(g)), g.Input("s", netdef.Scalar))
	opt.Settings = []string{"s"}
	return []*netdef.Node{y}, opt, 1 << 20, g.Err()
}

func weight(g *netdef.Graph) *netdef.Node {
	return g.Param("w", netdef.Shape{1, 1, 1, 8}, netdef.Ones)
}

func newLine(n int, w float32) line {
	return line{n, &Parameters{Load: func() ([]*netdef.Node, []map[string][]float32, error) {
		values := make([]float32, 8)
		for i := range values {
			values[i] = w
		}
		return []*netdef.Node{weight(netdef.NewGraph())}, []map[string][]float32{{"w": values}}, nil
	}}}
}

func openEngine(t *testing.T, o Options) *Engine {
	t.Helper()
	e, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	e.Pace.Force(time.Hour, 0, 0)
	t.Cleanup(e.Close)
	return e
}

// pieces is work of count random pieces. It fails the test for wrong results and for pieces that
// are taken out of order.
func pieces(t *testing.T, l line, count int, w float32) *Work {
	size, taken := l.n*l.n*8, 0
	values, settings := make([][]float32, count), make([][]float32, count)
	for i := range values {
		values[i], settings[i] = make([]float32, size), []float32{rand.Float32()}
		for k := range values[i] {
			values[i][k] = rand.Float32()
		}
		if i > 0 && rand.IntN(3) > 0 {
			settings[i] = settings[i-1]
		}
	}
	return &Work{
		Recipe: l, Count: count, Pixels: l.n * l.n,
		Fill: func(i int, in *Slot) error {
			copy(in.Input("x"), values[i])
			in.Set("s", settings[i])
			return nil
		},
		Take: func(i int, out *Slot) error {
			if i != taken {
				t.Errorf("piece %d is taken after %d", i, taken-1)
			}
			taken++
			for k, v := range out.Output(0) {
				if want := w * settings[i][0] * values[i][k]; math.Abs(float64(v-want)) > 1e-5 {
					t.Errorf("piece %d: value %d is %v, want %v", i, k, v, want)
					break
				}
			}
			return nil
		},
	}
}

// Callers that share programs and settings do not disturb each other.
func TestRun(t *testing.T) {
	e := openEngine(t, Options{Shared: testDev})
	recipes := []line{newLine(16, 2), newLine(8, -3)}
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			var s Session
			for range 3 {
				w := []float32{2, -3}[i%2]
				if err := e.Run(t.Context(), &s, pieces(t, recipes[i%2], rand.IntN(9), w)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(e.Programs()); n != 2 {
		t.Errorf("%d programs for two recipes", n)
	}
}

// Of a piece there is one submission and one wait, whether host and device share memory or not; and
// a piece is filled while the one before is in flight.
func TestOneSubmissionEach(t *testing.T) {
	for _, separate := range []bool{false, true} {
		dev := gputest.Open(t, gpu.Options{SeparateMemory: separate})
		e := openEngine(t, Options{Shared: dev})
		l := newLine(16, 2)
		var s Session
		if err := e.Run(t.Context(), &s, pieces(t, l, 4, 2)); err != nil { // builds, and makes both turns
			t.Fatal(err)
		}
		const count = 10
		work := pieces(t, l, count, 2)
		fill, take, filled, taken, overlapped := work.Fill, work.Take, 0, 0, 0
		work.Fill = func(i int, in *Slot) error {
			filled++
			if filled == taken+2 {
				overlapped++
			}
			return fill(i, in)
		}
		work.Take = func(i int, out *Slot) error {
			taken++
			return take(i, out)
		}
		before := dev.Activity()
		if err := e.Run(t.Context(), &s, work); err != nil {
			t.Fatal(err)
		}
		after := dev.Activity()
		if submits, waits := after.Submits-before.Submits, after.Waits-before.Waits; submits != count || waits != count {
			t.Errorf("separate memory %v: %d submissions and %d waits for %d pieces", separate, submits, waits, count)
		}
		if overlapped != count-1 {
			t.Errorf("%d of %d pieces were filled while another was in flight", overlapped, count)
		}
	}
}

// A piece may run other work on the way, and errors of all functions end the work.
func TestNestedAndErrors(t *testing.T) {
	e := openEngine(t, Options{Shared: testDev})
	outer, inner := newLine(16, 2), newLine(8, -3)
	var s Session
	work := pieces(t, outer, 5, 2)
	work.Prepare = func(int) error { return e.Run(t.Context(), &s, pieces(t, inner, 2, -3)) }
	if err := e.Run(t.Context(), &s, work); err != nil {
		t.Fatal(err)
	}
	bad := errors.New("bad")
	for name, spoil := range map[string]func(w *Work){
		"prepare": func(w *Work) { w.Prepare = func(i int) error { return at(i, 2, bad) } },
		"fill": func(w *Work) {
			fill := w.Fill
			w.Fill = func(i int, in *Slot) error { return errors.Join(fill(i, in), at(i, 2, bad)) }
		},
		"take": func(w *Work) { w.Take = func(i int, _ *Slot) error { return at(i, 2, bad) } },
	} {
		work := pieces(t, outer, 5, 2)
		spoil(work)
		if err := e.Run(t.Context(), &s, work); !errors.Is(err, bad) {
			t.Errorf("%s: %v", name, err)
		}
		if err := e.Run(t.Context(), &s, pieces(t, outer, 5, 2)); err != nil { // all turns are free again
			t.Errorf("after an error in %s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Run(ctx, &s, pieces(t, outer, 1, 2)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	e.Close()
	if err := e.Run(t.Context(), &s, pieces(t, outer, 1, 2)); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

func at(i, k int, err error) error {
	if i == k {
		return err
	}
	return nil
}

// A device that is lost at any submission is opened anew, for all callers, and every piece is taken
// once.
func TestLost(t *testing.T) {
	for k := range 8 {
		faults := &gpu.Faults{}
		e := openEngine(t, Options{GPU: gpu.Options{Faults: faults, CacheDir: "-"}})
		l := newLine(8, 2)
		faults.Lose.Store(int64(k + 1))
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				var s Session
				work := pieces(t, l, 4, 2)
				if rand.IntN(2) == 0 {
					work.Prepare = func(int) error { return e.Run(t.Context(), &s, pieces(t, l, 1, 2)) }
				}
				if err := e.Run(t.Context(), &s, work); err != nil {
					t.Errorf("lost at submission %d: %v", k, err)
				}
			})
		}
		wg.Wait()
		e.Close()
	}
	faults := &gpu.Faults{}
	e := openEngine(t, Options{GPU: gpu.Options{Faults: faults, CacheDir: "-"}})
	faults.Lose.Store(-1)
	if err := e.Run(t.Context(), &Session{}, pieces(t, newLine(8, 2), 4, 2)); !IsLost(err) {
		t.Errorf("lost at every submission: %v", err)
	}
}

// Close ends the calls that run.
func TestCloseWhileRunning(t *testing.T) {
	e := openEngine(t, Options{GPU: gpu.Options{CacheDir: "-"}})
	l := newLine(8, 2)
	var wg sync.WaitGroup
	begun := make(chan struct{}, 3)
	for range cap(begun) {
		wg.Go(func() {
			var s Session
			err := e.Run(t.Context(), &s, pieces(t, l, 2, 2))
			begun <- struct{}{}
			for err == nil {
				err = e.Run(t.Context(), &s, pieces(t, l, 5, 2))
			}
			if !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		})
	}
	for range cap(begun) {
		<-begun
	}
	e.Close()
	wg.Wait()
}

// With a share of the device's time nothing is in flight beside a piece.
func TestShareRunsAlone(t *testing.T) {
	e := openEngine(t, Options{Shared: testDev, Share: 0.5})
	if err := e.Run(t.Context(), &Session{}, pieces(t, newLine(8, 2), 5, 2)); err != nil {
		t.Fatal(err)
	}
	if e.Busy() <= 0 {
		t.Error("no time was counted")
	}
}
