package shaders

// Expr is a fused chain of pointwise operations: straight-line code on one value of each operand.
// It is plain data, so that it is part of a kernel's key. The zero value is no expression.
type Expr struct {
	In   []Pattern // how the operands are read
	Code []Instr
	Out  int // the value that is the result
}

// Instr computes a value of an expression. The values of an expression are numbered: first the
// operands, in the order of In, then the results of Code.
type Instr struct {
	Op   Op
	A, B int     // values; B only for operations on two
	Num  float64 // the constant of OpFloat
}

// Op is an operation of an expression. It is the method of E of the same name.
type Op uint8

// The operations.
const (
	OpFloat Op = iota
	OpNeg
	OpExp
	OpLog
	OpSqrt
	OpSigmoid
	OpTanh
	OpAbs
	OpSin
	OpCos
	OpAdd
	OpSub
	OpMul
	OpDiv
	OpMax
	OpMin
	OpGreater
)

// IsNone reports whether there is no expression.
func (x Expr) IsNone() bool { return len(x.In) == 0 }

// more returns the number of operands after the first one, which is a kernel's own result if the
// expression is its epilogue.
func (x Expr) more() int { return max(0, len(x.In)-1) }

// emit emits the expression for one value of each operand.
func (x Expr) emit(e *E, in []F) F {
	vals := make([]F, len(in), len(in)+len(x.Code))
	copy(vals, in)
	for _, i := range x.Code {
		vals = append(vals, i.emit(e, vals))
	}
	return vals[x.Out]
}

func (i Instr) emit(e *E, vals []F) F {
	if i.Op == OpFloat {
		return e.Float(i.Num)
	}
	a, b := vals[i.A], vals[i.B]
	switch i.Op {
	case OpNeg:
		return e.Neg(a)
	case OpExp:
		return e.Exp(a)
	case OpLog:
		return e.Log(a)
	case OpSqrt:
		return e.Sqrt(a)
	case OpSigmoid:
		return e.Sigmoid(a)
	case OpTanh:
		return e.Tanh(a)
	case OpAbs:
		return e.Abs(a)
	case OpSin:
		return e.Sin(a)
	case OpCos:
		return e.Cos(a)
	case OpAdd:
		return e.Add(a, b)
	case OpSub:
		return e.Sub(a, b)
	case OpMul:
		return e.Mul(a, b)
	case OpDiv:
		return e.Div(a, b)
	case OpMax:
		return e.Max(a, b)
	case OpMin:
		return e.Min(a, b)
	case OpGreater:
		return e.Greater(a, b)
	}
	fail("operation %d of an expression is unknown", i.Op)
	return 0
}

// Recorder makes an Expr. Its methods append an operation on numbered values (see Instr) and return
// the number of the result.
type Recorder struct{ x Expr }

// NewRecorder begins an expression of the given operands.
func NewRecorder(in ...Pattern) *Recorder { return &Recorder{Expr{In: in}} }

// Expr ends the expression. Its result is the given value.
func (r *Recorder) Expr(result int) Expr {
	r.x.Out = result
	return r.x
}

// Inline appends the code of x, with the given values as its operands, and returns its result.
func (r *Recorder) Inline(x Expr, args ...int) int {
	vals := append([]int(nil), args...)
	for _, i := range x.Code {
		if i.Op != OpFloat {
			i.A, i.B = vals[i.A], vals[i.B]
		}
		vals = append(vals, r.add(i))
	}
	return vals[x.Out]
}

func (r *Recorder) add(i Instr) int {
	r.x.Code = append(r.x.Code, i)
	return len(r.x.In) + len(r.x.Code) - 1
}

// Float is a constant.
func (r *Recorder) Float(v float64) int { return r.add(Instr{Op: OpFloat, Num: v}) }

// Neg is −a.
func (r *Recorder) Neg(a int) int { return r.add(Instr{Op: OpNeg, A: a}) }

// Exp is e^a.
func (r *Recorder) Exp(a int) int { return r.add(Instr{Op: OpExp, A: a}) }

// Log is ln a.
func (r *Recorder) Log(a int) int { return r.add(Instr{Op: OpLog, A: a}) }

// Sqrt is √a.
func (r *Recorder) Sqrt(a int) int { return r.add(Instr{Op: OpSqrt, A: a}) }

// Sigmoid is 1/(1 + e^−a).
func (r *Recorder) Sigmoid(a int) int { return r.add(Instr{Op: OpSigmoid, A: a}) }

// Tanh is tanh a.
func (r *Recorder) Tanh(a int) int { return r.add(Instr{Op: OpTanh, A: a}) }

// Abs is |a|.
func (r *Recorder) Abs(a int) int { return r.add(Instr{Op: OpAbs, A: a}) }

// Sin is sin a.
func (r *Recorder) Sin(a int) int { return r.add(Instr{Op: OpSin, A: a}) }

// Cos is cos a.
func (r *Recorder) Cos(a int) int { return r.add(Instr{Op: OpCos, A: a}) }

// Add is a + b.
func (r *Recorder) Add(a, b int) int { return r.add(Instr{Op: OpAdd, A: a, B: b}) }

// Sub is a − b.
func (r *Recorder) Sub(a, b int) int { return r.add(Instr{Op: OpSub, A: a, B: b}) }

// Mul is a · b.
func (r *Recorder) Mul(a, b int) int { return r.add(Instr{Op: OpMul, A: a, B: b}) }

// Div is a / b.
func (r *Recorder) Div(a, b int) int { return r.add(Instr{Op: OpDiv, A: a, B: b}) }

// Max is max(a, b).
func (r *Recorder) Max(a, b int) int { return r.add(Instr{Op: OpMax, A: a, B: b}) }

// Min is min(a, b).
func (r *Recorder) Min(a, b int) int { return r.add(Instr{Op: OpMin, A: a, B: b}) }

// Greater is 1 if a > b, else 0.
func (r *Recorder) Greater(a, b int) int { return r.add(Instr{Op: OpGreater, A: a, B: b}) }
