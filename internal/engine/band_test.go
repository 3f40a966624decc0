package engine

import (
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
)

// doubling is a recipe whose input and output stay on the device, beside others that do not:
// held, y = 2·held + x, and y once more.
type doubling struct{ p *Parameters }

func (d doubling) Parameters() *Parameters { return d.p }

func (d doubling) Graph(g *netdef.Graph) (outs []*netdef.Node, opt compile.Options, bytes int64, err error) {
	shape := netdef.Shape{1, 4, 8, 8}
	y := g.Add(g.Mul(g.Scale(g.Input("held", shape), 2), weight(g)), g.Input("x", shape))
	opt.HeldInputs, opt.HeldOutputs = []string{"held"}, []int{0}
	return []*netdef.Node{y, g.Scale(y, -1)}, opt, 1 << 20, g.Err()
}

// Values go from run to run by a Band, while two runs are in flight, by one submission each.
func TestBand(t *testing.T) {
	for _, separate := range []bool{false, true} {
		dev := gputest.Open(t, gpu.Options{SeparateMemory: separate})
		e := openEngine(t, Options{Shared: dev})
		const rows, size, stride = 4, 64, 100
		// Two bands, written and read in turns, each by some rows with gaps between them.
		var bands [2]*Band
		want, last := make([]float32, rows*size), make([]float32, rows*size)
		for i := range bands {
			b, err := e.NewBand(t.Context(), rows*stride)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Free()
			bands[i] = b
		}
		r := doubling{newLine(8, 1).p}
		var given [][]float32
		work := &Work{
			Recipe: r, Count: 9, Once: true,
			Fill: func(i int, in *Slot) error {
				x := in.Input("x")
				for k := range x {
					x[k] = rand.Float32()
				}
				given = append(given, append([]float32{}, x...))
				moved := Rows{BandStride: stride, ValueStride: size, Size: size, Count: rows}
				if i > 0 {
					if err := in.FromBand("held", bands[(i+1)%2], moved); err != nil {
						return err
					}
				}
				// In two parts, as where a ring of rows is closed.
				moved.Count = 1
				if err := in.ToBand(0, bands[i%2], moved); err != nil {
					return err
				}
				moved.Band, moved.Value, moved.Count = stride, size, rows-1
				return in.ToBand(0, bands[i%2], moved)
			},
			Take: func(i int, out *Slot) error {
				if out.Output(0) != nil {
					t.Error("an output that stays on the device can be read")
				}
				copy(last, want)
				if len(out.Output(1)) != rows*size {
					t.Fatalf("an output has %d values", len(out.Output(1)))
				}
				for k, v := range out.Output(1) {
					if want[k] = 2*want[k] + given[i][k]; -v != want[k] {
						t.Fatalf("separate memory %v, piece %d: value %d is %v, want %v", separate, i, k, v, want[k])
					}
				}
				return nil
			},
		}
		var s Session
		if err := e.Run(t.Context(), &s, work); err != nil {
			t.Fatal(err)
		}
		// Once more, with all lists recorded; the input is still that of the last run.
		work.Count, given = 3, nil
		for i := range want {
			want[i] = last[i]
		}
		before := dev.Activity()
		if err := e.Run(t.Context(), &s, work); err != nil {
			t.Fatal(err)
		}
		after := dev.Activity()
		if after.Submits-before.Submits != 3 || after.Waits-before.Waits != 3 {
			t.Errorf("separate memory %v: %+v, then %+v", separate, before, after)
		}
	}
}
