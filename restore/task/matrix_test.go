package task

import (
	"math"
	"testing"
)

// product returns F(h)ᵀ·X·F(w) in float64.
func product(down Matrix, x []float64, across Matrix) []float64 {
	h, w := down.Rows, across.Rows
	mid := make([]float64, h*across.Cols)
	for i := 0; i < h; i++ {
		for k := 0; k < w; k++ {
			for j := 0; j < across.Cols; j++ {
				mid[i*across.Cols+j] += x[i*w+k] * float64(across.Data[k*across.Cols+j])
			}
		}
	}
	out := make([]float64, down.Cols*across.Cols)
	for i := 0; i < h; i++ {
		for k := 0; k < down.Cols; k++ {
			for j := 0; j < across.Cols; j++ {
				out[k*across.Cols+j] += mid[i*across.Cols+j] * float64(down.Data[i*down.Cols+k])
			}
		}
	}
	return out
}

func TestMatricesAreTheOperators(t *testing.T) {
	rng := fresh(t)
	for n := 0; n < 4; n++ {
		w, h := 4*(1+rng.IntN(20)), 1+rng.IntN(70)
		x := normals(rng, 3*w*h)
		for _, c := range []struct {
			task Task
			f    func(int) Matrix
		}{{SuperResolve, DownMatrix}, {GaussianDeblur, GaussMatrix}} {
			op := drawOperator(t, rng, c.task, w, h)
			ow, oh := op.OutSize()
			across, down := c.f(w), c.f(h)
			if across.Rows != w || across.Cols != ow {
				t.Fatalf("%v: matrix of %d×%d for %d", c.task, across.Rows, across.Cols, w)
			}
			want := op.Apply64(x)
			for p := 0; p < 3; p++ {
				got := product(down, x[p*w*h:(p+1)*w*h], across)
				for i, v := range got {
					if math.Abs(v-want[p*ow*oh+i]) > 1e-5 {
						t.Fatalf("%v %d×%d: %v by matrices, %v by operator", c.task, w, h, v, want[p*ow*oh+i])
					}
				}
			}
		}
		low := randomImage(rng, w, h)
		view, _, err := View(SuperResolve, low, nil)
		if err != nil {
			t.Fatal(err)
		}
		plane := make([]float64, w*h)
		for i, v := range low.Plane(1) {
			plane[i] = float64(v)
		}
		near(t, "UpMatrix", view.Plane(1), product(UpMatrix(h), plane, UpMatrix(w)), 1e-5)
	}
}

func TestReflectPadMatrix(t *testing.T) {
	for _, n := range []int{1, 2, 7, 40} {
		for _, wide := range []bool{false, true} {
			m := ReflectPadMatrix(n, 30, wide)
			if want := n + 60; m.Rows != n || (wide && (m.Cols%8 != 0 || m.Cols < want || m.Cols > want+7)) || (!wide && m.Cols != want) {
				t.Fatalf("n = %d: %d×%d", n, m.Rows, m.Cols)
			}
			for j := 0; j < m.Cols; j++ {
				for i := 0; i < n; i++ {
					want := float32(0)
					if j < n+60 && i == mirror(j-30, n) {
						want = 1
					}
					if m.Data[i*m.Cols+j] != want {
						t.Fatalf("n = %d: element (%d,%d) is %v", n, i, j, m.Data[i*m.Cols+j])
					}
				}
			}
		}
	}
	m := ReflectPadMatrix(3, 2, false)
	tr := m.Transpose()
	for i := 0; i < m.Rows; i++ {
		for j := 0; j < m.Cols; j++ {
			if tr.Rows != m.Cols || tr.Cols != m.Rows || tr.Data[j*tr.Cols+i] != m.Data[i*m.Cols+j] {
				t.Fatalf("transposed (%d,%d)", i, j)
			}
		}
	}
	g := PoolMatrix(3).Grow(8, 8)
	if g.Data[0] != 0.5 || g.Data[8] != 0.5 || g.Data[17] != 0.5 || g.Data[9] != 0 {
		t.Errorf("grown pool matrix %v", g.Data)
	}
}

// TestPushPullByMatrices runs the formula in pushpull.go's comment with the exported matrices, as a
// trainer would.
func TestPushPullByMatrices(t *testing.T) {
	rng := fresh(t)
	for n := 0; n < 6; n++ {
		w, h := 1+rng.IntN(50), 1+rng.IntN(50)
		p, _ := Draw(rng, Inpaint, w, h, 1)
		img := randomImage(rng, w, h)
		got, err := PushPull(img, p.Mask)
		if err != nil {
			t.Fatal(err)
		}
		if w*h == 1 {
			continue
		}
		for c := 0; c < 3; c++ {
			x, weight := make([]float64, w*h), make([]float64, w*h)
			for i, v := range img.Plane(c) {
				x[i], weight[i] = float64(v), float64(p.Mask[i])
			}
			near(t, "push-pull", got.Plane(c), byMatrices(x, weight, w, h, PullLevels(w, h)), 1e-5)
		}
	}
}

func byMatrices(x, weight []float64, w, h, levels int) []float64 {
	if levels == 0 {
		return x
	}
	pw, ph := PoolMatrix(w), PoolMatrix(h)
	d := product(ph, weight, pw)
	xw := make([]float64, len(x))
	for i, v := range x {
		xw[i] = v * weight[i]
	}
	small := product(ph, xw, pw)
	for i, v := range d {
		small[i] /= math.Max(v, PullFloor)
		d[i] = math.Min(1, PullGain*v)
	}
	small = byMatrices(small, d, pw.Cols, ph.Cols, levels-1)
	fill := product(UpPool2Matrix(h), small, UpPool2Matrix(w))
	out := make([]float64, len(x))
	for i := range out {
		out[i] = weight[i]*x[i] + (1-weight[i])*fill[i]
	}
	return out
}
