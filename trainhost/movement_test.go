package trainhost

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/disintegration/imaging"
	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/trainhost/optim"
	"github.com/vfmrestore/restore/weights"
)

// writeFrames writes pictures as the frames of a video.
func writeFrames(t *testing.T, imgs []image.Image) []string {
	t.Helper()
	dir := t.TempDir()
	for i, img := range imgs {
		if err := imaging.Save(img, filepath.Join(dir, fmt.Sprintf("%03d.png", i))); err != nil {
			t.Fatal(err)
		}
	}
	paths, err := VideoFrames(dir)
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// greys are frames of one value each.
func greys(n, side int) (imgs []image.Image) {
	for i := range n {
		v := uint8(40 + 10*i)
		imgs = append(imgs, imaging.New(side, side+8, color.NRGBA{v, v / 2, 255 - v, 255}))
	}
	return imgs
}

// The mean of frames is that of their display values or of their linear light. The sharp picture is
// the middle frame.
func TestMeanOfFrames(t *testing.T) {
	m, err := NewMovement(noisePictures(2, 96), writeFrames(t, greys(20, 64)), 64)
	if err != nil {
		t.Fatal(err)
	}
	lengths := map[int]bool{}
	for i := range 60 {
		x, y := m.mean(rand.New(rand.NewPCG(5, uint64(i))), 64)
		// The value of the middle frame is its index. The mean of one length, in light or not, must
		// fit.
		middle := int(math.Round((float64(x.Pix[0])*127.5 + 127.5 - 40) / 10))
		fits := 0
		for n := 3; n <= 15; n += 2 {
			var plain, light float64
			for k := middle - n/2; k <= middle+n/2; k++ {
				v := float32(40+10*k)/127.5 - 1
				plain += float64(v) / float64(n)
				light += float64(camera.Light(v)) / float64(n)
			}
			for _, want := range []float64{plain, float64(camera.Display(float32(light)))} {
				if math.Abs(float64(y.Pix[0])-want) < 2e-4 {
					fits++
					lengths[n] = true
				}
			}
		}
		if fits == 0 || slices.Min(y.Plane(0)) < y.Pix[0]-1e-5 || slices.Max(y.Plane(0)) > y.Pix[0]+1e-5 {
			t.Fatalf("draw %d: frame %d and %g fit no mean", i, middle, y.Pix[0])
		}
	}
	if len(lengths) < 5 {
		t.Errorf("only means of %v frames were drawn", lengths)
	}
}

// Paths have the offset 0 at time 0, and the extent that was asked for.
func TestPath(t *testing.T) {
	for i := range 200 {
		rng := rand.New(rand.NewPCG(6, uint64(i)))
		want := 2 + 28*rng.Float64()
		p := drawPath(rng, want, 128)
		if x, y := p.at(0); x != 0 || y != 0 {
			t.Fatalf("path %d is at (%g, %g) in the middle", i, x, y)
		}
		lo, hi := [2]float64{}, [2]float64{}
		for k := range 1001 {
			x, y := p.at(float64(k)/1000 - 0.5)
			lo, hi = [2]float64{min(lo[0], x), min(lo[1], y)}, [2]float64{max(hi[0], x), max(hi[1], y)}
		}
		if got := max(hi[0]-lo[0], hi[1]-lo[1]); got < want-1e-9 || got > 1.2*want+0.5 {
			t.Errorf("path %d: %g pixels, want %g", i, got, want)
		}
	}
}

// A layer that is moved and rotated shows the picture at the moved place. On a linear ramp this is
// exact.
func TestMovingLayer(t *testing.T) {
	const side, out = 90, 30
	ramp := planar.New(side, side)
	value := func(x, y float64) float64 { return 0.003*x - 0.002*y }
	for i := range ramp.Pix {
		ramp.Pix[i] = float32(value(float64(i%side), float64(i/side%side)))
	}
	for i := range 20 {
		rng := rand.New(rand.NewPCG(7, uint64(i)))
		s := movingLayer{picture: ramp, path: drawPath(rng, 10*rng.Float64(), 30)}
		s.path.rotation = 0.05 * rng.NormFloat64()
		at := rng.Float64() - 0.5
		got := planar.New(out, out)
		for k := range got.Pix {
			got.Pix[k] = 7 // poison
		}
		s.draw(got, at)
		dx, dy := s.path.at(at)
		a := s.path.rotation * at
		mx, my := out/2+s.path.centreX, out/2+s.path.centreY
		for k, v := range got.Pix {
			u, w := float64(k%out), float64(k/out%out)
			x := math.Cos(a)*(u-mx) - math.Sin(a)*(w-my) + mx + dx + (side-out)/2
			y := math.Sin(a)*(u-mx) + math.Cos(a)*(w-my) + my + dy + (side-out)/2
			if math.Abs(float64(v)-value(x, y)) > 1e-5 && min(x, y) > 1 && max(x, y) < side-2 {
				t.Fatalf("layer %d at (%g, %g): %g, want %g", i, u, w, v, value(x, y))
			}
		}
		// With an opacity of a half, half of the background is visible.
		s.opacity = slices.Repeat([]float32{0.5}, side*side)
		half := planar.New(out, out)
		s.draw(half, at)
		for k, v := range half.Pix {
			if math.Abs(float64(v-got.Pix[k]/2)) > 1e-6 {
				t.Fatalf("half a layer: %g, want %g", v, got.Pix[k]/2)
			}
		}
	}
	for i := range 20 {
		cover := drawShape(rand.New(rand.NewPCG(8, uint64(i))), 60)
		if lo, hi := slices.Min(cover), slices.Max(cover); lo != 0 || hi != 1 {
			t.Errorf("shape %d covers from %g to %g", i, lo, hi)
		}
	}
}

// Draws are reproducible, have the right side and are in range. Some are sharp and some are
// blurred.
func TestMovementLaw(t *testing.T) {
	const side = 64
	m, err := NewMovement(noisePictures(4, 200), writeFrames(t, greys(8, 96)), side)
	if err != nil {
		t.Fatal(err)
	}
	var estimator noise.Estimator
	sharp, blurred := 0, 0
	for i := range 60 {
		var first degraded
		for try := range 2 {
			ob, err := m.draw(rand.New(rand.NewPCG(9, uint64(i))), side)
			if err != nil {
				t.Fatal(err)
			}
			ob.estimateNoise(&estimator)
			if ob.clean.W != side || ob.clean.H != side || ob.noisy.W != side || ob.noisy.H != side || !ob.profile.Found {
				t.Fatalf("draw %d: %d×%d and %d×%d pixels, %+v", i, ob.clean.W, ob.clean.H, ob.noisy.W, ob.noisy.H, ob.profile)
			}
			if v := slices.Concat(ob.clean.Pix, ob.noisy.Pix); slices.Min(v) < -1 || slices.Max(v) > 1 {
				t.Fatalf("draw %d: values from %g to %g", i, slices.Min(v), slices.Max(v))
			}
			if try == 0 {
				first = ob
			} else if !slices.Equal(first.noisy.Pix, ob.noisy.Pix) || !slices.Equal(first.clean.Pix, ob.clean.Pix) {
				t.Fatalf("draw %d differs the second time", i)
			}
		}
		switch d := apart(first.clean.Pix, first.noisy.Pix); {
		case d < 0.05:
			sharp++
		case d > 0.1:
			blurred++
		}
	}
	if sharp < 5 || blurred < 5 {
		t.Errorf("of 60 draws %d are sharp and %d blurred", sharp, blurred)
	}
}

// apart is the root mean square difference of two pictures.
func apart(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]-b[i]) * float64(a[i]-b[i])
	}
	return math.Sqrt(sum / float64(len(a)))
}

