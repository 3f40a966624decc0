package foreign

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/internal/onnxtest"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/reference"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/picture"
)

var testDev *gpu.Device

func TestMain(m *testing.M) {
	gputest.SmallKernels()
	gputest.Main(m, &testDev, "-")
}

type attrs = onnxtest.Attrs

// builder adds convolutions with random weights to a model.
type builder struct{ *onnxtest.Model }

func (b builder) conv(out, in string, cin, cout, k, stride int) string {
	v := make([]float32, cout*cin*k*k)
	for i := range v {
		v[i] = float32(rand.NormFloat64() / math.Sqrt(float64(cin*k*k)))
	}
	b.Floats(out+" w", []int{cout, cin, k, k}, v...)
	pad := k / 2
	if k == stride {
		pad = 0
	}
	b.Node("Conv", out, []string{in, out + " w"}, attrs{"pads": []int{pad, pad, pad, pad}, "strides": []int{stride, stride}})
	return out
}

func newModel(h, w int) builder {
	b := builder{onnxtest.New()}
	b.Input("picture", 1, 3, h, w)
	return b
}

// upscaler doubles the size: 5×5 and 3×3 convolutions, a shuffle of pixels, and the nearest pixel.
func upscaler() *onnxtest.Model {
	b := newModel(0, 0)
	b.conv("a", "picture", 3, 11, 5, 1)
	b.Node("LeakyRelu", "r", []string{"a"}, attrs{"alpha": 0.1})
	b.conv("c", "r", 11, 12, 3, 1)
	b.Node("DepthToSpace", "d", []string{"c"}, attrs{"blocksize": 2, "mode": "CRD"})
	b.Floats("scales", []int{4}, 1, 1, 2, 2)
	b.Node("Resize", "u", []string{"picture", "", "scales"}, attrs{"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"})
	b.Floats("part", nil, 0.2)
	b.Node("Mul", "p", []string{"d", "part"}, nil)
	b.Node("Add", "y", []string{"p", "u"}, nil)
	b.Output("y", 1, 3, 0, 0)
	return b.Model
}

// unet works at a quarter of the resolution too.
func unet() *onnxtest.Model {
	b := newModel(0, 0)
	b.conv("a", "picture", 3, 8, 3, 2)
	b.Node("Relu", "r", []string{"a"}, nil)
	b.Node("MaxPool", "m", []string{"r"}, attrs{"kernel_shape": []int{2, 2}, "strides": []int{2, 2}})
	b.conv("b", "m", 8, 12, 3, 1)
	b.Floats("t", []int{12, 8, 2, 2}, random(12*8*4)...)
	b.Node("ConvTranspose", "u", []string{"b", "t"}, attrs{"strides": []int{2, 2}})
	b.Node("Concat", "c", []string{"u", "r"}, attrs{"axis": 1})
	b.conv("d", "c", 16, 12, 3, 1)
	b.Node("DepthToSpace", "s", []string{"d"}, attrs{"blocksize": 2})
	b.Floats("part", nil, 0.05)
	b.Node("Mul", "p", []string{"s", "part"}, nil)
	b.Node("Add", "y", []string{"p", "picture"}, nil)
	b.Output("y", 1, 3, 0, 0)
	return b.Model
}

// attention scales the channels by their means over the picture.
func attention() *onnxtest.Model {
	b := newModel(0, 0)
	b.conv("a", "picture", 3, 8, 3, 1)
	b.Node("GlobalAveragePool", "g", []string{"a"}, nil)
	b.Node("Sigmoid", "s", []string{"g"}, nil)
	b.Node("Mul", "m", []string{"a", "s"}, nil)
	b.conv("y", "m", 8, 3, 1, 1)
	b.Output("y", 1, 3, 0, 0)
	return b.Model
}

func random(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(0.3 * rand.NormFloat64())
	}
	return v
}

func photo(w, h int) *picture.Picture {
	p := picture.New(w, h, make([]float32, 3*w*h))
	for i := range p.Pix {
		c, y, x := i/(w*h), i/w%h, i%w
		p.Pix[i] = 0.5*float32(math.Sin(float64(x*(c+1))/7+float64(y)/5)) + 0.2*float32(rand.Float64())
	}
	return p
}

