package restore

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/internal/finite"
	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// withHole gives a picture alpha of 0 on a disc, between 0 and 1 on its rim, 1 elsewhere. It
// returns the same picture with other colours where alpha is 0.
func withHole(rnd *rand.Rand, p *picture.Picture) (other *picture.Picture) {
	n := p.W * p.H
	p.Alpha = make([]float32, n)
	q := *p
	q.Pix = slices.Clone(p.Pix)
	r := float64(min(p.W, p.H)) / 3
	for i := range n {
		d := math.Hypot(float64(i%p.W-p.W/2), float64(i/p.W-p.H/2))
		p.Alpha[i] = float32(min(max(d-r, 0), 1))
		if p.Alpha[i] == 0 {
			for c := range 3 {
				p.Pix[c*n+i], q.Pix[c*n+i] = -1, float32(2*rnd.Float64()-1)
			}
		}
	}
	return &q
}

// TestHiddenColours checks for every task that hidden colours do not affect visible pixels or
// estimates, and are in the result as they were given.
func TestHiddenColours(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	for _, what := range task.All() {
		for _, kind := range []string{"floats", "levels", "ensemble", "samples", "projected"} {
			p := randomPicture(rnd, 22, 18)
			if kind == "levels" { // whose values lie on levels
				for i, v := range p.Pix {
					p.Pix[i] = float32(math.Round(float64(v+1)*127.5)/127.5) - 1
				}
			}
			q := withHole(rnd, p)
			req := request(rnd, what, p)
			req.Noise = 0
			switch kind {
			case "levels":
				for _, p := range []*picture.Picture{p, q} {
					l := picture.NewLevels(8, len(p.Pix))
					l.Write(0, p.Pix)
					p.Levels, p.Pix = l, nil
				}
			case "ensemble":
				req.Ensemble = 4
			case "samples":
				req.Samples = 2
			case "projected":
				if !canProject(what) {
					continue
				}
				req.Project = true
			}
			a, err1 := m.Restore(context.Background(), p, req)
			b, err2 := m.Restore(context.Background(), q, req)
			if err1 != nil || err2 != nil {
				t.Fatalf("%v, %s: %v, %v", what, kind, err1, err2)
			}
			if a.Noise != b.Noise {
				t.Errorf("%v, %s: the noise is %g and %g", what, kind, a.Noise, b.Noise)
			}
			pairs := [][3]*picture.Picture{{a.Picture, p, b.Picture}, {b.Picture, q, a.Picture}}
			if req.Samples > 0 {
				pairs = append(pairs, [3]*picture.Picture{a.Samples[1], p, b.Samples[1]}, [3]*picture.Picture{a.Mean, p, b.Mean})
			}
			for _, x := range pairs {
				out, in, other := x[0].Unpacked(), x[1].Unpacked(), x[2].Unpacked()
				scale, n := out.W/in.W, out.W*out.H
				hidden := 0
				for i := range n {
					for c := range 3 {
						v := out.Pix[c*n+i]
						if out.Alpha[i] > 0 {
							if v != other.Pix[c*n+i] {
								t.Fatalf("%v, %s: pixel %d that is visible depends on a hidden one", what, kind, i)
							}
							continue
						}
						hidden++
						if want := in.Pix[(c*in.H+i/out.W/scale)*in.W+i%out.W/scale]; math.Abs(float64(v-want)) > 1e-6 {
							t.Fatalf("%v, %s: hidden pixel %d is %g, was %g", what, kind, i, v, want)
						}
					}
				}
				if hidden == 0 {
					t.Fatal("nothing is hidden")
				}
			}
		}
	}
}

