package shaders

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// everyKernel returns one instance of every kernel for a target, and some more.
func everyKernel(t Target) []Kernel {
	r := NewRecorder(Same, BatchChan, Pixel, One, Batch, Chan, PixelChan)
	x := 0
	for y := range r.x.In[1:] {
		x = r.Add(x, 1+y)
	}
	silu := r.Expr(r.Tanh(r.Add(r.Mul(x, r.Sigmoid(x)), r.Add(r.Log(r.Exp(x)), r.Add(r.Sin(x), r.Cos(x))))))
	post := sum()
	c := 4 * t.Lanes
	tiled := Conv{t.Tile(ConvShape{B: 2, IH: 6, IW: 8, Cin: 16, OH: 6, OW: 8, N: 2 * c, KH: 3, Stride: 1, Pad: 1, TP: 2, NJ: 4, KC: 16}), post}
	pair := Conv{t.Tile(ConvShape{B: 1, IH: 6, IW: 6, Cin: 4, OH: 6, OW: 6, N: 3 * c / 2, KH: 1, Stride: 1, TP: 2, NJ: 2, KC: 4}), Expr{}}
	wide := func(m, h, w, nj, band int) WinogradShape {
		return WinogradShape{M: m, B: 2, H: h, W: w, C: c, NJ: nj, Band: band}
	}
	list := []Kernel{
		tiled, pair,
		Pointwise{silu, 2, Tile{C: c, P: 6, NJ: 4, TP: 2}},
		Conv{ConvShape{B: 2, IH: 3, IW: 4, Cin: 8, OH: 3, OW: 4, N: c, KH: 3, Stride: 1, Pad: 1, TP: 2, NJ: 4, KC: 8}, post},
		Conv{ConvShape{B: 2, IH: 4, IW: 4, Cin: 16, OH: 2, OW: 2, N: c, KH: 2, Stride: 2, TP: 2, NJ: 2, KC: 8}, Expr{}},
		Conv{ConvShape{B: 1, IH: 1, IW: 5, Cin: 16, OH: 1, OW: 5, N: c, KH: 1, Stride: 1, TP: 1, NJ: 1, KC: 16}, Expr{}},
		Conv{ConvShape{B: 2, IH: 1, IW: 5, Cin: 16, OH: 1, OW: 5, N: c, KH: 1, Stride: 1, TP: 5, NJ: 4, KC: 16, Batched: 16 * c, NoStart: t.Mode == CPU}, post},
		GradW{ConvShape: ConvShape{B: 2, IH: 3, IW: 4, Cin: 8, OH: 3, OW: 4, N: c, KH: 3, Stride: 1, Pad: 1, NJ: 4}, KT: 4, Rows: 3, Cols: 4},
		WinogradInput{wide(2, 4, 8, 4, 4)}, WinogradOutput{wide(2, 4, 7, 4, 4), post}, WinogradWeights{WinogradFilters{2, 8, c, 4}},
		WinogradGrad{wide(2, 4, 7, 4, 4)}, WinogradGrad{wide(4, 4, 8, 2, 2)},
		WinogradGradW{WinogradFilters{2, 8, c, 4}}, WinogradGradW{WinogradFilters{4, 8, c, 2}},
		WinogradInput{wide(4, 5, 8, 4, 4)}, WinogradOutput{wide(4, 4, 6, 4, 2), post}, WinogradWeights{WinogradFilters{4, 8, c, 4}},
		ColSum{2, 5, c, 4, 4, true}, ColSumOf{post, false, 2, 6, c, 3, 4, 2}, ColSumOf{post, true, 2, 6, c, 3, 4, 2}, RowSum{3, 37, 2}, RowSum{1, 8 * t.Lanes, 4},
		LayerNorm{Rows{7, c, 7}, 1e-5, post}, LayerNormGrad{Rows{7, c, 7}, 1e-5, post, post}, Softmax{Rows{3, c, 3}},
		Copy{Dims: []int{3, 2}, In: []int{-2 * c, c}, Out: []int{2 * c, c}, InBase: 4 * c, Tab: identity(c)},
		Depthwise{1, 3, 4, c, 2}, DepthwiseGradW{1, 3, 4, c, 4},
		Blur{B: 2, Planes: 3, IH: 9, IW: 4 * t.Lanes, OH: 4, OW: 2 * t.Lanes, KH: 6, KW: 5, KStride: 8, Flip: true, Rows: 2, TY: 2, NX: 2},
		Random{2, 3, 4, 48, 3, true}, Random{2, 3, 4, 1, 3, false}, AdamW{8 * c, true},
	}
	if t.Mode == GPU {
		rows := Place{Size: 4, Off: -1, Sum: []Times{{1, 1}, {4, 1}}}
		list = append(list, General{
			Out: []int{2, 4, 3, 1}, Sum: []int{3, 5}, In: []View{{Along(0, 2), rows, Along(5, 5)}, {First(1), Along(4, 3)}}, To: View{Along(0, 2), Along(1, 4), Along(2, 3)},
		}, General{Out: []int{5}, In: []View{{Along(0, 5)}}, To: View{Along(0, 5)}}, Pack{identity(c)},
			GroupMean{N: 2 * c, Width: 2, Scale: 0.5}, GroupMean{N: c, Width: c, Scale: 0.25, Eps: 1e-5})
	}
	if t.Mode == CPU {
		list = append(list, AnyConv{KH: 1, Stride: 1, TP: 4, NJ: 4, KC: 16, Run: 16, Whole: true},
			AnyConv{KH: 3, Stride: 1, Pad: 1, TP: 2, NJ: 2, KC: 8, Run: 4}, AnyConv{KH: 2, Stride: 2, TP: 1, NJ: 1, KC: 4, Run: 4},
			AnyPointwise{post, 0, 4, 2, true}, AnyPointwise{post, c, 4, 1, false},
			AnyWinogradInput{AnyWinograd{M: 4, NJ: 1, WholeH: true, WholeW: true}}, AnyWinogradInput{AnyWinograd{M: 2, NJ: 4}},
			AnyWinogradOutput{AnyWinograd{M: 4, NJ: 1, WholeH: true, WholeW: true, Whole: true}}, AnyWinogradOutput{AnyWinograd{M: 2, NJ: 4}})
	}
	return list
}

