package restore

import (
	"context"

	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/motionblur"
)

// recipe says what a program computes (engine.Recipe).
type recipe struct {
	m          *Model
	program    programKind
	network    *taskNetwork       // whose parameters it reads
	w, h       int                // of the tile, in pixels
	motionBlur motionblur.Program // for programMotionBlur
}

// largePicture is the number of pixels from which on memory is scarcer than the time to build
// programs again.
const largePicture = 4 << 20

// dropMotionBlurPrograms frees motionblur's programs that run once per picture. With their kernels
// they take some hundred megabytes on software drivers.
func (m *Model) dropMotionBlurPrograms(ctx context.Context) error {
	return m.engine.Drop(ctx, func(r engine.Recipe) bool {
		p := r.(recipe)
		return p.program == programMotionBlur && p.motionBlur.Kind != motionblur.Filter
	})
}

// settings are the inputs that are the same for all tiles of a picture, and mostly for all pictures
// of a stream.
var settings = []string{"task", "sigma", "noise"}

// Parameters are those of the recipe's network.
func (r recipe) Parameters() *engine.Parameters { return &r.network.parameters }

// Graph builds the graph of the program. It returns its outputs, how to compile it, and how many
// bytes of the device's memory it takes.
func (r recipe) Graph(g *netdef.Graph) (outs []*netdef.Node, opt compile.Options, bytes int64, err error) {
	opt = compile.Options{Portable: r.m.cfg.Portable}
	if r.m.cfg.Once {
		opt.Tuning.MaxFMA = compile.SingleRun(r.w * r.h)
	}
	if r.program == programMotionBlur {
		outs, err = r.motionBlur.Build(g)
		return outs, r.motionBlur.Options(opt), r.motionBlur.Bytes(), err
	}
	opt.Half, opt.Settings = r.m.cfg.Precision.Half(r.m.engine.Device().Info()), settings
	n, err := r.network.load()
	if err != nil {
		return nil, opt, 0, err
	}
	opt.HeldInputs, opt.HeldOutputs = r.program.onDevice()
	outs, err = graphBuilder{n.Config, r.w, r.h}.build(g, r.program)
	return outs, opt, int64(r.w*r.h) * bytesPerPixel(n.Config), err
}

// workPerPixel bounds the working memory of any program (Program.WorkBytes), in bytes per pixel.
func workPerPixel(cfg nets.Architecture) int64 { return int64(cfg.Memory().Work) * 4 / 16 }

// bytesPerPixel bounds all memory of a program: working memory, and for each turn 10 planes of
// inputs and 9 of outputs.
func bytesPerPixel(cfg nets.Architecture) int64 { return workPerPixel(cfg) + compile.Turns*4*(10+9) }

// widestTensor is the size of the largest single tensor, in bytes per pixel.
func widestTensor(cfg nets.Architecture) int64 { return int64(cfg.Memory().Widest) * 4 / 16 }

// tiling says how to choose tiles for a network on this device.
func (m *Model) tiling(n *loadedNetwork, halo, limit int) tile.Tiling {
	caps := m.engine.Device().Info().Caps
	pixels := min(int64(limit), tile.MaxPixels, int64(m.engine.Pace.Most()), caps.HeapBudget/2/bytesPerPixel(n.Config))
	if caps.MaxAlloc > 0 {
		pixels = min(pixels, caps.MaxAlloc/workPerPixel(n.Config))
	}
	if caps.MaxStorageRange > 0 {
		pixels = min(pixels, caps.MaxStorageRange/widestTensor(n.Config))
	}
	return tile.Tiling{Halo: halo, Align: n.align, MaxOwn: m.cfg.Tile, MaxPixels: int(pixels)}
}
