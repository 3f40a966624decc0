package task_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// The code of docs/NEW-TASK.md.

var clip = task.Descriptor{
	Name:     "clip",
	Class:    6,
	Help:     "clipped highlights",
	Options:  []task.Option{task.OptionProject},
	Needs:    task.NeedsChannelMask,
	Scale:    1,
	Draw:     drawClip,
	Operator: multiply,
	View:     task.ViewFilled,
}

// multiply is A x = m ⊙ x.
func multiply(w, h int, p task.Params) task.LinearMap { return task.Multiply(w, h, p.Mask) }

// drawClip draws the level from U(0.2, 0.9). A channel that reaches it is missing.
func drawClip(rng *rand.Rand, l task.Law) (task.Params, error) {
	if l.Clean == nil {
		return task.Params{}, errors.New("clip draws its mask from a clean picture, and there is none")
	}
	level := float32(0.2 + 0.7*rng.Float64())
	mask := make([]float32, 3*l.W*l.H)
	for i, v := range l.Clean.Pix {
		if v < level {
			mask[i] = 1
		}
	}
	return task.Params{Mask: mask}, nil
}

var mosaic = task.Descriptor{
	Name:     "mosaic",
	Class:    7,
	Help:     "a sensor that measures one colour in each pixel",
	Needs:    task.NeedsChannelMask,
	Scale:    1,
	Draw:     drawMosaic,
	Operator: multiply,
	View:     task.ViewFilled,
}

// drawMosaic gives the Bayer pattern RGGB.
func drawMosaic(_ *rand.Rand, l task.Law) (task.Params, error) {
	colour := [2][2]int{{0, 1}, {1, 2}}
	mask := make([]float32, 3*l.W*l.H)
	for y := range l.H {
		for x := range l.W {
			mask[(colour[y%2][x%2]*l.H+y)*l.W+x] = 1
		}
	}
	return task.Params{Mask: mask}, nil
}

var grey = task.Descriptor{
	Name:     "colourise",
	Class:    6,
	Help:     "a black and white photograph",
	Scale:    1,
	Operator: func(w, h int, _ task.Params) task.LinearMap { return greyMap{w, h} },
	View:     task.ViewAsIs,
}

// greyMap is A x = (r, r, r) with r = 0.3 R + 0.6 G + 0.1 B for each pixel.
type greyMap struct{ w, h int }

var greyWeights = [3]float64{0.3, 0.6, 0.1}

func (m greyMap) OutSize() (w, h int)             { return m.w, m.h }
func (m greyMap) Apply32(x []float32) []float32   { return toGrey(x) }
func (m greyMap) Adjoint32(y []float32) []float32 { return fromGrey(y) }
func (m greyMap) Apply64(x []float64) []float64   { return toGrey(x) }
func (m greyMap) Adjoint64(y []float64) []float64 { return fromGrey(y) }

func toGrey[T float32 | float64](x []T) []T {
	n := len(x) / 3
	out := make([]T, 3*n)
	for i := range n {
		v := 0.0
		for c, w := range greyWeights {
			v += w * float64(x[c*n+i])
		}
		out[i], out[n+i], out[2*n+i] = T(v), T(v), T(v)
	}
	return out
}

func fromGrey[T float32 | float64](y []T) []T {
	n := len(y) / 3
	out := make([]T, 3*n)
	for i := range n {
		sum := float64(y[i]) + float64(y[n+i]) + float64(y[2*n+i])
		for c, w := range greyWeights {
			out[c*n+i] = T(w * sum)
		}
	}
	return out
}

// The adjoint of each example fits its operator.
func TestAdjointOfNewTasks(t *testing.T) {
	for _, d := range []*task.Descriptor{&clip, &mosaic, &grey} {
		for range 10 {
			seed := rand.Uint64()
			rng := task.NewRand(seed, 0)
			w, h := 1+rng.IntN(60), 1+rng.IntN(60)
			_, op := observed(t, d, rng, w, h)
			task.CheckAdjoint(t, fmt.Sprintf("%s, seed %d", d.Name, seed), rng, op, w, h)
		}
	}
}

// observed returns a clean picture and the operator of a random degradation of it.
func observed(t *testing.T, d *task.Descriptor, rng *rand.Rand, w, h int) (*planar.Image, *task.Operator) {
	t.Helper()
	x := planar.FromNRGBA(synth.Photo(rng.Uint64(), w, h))
	var p task.Params
	if d.Draw != nil {
		var err error
		if p, err = d.Draw(rng, task.Law{W: w, H: h, Clean: x, Scale: 1}); err != nil {
			t.Fatal(err)
		}
	}
	op, err := d.NewOperator(w, h, p)
	if err != nil {
		t.Fatal(err)
	}
	return x, op
}

// What is measured is in the observation and in the view; what is missing is 0 and is filled.
func TestObservationsOfNewTasks(t *testing.T) {
	rng := task.NewRand(rand.Uint64(), 0)
	x := planar.FromNRGBA(synth.Photo(rng.Uint64(), 48, 40))
	for _, d := range []*task.Descriptor{&clip, &mosaic} {
		p, err := d.Draw(rng, task.Law{W: x.W, H: x.H, Clean: x, Scale: 1})
		if err != nil {
			t.Fatal(err)
		}
		op, err := d.NewOperator(x.W, x.H, p)
		if err != nil {
			t.Fatal(err)
		}
		y, err := op.Observe(rng, x, 0.02)
		if err != nil {
			t.Fatal(err)
		}
		v, err := d.NewViewer(x.W, x.H, p.Mask)
		if err != nil {
			t.Fatal(err)
		}
		view := planar.New(v.Size())
		v.View(view.Pix, y.Pix)
		for i, m := range p.Mask {
			switch {
			case m == 0 && y.Pix[i] != 0:
				t.Fatalf("%s: missing value %d is %v", d.Name, i, y.Pix[i])
			case m == 1 && (view.Pix[i] != y.Pix[i] || math.Abs(float64(y.Pix[i]-x.Pix[i])) > 0.2):
				t.Fatalf("%s: value %d is %v, observed as %v, seen as %v", d.Name, i, x.Pix[i], y.Pix[i], view.Pix[i])
			}
		}
	}
	if _, err := clip.Draw(rng, task.Law{W: 8, H: 8, Scale: 1}); err == nil {
		t.Error("clip draws a mask without a picture")
	}
	var missing *task.MissingError
	if _, err := clip.NewOperator(8, 8, task.Params{}); !errors.As(err, &missing) || missing.Task != "clip" {
		t.Errorf("clip without a mask: %v", err)
	}
}

// Every line of Go in docs/NEW-TASK.md is in this file, in the same order.
func TestNewTaskPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/NEW-TASK.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("newtask_test.go")
	if err != nil {
		t.Fatal(err)
	}
	rest, lines := string(code), 0
	for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		at := strings.Index(rest, block[1])
		if at < 0 {
			t.Fatalf("this code of docs/NEW-TASK.md is not in newtask_test.go, or not in this order:\n%s", block[1])
		}
		rest = rest[at+len(block[1]):]
		lines += strings.Count(block[1], "\n")
	}
	if lines < 60 {
		t.Errorf("%d lines of Go in docs/NEW-TASK.md", lines)
	}
}
