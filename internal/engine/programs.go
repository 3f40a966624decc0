package engine

import (
	"context"
	"slices"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
)

// Recipe says what a program computes and how it is compiled. Equal recipes (by ==) mean the same
// program, so the type behind it must be comparable.
type Recipe interface {
	// Graph appends the program's nodes to g, and says which are its outputs, how to compile it,
	// and about how many bytes of the device's memory it takes.
	Graph(g *netdef.Graph) (outs []*netdef.Node, opt compile.Options, bytes int64, err error)
	// Parameters are what its nodes read.
	Parameters() *Parameters
}

// maxPrograms bounds how many programs are kept, whatever the memory: each holds some hundred
// pipelines.
const maxPrograms = 16

// programs keeps compiled programs, the one used last at the end.
type programs struct{ list []*Cached }

// Cached is a compiled program.
type Cached struct {
	Recipe
	Program *compile.Program
	device  *gpu.Device
	bytes   int64               // of the device's memory
	users   int                 // callers that hold it; it is not freed meanwhile
	free    chan struct{}       // holds a token for each turn that nobody holds
	slots   [compile.Turns]Slot // of the turns
}

// drop frees all programs, which nobody may use.
func (c *programs) drop() {
	for _, x := range c.list {
		x.close()
	}
	c.list = nil
}

func (x *Cached) close() {
	x.Program.Close()
	for i := range x.slots {
		x.slots[i].before.free()
		x.slots[i].after.free()
	}
}

// shrink frees programs, those unused for longest first, until they leave room for one of the given
// size.
func (c *programs) shrink(bytes, budget int64) {
	total, count := bytes, len(c.list)
	for _, x := range c.list {
		total += x.bytes
	}
	c.list = slices.DeleteFunc(c.list, func(x *Cached) bool {
		drop := x.users == 0 && (total > budget || count >= maxPrograms)
		if drop {
			total, count = total-x.bytes, count-1
			x.close()
		}
		return drop
	})
}

// program returns a program, compiled if need be. The caller has the turn.
func (e *Engine) program(r Recipe) (*Cached, error) {
	c := &e.cache
	for i, x := range c.list {
		if x.Recipe == r {
			copy(c.list[i:], c.list[i+1:])
			c.list[len(c.list)-1] = x
			return x, nil
		}
	}
	g := netdef.NewGraph()
	outs, opt, bytes, err := r.Graph(g)
	if err != nil {
		return nil, err
	}
	opt.Arena = &e.arena
	c.shrink(bytes, e.budget())
	build := func() (*compile.Program, error) {
		store, err := e.parameters(r.Parameters())
		if err != nil {
			return nil, err
		}
		return e.Build(store, g, outs, opt)
	}
	p, err := build()
	if err != nil && TooBig(err) && len(c.list) > 0 {
		c.shrink(0, 0)
		p, err = build()
	}
	if err != nil {
		return nil, err
	}
	x := &Cached{Recipe: r, Program: p, device: e.dev, bytes: bytes, free: make(chan struct{}, compile.Turns)}
	for range compile.Turns {
		x.free <- struct{}{}
	}
	c.list = append(c.list, x)
	return x, nil
}

// budget is what all programs together may take: half of what there is, which on many devices is
// the computer's own memory.
func (e *Engine) budget() int64 { return e.dev.Info().Caps.HeapBudget / 2 }

// Prepare compiles a program before it is needed, and puts its parameters on the device.
func (e *Engine) Prepare(ctx context.Context, s *Session, r Recipe) error {
	first := true
	return e.survive(ctx, s, func() (bool, error) {
		retry := first
		first = false
		if err := e.acquire(ctx); err != nil {
			return false, err
		}
		defer e.release()
		_, err := e.program(r)
		return retry, err
	})
}

// Drop frees the programs of the recipes for which f is true, but for those in use.
func (e *Engine) Drop(ctx context.Context, f func(Recipe) bool) error {
	if err := e.acquire(ctx); err != nil {
		return err
	}
	defer e.release()
	e.cache.list = slices.DeleteFunc(e.cache.list, func(x *Cached) bool {
		drop := x.users == 0 && f(x.Recipe)
		if drop {
			x.close()
		}
		return drop
	})
	return nil
}

// Programs lists the programs that are kept, for tests.
func (e *Engine) Programs() []*Cached { return slices.Clone(e.cache.list) }