// TestFillHidden checks that visible colours are continued, also if no pixel is visible.
func TestFillHidden(t *testing.T) {
	all := func(int) bool { return true }
	p := picture.New(20, 20, make([]float32, 1200))
	for i := range p.Pix {
		p.Pix[i] = 0.75
	}
	q := withHole(newRand(t), p)
	for _, p := range []*picture.Picture{p, q} {
		filled, err := fillHidden(p, all)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range filled.Pix {
			if math.Abs(float64(v)-0.75) > 0.5/127.5 {
				t.Fatalf("value %d is filled with %g", i, v)
			}
		}
	}
	clear(q.Alpha)
	if filled, err := fillHidden(q, all); err != nil || finite.FirstNot(filled.Pix) >= 0 {
		t.Errorf("nothing visible: %v", err)
	}
	// Missing pixels, which inpainting will replace, are not continued.
	missing := func(i int) bool { return i%20 < 10 }
	for i := range q.Alpha {
		q.Alpha[i] = 1
		q.Pix[i], q.Pix[400+i], q.Pix[800+i] = -1, -1, -1
		if missing(i) {
			q.Pix[i], q.Pix[400+i], q.Pix[800+i] = 1, 1, 1
		}
	}
	q.Alpha[20*10+10] = 0
	filled, err := fillHidden(q, func(i int) bool { return !missing(i) })
	if err != nil || filled.Pix[20*10+10] != -1 {
		t.Errorf("filled with %g from what is missing (%v)", filled.Pix[20*10+10], err)
	}
}

// TestStreamHidden checks the same for frames of video with alpha.
func TestStreamHidden(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	p := randomPicture(rnd, 16, 12)
	q := withHole(rnd, p)
	f := frame.Format{Kind: frame.RGBA}
	out := make([][]byte, 2)
	for k, p := range []*picture.Picture{p, q} {
		s, err := m.NewStream(StreamConfig{Task: task.Denoise, W: p.W, H: p.H, In: f, Out: f})
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, s.InSize())
		n := p.W * p.H
		for i := range n {
			for c := range 3 {
				data[4*i+c] = byte((p.Pix[c*n+i]+1)*127.5 + 0.5)
			}
			data[4*i+3] = byte(p.Alpha[i] * 255)
		}
		out[k] = make([]byte, s.OutSize())
		if err := s.Submit(context.Background(), data); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Receive(context.Background(), out[k]); err != nil {
			t.Fatal(err)
		}
		s.Close()
		for i := range n {
			if data[4*i+3] == 0 && binary.LittleEndian.Uint32(data[4*i:]) != binary.LittleEndian.Uint32(out[k][4*i:]) {
				t.Fatalf("hidden pixel %d changed", i)
			}
		}
	}
	for i := range p.Alpha {
		if out[0][4*i+3] > 0 && !slices.Equal(out[0][4*i:4*i+4], out[1][4*i:4*i+4]) {
			t.Fatalf("pixel %d that is visible depends on a hidden one", i)
		}
	}
}

// TestInpaintingDropsMakerNotes: they may hold a preview that shows what inpainting removes. Other
// tasks keep them.
func TestInpaintingDropsMakerNotes(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	for _, what := range []task.Task{task.Inpaint, task.Denoise} {
		p := randomPicture(rnd, 12, 10)
		// II*, a directory with a pointer to another one, which has notes of five bytes.
		b := binary.LittleEndian.AppendUint32([]byte("II*\x00"), 8)
		b = append(b, 1, 0, 0x69, 0x87, 4, 0, 1, 0, 0, 0, 26, 0, 0, 0, 0, 0, 0, 0)
		b = append(b, 1, 0, 0x7c, 0x92, 7, 0, 5, 0, 0, 0, 44, 0, 0, 0, 0, 0, 0, 0)
		p.EXIF = append(b, "NOTES"...)
		q := restored(t, m, p, request(rnd, what, p)).Picture
		if kept := slices.Contains(q.EXIF, 'N'); kept == what.Masked() || kept == (len(q.Dropped) == 1) {
			t.Errorf("%v: notes %v, dropped %q", what, kept, q.Dropped)
		}
	}
}