// sum is the expression a + b.
func sum() Expr {
	r := NewRecorder(Same, Same)
	return r.Expr(r.Add(0, 1))
}

func identity(n int) []int {
	v := make([]int, n)
	for i := range v {
		v[i] = i
	}
	return v
}

// matrixKernels returns convolutions on cooperative matrices of the sizes that devices have. They
// are used only with float16 tensors.
func matrixKernels(t *testing.T) (list []Module) {
	for _, m := range []Matrix{{16, 16, 16, 32}, {16, 16, 16, 64}, {8, 8, 8, 8}, {8, 16, 16, 16}, {16, 8, 16, 32}} {
		tg := GPUTarget(128, 32<<10)
		tg.Matrix = m
		for _, n := range []int{32, 64} {
			s := tg.Tile(ConvShape{B: 1, IH: 16, IW: 16, Cin: 32, OH: 16, OW: 16, N: n, KH: 3, Stride: 1, Pad: 1, NJ: 4, KC: 32})
			if s.Tile.SM == 0 {
				t.Errorf("%v: no tiling for %d channels", m, n)
				continue
			}
			mod, err := Emit(Build{Conv{s, sum()}, tg, Halves(0).With(0).With(1)})
			if err != nil {
				t.Errorf("%v: %v", m, err)
				continue
			}
			if n := s.SharedBytes(tg); n > tg.Shared {
				t.Errorf("%v: %d bytes of shared memory", m, n)
			}
			if mod.Subgroup != m.Subgroup {
				t.Errorf("%v: made for subgroups of %d", m, mod.Subgroup)
			}
			list = append(list, *mod)
		}
	}
	return list
}

// spirv-val must accept every module of every lowering for Vulkan 1.1.
func TestModulesAreValid(t *testing.T) {
	val, err := exec.LookPath("spirv-val")
	if err != nil {
		t.Fatal("spirv-val is not installed (Debian: apt-get install spirv-tools; scripts/setup.sh does it)")
	}
	validate := func(m *Module) {
		b := make([]byte, 4*len(m.Words))
		for i, w := range m.Words {
			binary.LittleEndian.PutUint32(b[4*i:], w)
		}
		f := filepath.Join(t.TempDir(), "k.spv")
		if err := os.WriteFile(f, b, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(val, "--target-env", "vulkan1.1", f).CombinedOutput()
		if err != nil && m.Subgroup > 0 && strings.Contains(string(out), "Invalid capability operand: 6022") {
			return // this spirv-val is older than cooperative matrices
		}
		if err != nil {
			t.Errorf("%+v %s: %s", m.Target, m.Name, out)
		}
		if n := m.PushBytes(); n > MaxPush {
			t.Errorf("%s: %d bytes of push constants", m.Name, n)
		}
	}
	shuffling := CPUTarget(8)
	shuffling.Shuffle = true
	far := CPUTarget(8)
	far.StoreByAddress = true
	for _, tg := range []Target{CPUTarget(4), CPUTarget(8), shuffling, far, CPUTarget(16), GPUTarget(128, 16<<10), GPUTarget(64, 0), GPUTarget(64, 16<<10)} {
		for _, k := range everyKernel(tg) {
			m, err := Emit(Build{Kernel: k, Target: tg})
			if err != nil {
				t.Errorf("%v: %v", tg, err)
				continue
			}
			validate(m)
			if tg.Mode == CPU {
				continue
			}
			// the same with float16 in memory
			if m, err = Emit(Build{k, tg, ^Halves(0)}); err != nil {
				t.Errorf("%v: %v", tg, err)
				continue
			}
			validate(m)
		}
	}
	for _, m := range matrixKernels(t) {
		validate(&m)
	}
}
