package experiment

import (
	"context"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/gputest"
)

var testDev *gpu.Device

func TestMain(m *testing.M) {
	gputest.SmallKernels()
	gputest.Main(m, &testDev, "")
}

// The closed forms against direct computation: the free gain gives the Kalman mean whatever the
// rotation (A.13 and A.14), the gain tied to a diagonal covariance does not (eq. 82), and at the
// eigenvectors of H the diagonal loses nothing (A.16).
func TestLinearClosedForms(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
	p := drawLinear(DefaultLinear(), rng)
	k := mul(p.ul(), p.q0)
	c := p.closed(k)
	if e := meanError(k, c.gain, c); !(e < 1e-10) {
		t.Errorf("the unconstrained optimum misses the Kalman mean by %g", e)
	}
	if e := meanError(k, p.tied(k, c), c); !(e > 0.01) {
		t.Errorf("the tied gain misses it by %g only", e)
	}
	if gap := hadamard(c); !(gap > 0.01) {
		t.Errorf("a random rotation leaves a gap of %g", gap)
	}
	// P(Q) = Qᵀ H Q: rotate by the eigenvectors of P.
	sym := mat.NewSymDense(dim, nil)
	for i := range dim {
		for j := i; j < dim; j++ {
			sym.SetSym(i, j, (c.precision.At(i, j)+c.precision.At(j, i))/2)
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(sym, true) {
		t.Fatal("no eigenvectors")
	}
	var v mat.Dense
	eig.VectorsTo(&v)
	k = mul(k, &v)
	c = p.closed(k)
	if gap := hadamard(c); !(math.Abs(gap) < 1e-8) {
		t.Errorf("aligned, the gap is %g", gap)
	}
	if e := meanError(k, p.tied(k, c), c); !(e < 1e-8) {
		t.Errorf("aligned, the tied gain misses by %g", e)
	}
}

// A short training must come near the closed forms, and joint training must close most of the gap
// that separate training cannot.
func TestLinearTraining(t *testing.T) {
	cfg := DefaultLinear()
	cfg.Problems, cfg.Steps, cfg.Batch, cfg.LR = 1, 500, 512, 2e-2
	rs, err := Linear(context.Background(), testDev, io.Discard, cfg)
	if err != nil {
		t.Fatal(err)
	}
	sep, joint := rs[0], rs[1]
	if !(sep.MeanError < 0.25) || !(sep.VarianceError < 0.15) || !(joint.MeanError < 0.25) {
		t.Errorf("far from the closed forms: %+v %+v", sep, joint)
	}
	if !(joint.Gap < 0.5*sep.Gap) {
		t.Errorf("joint training leaves a gap of %g nats, separate %g", joint.Gap, sep.Gap)
	}
	for _, bad := range []LinearConfig{{}, {Problems: 1, Observed: 9, Sigma: 1, Tau: 1, Steps: 1, Batch: 8}, {Problems: 1, Observed: 1, Sigma: 1, Tau: 1, Steps: 1, Batch: 7}} {
		if _, err := Linear(context.Background(), testDev, io.Discard, bad); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}
