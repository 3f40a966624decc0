package restore

import (
	"context"
	"slices"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/motionblur"
)

// maxPrograms bounds how many programs are kept beside what memory says: each holds some hundred pipelines.
const maxPrograms = 16

// programs keeps compiled programs, the one used last at the end.
type programs struct{ list []*cached }

// recipe says what a program computes.
type recipe struct {
	kind    kind
	of      *member            // whose parameters
	w, h    int                // of the tile
	blurred motionblur.Program // of kindMotionBlur
}

type cached struct {
	recipe
	p     *compile.Program
	bytes int64 // of the device's memory
}

// drop frees all programs.
func (c *programs) drop() {
	for _, e := range c.list {
		e.p.Close()
	}
	c.list = nil
}

// largePicture is the number of pixels from which on memory matters more than the time that building programs anew takes.
const largePicture = 4 << 20

// dropShort frees motionblur's programs that run once a picture: with their kernels they take some hundred megabytes on software drivers.
func (m *Model) dropShort(ctx context.Context) error {
	return m.onDevice(ctx, func() error {
		m.cache.list = slices.DeleteFunc(m.cache.list, func(e *cached) bool {
			short := e.kind == kindMotionBlur && e.blurred.Kind != motionblur.Filter
			if short {
				e.p.Close()
			}
			return short
		})
		return nil
	})
}

// shrink frees programs, those unused for longest first, until they leave room for one of the given size.
func (c *programs) shrink(bytes, budget int64) {
	total := bytes
	for _, e := range c.list {
		total += e.bytes
	}
	for len(c.list) > 0 && (total > budget || len(c.list) >= maxPrograms) {
		total -= c.list[0].bytes
		c.list[0].p.Close()
		c.list = c.list[1:]
	}
}

// program returns a program, compiled if need be. The caller holds the turn.
func (m *Model) program(r recipe) (*compile.Program, error) {
	c := &m.cache
	for i, e := range c.list {
		if e.recipe == r {
			c.list = append(slices.Delete(c.list, i, i+1), e)
			return e.p, nil
		}
	}
	g := netdef.NewGraph()
	outs, opt, bytes, err := m.graph(g, r)
	if err != nil {
		return nil, err
	}
	c.shrink(bytes, m.budget())
	build := func() (*compile.Program, error) {
		store, err := m.parameters(r.of)
		if err != nil {
			return nil, err
		}
		return m.build(store, g, outs, opt)
	}
	p, err := build()
	if err != nil && tooBig(err) && len(c.list) > 0 {
		c.drop()
		p, err = build()
	}
	if err != nil {
		return nil, err
	}
	c.list = append(c.list, &cached{r, p, bytes})
	return p, nil
}

// settings are the inputs that are the same for all tiles of a picture, and mostly for all pictures of a stream.
var settings = []string{"task", "sigma", "noise"}

// graph builds the graph of a program, and says how to compile it and what it takes of the device's memory.
func (m *Model) graph(g *netdef.Graph, r recipe) (outs []*netdef.Node, opt compile.Options, bytes int64, err error) {
	opt = compile.Options{Portable: m.cfg.Portable, Arena: &m.arena}
	if m.cfg.Once {
		opt.Tuning.MaxFMA = compile.SingleRun(r.w * r.h)
	}
	if r.kind == kindMotionBlur {
		outs, err = r.blurred.Build(g)
		return outs, r.blurred.Options(opt), r.blurred.Bytes(), err
	}
	opt.Half, opt.Settings = m.cfg.Precision.Half(m.dev.Info()), settings
	n, err := r.of.read()
	if err != nil {
		return nil, opt, 0, err
	}
	outs, err = kinds{n.Config, r.w, r.h}.build(g, r.kind)
	return outs, opt, int64(r.w*r.h) * bytesPerPixel(n.Config), err
}

func (m *Model) compile(store *compile.Store, g *netdef.Graph, outs []*netdef.Node, opt compile.Options) (*compile.Program, error) {
	return compile.Compile(m.dev, store, g, outs, opt)
}

// workPerPixel bounds the working memory (Program.WorkBytes) of any kind of program per pixel, in bytes.
func workPerPixel(cfg nets.Architecture) int64 { return int64(cfg.Memory().Work) * 4 / 16 }

// bytesPerPixel bounds all that a program takes: working memory, 10 planes of inputs and 9 of outputs.
func bytesPerPixel(cfg nets.Architecture) int64 { return workPerPixel(cfg) + 4*(10+9) }

// widestTensor is the size of the largest single tensor per pixel, in bytes.
func widestTensor(cfg nets.Architecture) int64 { return int64(cfg.Memory().Widest) * 4 / 16 }

// budget is what all programs together may take: half of what there is, which on many devices is the computer's own memory.
func (m *Model) budget() int64 { return m.device().Info().Caps.HeapBudget / 2 }

// tiling says how to choose tiles for a network by what the device allows. The caller need not hold the turn.
func (m *Model) tiling(n *loaded, halo, limit int) tiling {
	caps := m.device().Info().Caps
	pixels := min(int64(limit), tilePixels, int64(m.pace.most()), m.budget()/bytesPerPixel(n.Config))
	if caps.MaxAlloc > 0 {
		pixels = min(pixels, caps.MaxAlloc/workPerPixel(n.Config))
	}
	if caps.MaxStorageRange > 0 {
		pixels = min(pixels, caps.MaxStorageRange/widestTensor(n.Config))
	}
	return tiling{halo: halo, align: n.align, inner: m.cfg.Tile, limit: int(pixels)}
}
