package trainhost

import (
	"math"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/reference"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// The operators and the adapter's views of the training graph must be those that
// the product uses (package task), for every class.
func TestOperatorsAreTheProducts(t *testing.T) {
	const side = 32
	per := Counts{1, 2, 3, 1, 2, 2}
	ks := task.MotionSide(kernelScale(side))
	b, err := batchSource{pictures: noisePictures(5, 48), seed: 11, counts: per, side: side}.batch(3)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b[inSigma] {
		b[inSigma][i] = 0 // the noise comes from different generators
	}
	g := netdef.NewGraph()
	n := per.Total()
	x := g.Input(inX, netdef.Shape{n, 3, side, side})
	sigma := g.Input(inSigma, netdef.Shape{n, 1, 1, 1})
	key := g.Input(inKey, netdef.KeyShape)
	ops := newOperators(g, per, side, ks)
	ys := ops.observe(x, g.Normal(x.Shape, key, 1), sigma)
	views, masks := ops.views(ys), ops.masks()
	inputs := map[string]*netdef.Tensor{inKey: netdef.Key{Seed: 1}.Tensor()}
	for _, in := range []*netdef.Node{x, sigma, ops.mask, ops.kernel} {
		inputs[in.Name], err = netdef.FromFloat32(in.Shape, b[in.Name])
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	got, err := reference.Run(append(append(append([]*netdef.Node{}, ys...), views...), masks...), inputs, nil)
	if err != nil {
		t.Fatal(err)
	}
	plane := side * side
	for i := 0; i < n; i++ {
		c := per.Class(i)
		k := i - per.Start(c)
		clean := &planar.Image{W: side, H: side, Pix: b[inX][i*3*plane : (i+1)*3*plane]}
		w := task.Params{}
		switch c {
		case clsRandom, clsBox:
			w.Mask = b[inMask][(i-per.Start(clsRandom))*plane:][:plane]
		case clsMotion:
			w.Kernel = kernelFrom(b[inKernel][k*ks*((ks+7)/8*8):], ks)
		}
		op, err := task.NewOperator(classTask[c], side, side, w)
		if err != nil {
			t.Fatal(err)
		}
		y, err := op.Apply(clean)
		if err != nil {
			t.Fatal(err)
		}
		view, known, err := task.View(classTask[c], y, w.Mask)
		if err != nil {
			t.Fatal(err)
		}
		same := func(what string, out *netdef.Tensor, want []float32) {
			size := out.Shape.Size() / per[c]
			if size != len(want) {
				t.Fatalf("%v: %s has %d values, want %d", classTask[c], what, size, len(want))
			}
			for j, v := range want {
				if d := math.Abs(out.Data[k*size+j] - float64(v)); !(d < 2e-5) {
					t.Fatalf("%v picture %d: %s[%d] is %g, want %g", classTask[c], k, what, j, out.Data[k*size+j], v)
				}
			}
		}
		same("y", got[c], y.Pix)
		same("view", got[Classes+c], view.Pix)
		same("mask", got[2*Classes+c], known)
	}
}

// kernelFrom reads a kernel back from its padded rows.
func kernelFrom(rows []float32, side int) *task.Kernel {
	k := &task.Kernel{Size: side}
	stride := (side + 7) / 8 * 8
	for r := 0; r < side; r++ {
		k.W = append(k.W, rows[r*stride:r*stride+side]...)
	}
	return k
}
