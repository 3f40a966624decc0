package task

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

func TestDrawIsDeterministic(t *testing.T) {
	seed := rand.Uint64()
	for _, task := range append(All(), Inpaint) {
		a, _ := DrawTraining(NewRand(seed, 3), task, 80, 70, 1)
		b, _ := DrawTraining(NewRand(seed, 3), task, 80, 70, 1)
		c, _ := DrawTraining(NewRand(seed+1, 3), task, 80, 70, 1)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%v: the same seed gave two results", task)
		}
		if (task.Masked() || task == MotionDeblur) && reflect.DeepEqual(a, c) {
			t.Errorf("%v: another seed gave the same", task)
		}
	}
}

func TestDrawErrors(t *testing.T) {
	rng := fresh(t)
	for _, c := range []struct {
		task  Task
		w, h  int
		scale float64
	}{{Denoise, 0, 3, 1}, {MotionDeblur, 8, 8, 0}, {MotionDeblur, 8, 8, 1.5}, {MotionDeblur, 8, 8, math.NaN()}, {Task(9), 8, 8, 1}} {
		if _, err := Draw(rng, c.task, c.w, c.h, c.scale); err == nil {
			t.Errorf("%+v accepted", c)
		}
	}
}

func TestLawOfDroppedPixels(t *testing.T) {
	rng := fresh(t)
	sum, low, high := 0.0, 1.0, 0.0
	const n, side = 300, 96
	for i := 0; i < n; i++ {
		p, err := Draw(rng, InpaintRandom, side, side, 1)
		if err != nil {
			t.Fatal(err)
		}
		missing := 0
		for _, m := range p.Mask {
			if m != 0 && m != 1 {
				t.Fatalf("mask value %v", m)
			}
			missing += int(1 - m)
		}
		share := float64(missing) / (side * side)
		sum, low, high = sum+share, min(low, share), max(high, share)
	}
	if mean := sum / n; math.Abs(mean-0.5) > 6*0.4/math.Sqrt(12*n) {
		t.Errorf("mean share %v", mean)
	}
	if low < 0.27 || high > 0.73 || low > 0.33 || high < 0.67 {
		t.Errorf("shares from %v to %v", low, high)
	}
}

func TestLawOfBoxes(t *testing.T) {
	rng := fresh(t)
	sizes := map[int]bool{}
	minX, maxX := 256, 0
	for i := 0; i < 4000; i++ {
		b := drawBox(rng, 256, 256)
		if b.Dx() < 32 || b.Dx() > 127 || b.Dy() < 32 || b.Dy() > 127 || b.Min.X < 16 || b.Min.Y < 16 || b.Max.X > 240 || b.Max.Y > 240 {
			t.Fatalf("box %v", b)
		}
		sizes[b.Dx()] = true
		minX, maxX = min(minX, b.Min.X), max(maxX, b.Max.X)
		if i%400 == 0 {
			p, err := Draw(rng, InpaintBox, 256, 256, 1)
			if err != nil {
				t.Fatal(err)
			}
			b, missing := p.Box, 0
			for j, m := range p.Mask {
				in := j%256 >= b.Min.X && j%256 < b.Max.X && j/256 >= b.Min.Y && j/256 < b.Max.Y
				if in != (m == 0) {
					t.Fatalf("mask and box %v disagree", b)
				}
				if m == 0 {
					missing++
				}
			}
			if missing != b.Dx()*b.Dy() {
				t.Errorf("%d missing pixels in %v", missing, b)
			}
		}
	}
	if len(sizes) != 96 || minX != 16 || maxX != 240 {
		t.Errorf("%d widths of 96, x from %d to %d", len(sizes), minX, maxX)
	}
	// smaller crops: the law shrinks; the tiniest still work
	for i := 0; i < 300; i++ {
		p, _ := Draw(rng, InpaintBox, 64, 90, 1)
		if b := p.Box; b.Dx() < 8 || b.Dx() > 32 || b.Dy() < 8 || b.Min.X < 4 || b.Max.X > 60 || b.Max.Y > 86 {
			t.Fatalf("box %v in 64×90", b)
		}
		w, h := 1+rng.IntN(12), 1+rng.IntN(12)
		if p, err := Draw(rng, InpaintBox, w, h, 1); err != nil || p.Box.Empty() || p.Box.Min.X < 0 || p.Box.Max.X > w || p.Box.Max.Y > h {
			t.Fatalf("box %v in %d×%d: %v", p.Box, w, h, err)
		}
	}
}

func TestResolve(t *testing.T) {
	rng := fresh(t)
	for _, want := range []Task{InpaintRandom, InpaintBox} {
		p, _ := Draw(rng, want, 200, 150, 1)
		if got := Resolve(Inpaint, p.Mask, 200, 150); got != want {
			t.Errorf("%v mask taken for %v", want, got)
		}
		if got := Resolve(Denoise, p.Mask, 200, 150); got != Denoise {
			t.Errorf("Denoise became %v", got)
		}
	}
	scratch := make([]float32, 100*80) // lines three pixels wide
	for i := range scratch {
		if i%100%20 > 2 {
			scratch[i] = 1
		}
	}
	if got := Resolve(Inpaint, scratch, 100, 80); got != InpaintRandom {
		t.Errorf("scratches taken for %v", got)
	}
}
