package netdef

import "math"

// Unary computes a kind with one argument in float64.
func (o *PointwiseOp) Unary(x float64) float64 {
	switch o.Kind {
	case Neg:
		return -x
	case Exp:
		return math.Exp(x)
	case Log:
		return math.Log(x)
	case Sqrt:
		return math.Sqrt(x)
	case Square:
		return x * x
	case Sigmoid:
		return 1 / (1 + math.Exp(-x))
	case SiLU:
		return x / (1 + math.Exp(-x))
	case Tanh:
		return math.Tanh(x)
	case Abs:
		return math.Abs(x)
	case Recip:
		return 1 / x
	case Sin:
		return math.Sin(x)
	case Cos:
		return math.Cos(x)
	case Sign:
		if x > 0 {
			return 1
		} else if x < 0 {
			return -1
		}
		return 0
	case Scale:
		return o.A * x
	case Offset:
		return x + o.A
	case Clamp:
		return math.Min(math.Max(x, o.A), o.B)
	case Inside:
		if o.A <= x && x <= o.B {
			return 1
		}
		return 0
	case StopGradient:
		return x
	}
	return math.NaN()
}

// Binary computes a kind with two arguments in float64.
func (o *PointwiseOp) Binary(a, b float64) float64 {
	switch o.Kind {
	case Add:
		return a + b
	case Sub:
		return a - b
	case Mul:
		return a * b
	case Div:
		return a / b
	case Max:
		return math.Max(a, b)
	case Min:
		return math.Min(a, b)
	case Greater:
		if a > b {
			return 1
		}
		return 0
	}
	return math.NaN()
}