func TestBadFrames(t *testing.T) {
	pics := noisePictures(2, 96)
	mixed := append(greys(5, 64), imaging.New(40, 72, color.White))
	for words, f := range map[string]func() error{
		"the first has": func() error { _, err := NewMovement(pics, writeFrames(t, mixed), 32); return err },
		"fewer than 65": func() error { _, err := NewMovement(pics, writeFrames(t, greys(5, 64)), 65); return err },
		"frame ":        func() error { _, err := NewMovement(pics, []string{"none.png"}, 32); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", words, err)
		}
	}
}

// A run on movement needs its frames, trains no other task, and is packed as a network for
// movement.
func TestTrainMovement(t *testing.T) {
	cfg := tinyConfig(2)
	cfg.Movement, cfg.Per = true, Counts{1, 1, 0, 0, 0, 0}
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "movement") {
		t.Errorf("movement beside another task: %v", err)
	}
	cfg.Per, cfg.Objective = Counts{2, 0, 0, 0, 0, 0}, regression()
	net := tinyNet()
	net.Noise = true
	tr, err := NewTrainer(testDev, noisePictures(3, 120), net, cfg, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if _, err := tr.Run(context.Background(), optim.Schedule{}, nil); err == nil || !strings.Contains(err.Error(), "frames") {
		t.Errorf("without frames: %v", err)
	}
	if tr.Movement, err = NewMovement(tr.pictures, writeFrames(t, greys(8, 64)), cfg.Crop); err != nil {
		t.Fatal(err)
	}
	if done, err := tr.Run(context.Background(), optim.Schedule{}, nil); err != nil || !done {
		t.Fatalf("done %v, %v", done, err)
	}
	path := filepath.Join(t.TempDir(), "a.ckpt")
	if err := SaveCheckpoint(path, tr.Store(), tr.State); err != nil {
		t.Fatal(err)
	}
	c, err := LoadCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	n, err := Pack(c, About{"noise", "nobody", "v1"})
	if err != nil {
		t.Fatal(err)
	}
	if tasks, err := n.Tasks(); err != nil || len(tasks) != 0 || n.Meta[weights.KeyTasks] != "movement" {
		t.Errorf("it is for %q, tasks %v, %v", n.Meta[weights.KeyTasks], tasks, err)
	}
}
