package netdef_test

import (
	"math"
	"testing"

	. "github.com/vfmrestore/restore/netdef"
)

// calculator is an Emitter that computes in float64. A Value is an index into it.
type calculator []float64

func (c *calculator) Float(v float64) Value {
	*c = append(*c, v)
	return Value(len(*c) - 1)
}

func (c *calculator) of(f func(float64) float64, a Value) Value { return c.Float(f((*c)[a])) }

func (c *calculator) Neg(a Value) Value  { return c.of(func(x float64) float64 { return -x }, a) }
func (c *calculator) Exp(a Value) Value  { return c.of(math.Exp, a) }
func (c *calculator) Log(a Value) Value  { return c.of(math.Log, a) }
func (c *calculator) Sqrt(a Value) Value { return c.of(math.Sqrt, a) }
func (c *calculator) Sigmoid(a Value) Value {
	return c.of(func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, a)
}
func (c *calculator) Tanh(a Value) Value   { return c.of(math.Tanh, a) }
func (c *calculator) Abs(a Value) Value    { return c.of(math.Abs, a) }
func (c *calculator) Sin(a Value) Value    { return c.of(math.Sin, a) }
func (c *calculator) Cos(a Value) Value    { return c.of(math.Cos, a) }
func (c *calculator) Add(a, b Value) Value { return c.Float((*c)[a] + (*c)[b]) }
func (c *calculator) Sub(a, b Value) Value { return c.Float((*c)[a] - (*c)[b]) }
func (c *calculator) Mul(a, b Value) Value { return c.Float((*c)[a] * (*c)[b]) }
func (c *calculator) Div(a, b Value) Value { return c.Float((*c)[a] / (*c)[b]) }
func (c *calculator) Max(a, b Value) Value { return c.Float(math.Max((*c)[a], (*c)[b])) }
func (c *calculator) Min(a, b Value) Value { return c.Float(math.Min((*c)[a], (*c)[b])) }
func (c *calculator) Greater(a, b Value) Value {
	if (*c)[a] > (*c)[b] {
		return c.Float(1)
	}
	return c.Float(0)
}

// TestRowsEmitWhatTheyEvaluate compares two columns of the table of pointwise functions: what a
// kernel computes and what the float64 reference computes.
func TestRowsEmitWhatTheyEvaluate(t *testing.T) {
	r := newRand(t)
	names := map[string]bool{}
	for _, k := range PointwiseKinds() {
		if names[k.String()] {
			t.Errorf("two functions are called %s", k)
		}
		names[k.String()] = true
		op := withConstants(k)
		for range 100 {
			a, b := 4*r.NormFloat64(), 4*r.NormFloat64()
			if k.Domain == Positive {
				a = math.Abs(a)
			}
			var c calculator
			x, y := c.Float(a), c.Float(b)
			var got, want float64
			if k.Binary() {
				got, want = c[op.Emit(&c, x, y)], op.Binary(a, b)
			} else {
				got, want = c[op.Emit(&c, x)], op.Unary(a)
			}
			if !(math.Abs(got-want) <= 1e-13*math.Max(1, math.Abs(want))) {
				t.Errorf("%s(%g, %g) is emitted as %g and evaluated as %g", k, a, b, got, want)
			}
		}
	}
	if len(names) < 25 {
		t.Errorf("only %d functions", len(names))
	}
}

// TestSoftplusFarFromZero checks that softplus is exact where eˣ overflows or vanishes beside 1.
func TestSoftplusFarFromZero(t *testing.T) {
	op := &PointwiseOp{Kind: Softplus}
	for x, want := range map[float64]float64{800: 800, -40: math.Exp(-40), -800: 0, 0: math.Ln2} {
		var c calculator
		for name, got := range map[string]float64{"evaluated": op.Unary(x), "emitted": c[op.Emit(&c, c.Float(x))]} {
			if math.Abs(got-want) > 1e-14*want {
				t.Errorf("softplus(%g) is %s as %g, want %g", x, name, got, want)
			}
		}
	}
}