func open(t *testing.T, m *onnxtest.Model, change func(c *Config)) *Network {
	t.Helper()
	c := Config{Data: m.Bytes(), Shared: testDev}
	if change != nil {
		change(&c)
	}
	n, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

func restored(t *testing.T, n *Network, p *picture.Picture) *picture.Picture {
	t.Helper()
	out, err := n.Restore(t.Context(), p, Request{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// expected runs the model in float64 over a picture that is continued by reflection to multiples of
// align.
func expected(t *testing.T, m *onnxtest.Model, p *picture.Picture, align, scale int, black, white float64) []float64 {
	t.Helper()
	h, w := tile.RoundUp(p.H, align), tile.RoundUp(p.W, align)
	mirror := func(i, n int) int { return min(i, 2*(n-1)-i) }
	x := onnxtest.Generate([]int{1, 3, h, w}, func(i []int) float64 {
		v := float64(p.Pix[(i[1]*p.H+mirror(i[2], p.H))*p.W+mirror(i[3], p.W)])
		return black + (v+1)/2*(white-black)
	})
	y := onnxtest.Run(t, m.Bytes(), map[string]onnxtest.Array{"picture": x})["y"]
	var out []float64
	for c := range 3 {
		for r := range p.H * scale {
			for k := range p.W * scale {
				v := (y.At([]int{0, c, r, k})-black)/(white-black)*2 - 1
				out = append(out, max(-1, min(1, v)))
			}
		}
	}
	return out
}

func worst(got []float32, want []float64) (d float64) {
	for i, v := range want {
		d = max(d, math.Abs(v-float64(got[i])))
	}
	return d
}

// TestRestore compares whole pictures with the model in float64, and tiles with whole pictures.
func TestRestore(t *testing.T) {
	for name, c := range map[string]struct {
		m                  *onnxtest.Model
		scale, align, halo int
	}{
		"upscaler": {upscaler(), 2, 1, 3},
		// Four pixels read 2+2 sites at half the resolution, for them 5 at a quarter and 10 at half,
		// and 9 pixels on each side of their own; that is rounded up to 12.
		"unet": {unet(), 1, 4, 12},
	} {
		p := photo(70, 51)
		n := open(t, c.m, nil)
		halo, local := n.Halo()
		if n.Scale() != c.scale || n.align != c.align || halo != c.halo || !local {
			t.Errorf("%s: scale %d, alignment %d, halo %d", name, n.Scale(), n.align, halo)
		}
		whole := restored(t, n, p)
		if d := worst(whole.Pix, expected(t, c.m, p, c.align, c.scale, 0, 1)); !(d < 1e-5) {
			t.Errorf("%s: differs from float64 by %g", name, d)
		}
		if whole.W != c.scale*p.W || whole.H != c.scale*p.H {
			t.Errorf("%s: the result has %d×%d pixels", name, whole.W, whole.H)
		}
		portable := open(t, c.m, func(cfg *Config) { cfg.Portable = true })
		if d := worst(restored(t, portable, p).Pix, expected(t, c.m, p, c.align, c.scale, 0, 1)); !(d < 1e-5) {
			t.Errorf("%s: portable kernels differ from float64 by %g", name, d)
		}
		// Float16 has steps of 2^-11 below 1.
		half := open(t, c.m, func(cfg *Config) { cfg.Portable, cfg.Half = true, true })
		if d := worst(restored(t, half, p).Pix, expected(t, c.m, p, c.align, c.scale, 0, 1)); !(d < 2e-2) {
			t.Errorf("%s: float16 differs from float64 by %g", name, d)
		}
		tiled := open(t, c.m, func(cfg *Config) { cfg.Tile = 16 })
		rows, calls := 0, 0
		parts, err := tiled.Restore(t.Context(), p, Request{
			Progress: func(done, total int) { calls++ },
			Rows:     func(_ *picture.Picture, r int) { rows = r },
		})
		if err != nil {
			t.Fatal(err)
		}
		if calls < 6 || rows != parts.H {
			t.Errorf("%s: %d tiles, %d rows reported", name, calls, rows)
		}
		for i, v := range whole.Pix {
			if d := math.Abs(float64(v - parts.Pix[i])); d > 1e-5 {
				t.Fatalf("%s: value %d of the tiles differs by %g", name, i, d)
			}
		}
	}
}

// TestTilesExact computes tiles and the whole picture in float64: they are the same, bit for bit.
func TestTilesExact(t *testing.T) {
	for name, m := range map[string]*onnxtest.Model{"upscaler": upscaler(), "unet": unet()} {
		read, err := Read(Config{Data: m.Bytes()})
		if err != nil {
			t.Fatal(err)
		}
		const w, h = 48, 40
		p := photo(w, h)
		s := read.scale
		run := func(at tile.Rect) []float64 {
			g := netdef.NewGraph()
			b, err := read.build(g, at.H, at.W)
			if err != nil {
				t.Fatal(err)
			}
			x := netdef.NewTensor(b.Inputs[0].Node.Shape)
			for i := range at.W * at.H {
				for c := range 3 {
					x.Data[channels*i+c] = float64(p.Pix[(c*h+at.Y+i/at.W)*w+at.X+i%at.W])
				}
			}
			out := b.Outputs[0].Node
			y, err := reference.Run([]*netdef.Node{out}, map[string]*netdef.Tensor{"picture": x}, reference.InitialParams(0, out))
			if err != nil {
				t.Fatal(err)
			}
			return y[0].Data
		}
		whole := run(tile.Rect{W: w, H: h})
		tw, th := 16+2*read.halo, 8+2*read.halo
		for _, tl := range tile.Cut(tile.Rect{W: w, H: h}, tw, th, read.halo) {
			part, u := run(tl.At), scaled(tl, s)
			for y := u.Own.Y; y < u.Own.Bottom(); y++ {
				for x := u.Own.X; x < u.Own.Right(); x++ {
					for c := range 3 {
						if part[((y-u.At.Y)*u.At.W+x-u.At.X)*channels+c] != whole[(y*w*s+x)*channels+c] {
							t.Fatalf("%s: tile %+v differs at %d, %d", name, tl, x, y)
						}
					}
				}
			}
		}
	}
}

// TestRanges uses each range, given by the configuration or the metadata.
func TestRanges(t *testing.T) {
	p := photo(20, 12)
	for r, limits := range map[Range][2]float64{Unit: {0, 1}, Levels: {0, 255}, Signed: {-1, 1}} {
		m := upscaler()
		n := open(t, m, func(c *Config) { c.Range = r })
		if d := worst(restored(t, n, p).Pix, expected(t, m, p, 1, 2, limits[0], limits[1])); !(d < 1e-5) {
			t.Errorf("%v: differs by %g", r, d)
		}
		m.Meta[RangeKey] = r.String()
		if n := open(t, m, nil); n.Range() != r {
			t.Errorf("%v of the metadata became %v", r, n.Range())
		}
	}
	m := upscaler()
	m.Meta[RangeKey] = "0..1023"
	if _, err := Read(Config{Data: m.Bytes()}); err == nil {
		t.Error("an unknown range was accepted")
	}
}

// TestGlobal restores with a network that reads the whole picture, in one tile or in those that a
// halo allows.
func TestGlobal(t *testing.T) {
	m, p := attention(), photo(40, 30)
	n := open(t, m, func(c *Config) { c.Tile = 16 })
	if _, local := n.Halo(); local {
		t.Error("the network is taken for a local one")
	}
	if d := worst(restored(t, n, p).Pix, expected(t, m, p, 1, 1, 0, 1)); !(d < 1e-5) {
		t.Errorf("differs from float64 by %g", d)
	}
	tiles := 0
	n = open(t, m, func(c *Config) { c.Tile, c.Halo = 16, 4 })
	if _, err := n.Restore(t.Context(), p, Request{Progress: func(_, total int) { tiles = total }}); err != nil || tiles != 4 {
		t.Errorf("%d tiles with a halo of 4, %v", tiles, err)
	}
}

// TestPictures restores grey pictures, such with alpha, and such with levels.
func TestPictures(t *testing.T) {
	n := open(t, upscaler(), nil)
	p := photo(33, 17)
	want := restored(t, n, p)
	p.Alpha = make([]float32, p.W*p.H)
	levels := *p
	levels.Levels, levels.Pix, levels.Depth = picture.NewLevels(16, len(p.Pix)), nil, 16
	levels.Levels.Write(0, p.Pix)
	got := restored(t, n, &levels)
	if got.Levels == nil || got.Pix != nil || len(got.Alpha) != got.W*got.H {
		t.Fatal("levels or alpha are lost")
	}
	v := make([]float32, len(want.Pix))
	got.Levels.Read(v, 0)
	for i := range v {
		if math.Abs(float64(v[i]-want.Pix[i])) > 1e-3 {
			t.Fatalf("value %d is %v with levels, %v without", i, v[i], want.Pix[i])
		}
	}
	grey := photo(33, 17)
	grey.Gray = true
	copy(grey.Pix[33*17:], grey.Pix[:33*17])
	copy(grey.Pix[2*33*17:], grey.Pix[:33*17])
	out, size := restored(t, n, grey), 4*33*17
	for i := range size {
		if out.Pix[i] != out.Pix[size+i] || out.Pix[i] != out.Pix[2*size+i] {
			t.Fatal("the result of a grey picture is coloured")
		}
	}
}

// TestFixedSize restores with a model whose graph is for one size of pictures.
func TestFixedSize(t *testing.T) {
	b := newModel(24, 32)
	b.conv("a", "picture", 3, 3, 3, 1)
	b.Floats("bias", []int{1, 3, 24, 32}, make([]float32, 3*24*32)...)
	b.Node("Add", "y", []string{"a", "bias"}, nil)
	b.Output("y", 1, 3, 24, 32)
	n := open(t, b.Model, nil)
	if n.fixed != [2]int{24, 32} || n.global == nil {
		t.Fatalf("size %v, %v", n.fixed, n.global)
	}
	small := restored(t, n, photo(20, 24))
	if small.W != 20 || small.H != 24 {
		t.Errorf("the result has %d×%d pixels", small.W, small.H)
	}
	var bad *Error
	if _, err := n.Restore(t.Context(), photo(40, 24), Request{}); !errors.As(err, &bad) {
		t.Errorf("a picture that is too large: %v", err)
	}
	n = open(t, b.Model, func(c *Config) { c.Halo = 1 })
	p := photo(70, 50)
	if out := restored(t, n, p); out.W != 70 || out.H != 50 {
		t.Errorf("the result has %d×%d pixels", out.W, out.H)
	}
}

// TestErrors checks what is refused, and that messages say why.
func TestErrors(t *testing.T) {
	refused := func(words string, build func(b builder)) {
		t.Helper()
		b := builder{onnxtest.New()}
		build(b)
		if _, err := Read(Config{Data: b.Bytes()}); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%v does not say %q", err, words)
		}
	}
	refused("2 inputs", func(b builder) {
		b.Input("picture", 1, 3, 0, 0)
		b.Input("sigma", 1, 1, 1, 1)
		b.Node("Mul", "y", []string{"picture", "sigma"}, nil)
		b.Output("y")
	})
	refused("[1,3,H,W]", func(b builder) {
		b.Input("picture", 1, 1, 0, 0)
		b.Node("Relu", "y", []string{"picture"}, nil)
		b.Output("y")
	})
	refused("its output is [1 4 128 128]", func(b builder) {
		b.Input("picture", 1, 3, 0, 0)
		b.conv("y", "picture", 3, 4, 3, 1)
		b.Output("y")
	})
	refused("its output is [1 3 64 64]", func(b builder) {
		b.Input("picture", 1, 3, 0, 0)
		b.conv("y", "picture", 3, 3, 2, 2)
		b.Output("y")
	})
	refused(`"y" (Erf)`, func(b builder) {
		b.Input("picture", 1, 3, 0, 0)
		b.Node("Erf", "y", []string{"picture"}, nil)
		b.Output("y")
	})
	refused("ONNX", func(b builder) {})
	if _, err := Read(Config{Path: "there is no such file"}); err == nil {
		t.Error("a missing file was read")
	}
	b := newModel(0, 0)
	b.Floats("much", nil, 3e38)
	b.Node("Mul", "a", []string{"picture", "much"}, nil)
	b.Node("Mul", "y", []string{"a", "a"}, nil)
	b.Output("y", 1, 3, 0, 0)
	n := open(t, b.Model, nil)
	if _, err := n.Restore(t.Context(), photo(8, 8), Request{}); err == nil || !strings.Contains(err.Error(), "not finite") {
		t.Errorf("infinite values: %v", err)
	}
	if _, err := n.Restore(t.Context(), nil, Request{}); err == nil {
		t.Error("no picture was accepted")
	}
}
