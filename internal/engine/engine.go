// Package engine runs programs on a device for several callers at a time. It owns the device and
// opens it anew after a loss, keeps compiled programs and parameters, and holds the one loop by
// which work goes through a device (Run): while the device computes one piece of work, the host
// writes the inputs of the next and reads the outputs of the last.
package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
)

// ErrClosed is returned by calls on an Engine after, or while, it is closed.
var ErrClosed = errors.New("restore: the model is closed")

// Options says which device an Engine uses, and how much of it.
type Options struct {
	Shared *gpu.Device // used and not closed; nil: the Engine opens its own
	GPU    gpu.Options // of its own; if GPU.Borrowed is set, it is not opened anew after a loss
	Share  float64     // of the device's time, above 0 and up to 1; 0: all
}

// Engine is safe for concurrent use. Programs of all callers take turns on the device.
type Engine struct {
	opt    Options
	closed chan struct{} // closed by Close
	once   sync.Once

	life       sync.Mutex // guards what follows
	changed    *sync.Cond // active or reopening has changed
	dev        *gpu.Device
	generation int  // counts the devices
	active     int  // sessions that may hold memory of the device
	reopening  bool // nobody may become active

	// The rest belongs to whoever has the turn: turn holds one token meanwhile.
	turn   chan struct{}
	cache  programs
	arena  compile.Arena // working memory of all programs
	stores []*Parameters // that are on the device
	Pace   *Pace
	rest   *rest
	// Build compiles a program; tests replace it.
	Build func(*compile.Store, *netdef.Graph, []*netdef.Node, compile.Options) (*compile.Program, error)
}

// Open opens the device. Errors are those of gpu.Open.
func Open(opt Options) (*Engine, error) {
	e := &Engine{opt: opt, closed: make(chan struct{}), turn: make(chan struct{}, 1), dev: opt.Shared}
	e.changed = sync.NewCond(&e.life)
	e.Build = func(store *compile.Store, g *netdef.Graph, outs []*netdef.Node, opt compile.Options) (*compile.Program, error) {
		return compile.Compile(e.dev, store, g, outs, opt)
	}
	if e.dev == nil {
		dev, err := gpu.Open(opt.GPU)
		if err != nil {
			return nil, err
		}
		e.dev = dev
	}
	e.Pace, e.rest = newPace(e.dev.Info().Type), newRest(opt.Share)
	return e, nil
}

// Device is the one at hand; it changes when a lost device is opened anew.
func (e *Engine) Device() *gpu.Device {
	e.life.Lock()
	defer e.life.Unlock()
	return e.dev
}

// Close frees everything on the device. It waits for the work in flight; calls that still run, and
// later ones, return ErrClosed. Closing again does nothing.
func (e *Engine) Close() {
	e.once.Do(func() {
		close(e.closed)
		e.alone()
		defer e.together()   // who waits in enter finds the Engine closed
		e.turn <- struct{}{} // kept: nobody gets a turn any more
		e.drop()
		if e.opt.Shared == nil {
			e.dev.Close()
		}
	})
}

// drop frees programs and parameters. The caller has the turn and is alone.
func (e *Engine) drop() {
	e.cache.drop()
	for _, p := range e.stores {
		p.store.Close()
		p.store = nil
	}
	e.stores = nil
}

// Alive says why to stop: ErrClosed, ctx.Err() or nothing.
func (e *Engine) Alive(ctx context.Context) error {
	select {
	case <-e.closed:
		return ErrClosed
	default:
		return ctx.Err()
	}
}

// acquire waits for the turn.
func (e *Engine) acquire(ctx context.Context) error {
	if err := e.Alive(ctx); err != nil {
		return err
	}
	select {
	case e.turn <- struct{}{}:
	case <-e.closed:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := e.Alive(ctx); err != nil { // select picks any of what is ready
		e.release()
		return err
	}
	return nil
}

func (e *Engine) release() { <-e.turn }

// Session is one caller of an Engine, which is one goroutine at a time. Its runs may be nested:
// what a run does on the way may run programs itself. The zero value is ready for use.
type Session struct {
	depth   int
	flights []*flight // of its runs, the outermost first; those from nested on are spare
	nested  int
}

// enter keeps the device from being replaced until leave: the caller may hold its memory. It
// returns the device's generation.
func (e *Engine) enter(ctx context.Context, s *Session) (generation int, err error) {
	e.life.Lock()
	defer e.life.Unlock()
	if s.depth == 0 {
		for e.reopening {
			e.changed.Wait()
		}
		if err := e.Alive(ctx); err != nil {
			return 0, err
		}
		e.active++
	}
	s.depth++
	return e.generation, nil
}

func (e *Engine) leave(s *Session) {
	e.life.Lock()
	defer e.life.Unlock()
	if s.depth--; s.depth == 0 {
		e.active--
		e.changed.Broadcast()
	}
}

// Keep keeps the device from being closed or opened anew until done is called, for callers that hold
// memory of it. They must not wait for programs meanwhile. Errors: ErrClosed, ctx.Err().
func (e *Engine) Keep(ctx context.Context) (generation int, done func(), err error) {
	s := new(Session)
	generation, err = e.enter(ctx, s)
	return generation, func() { e.leave(s) }, err
}

// alone waits until no session is active, and keeps new ones out until together.
func (e *Engine) alone() {
	e.life.Lock()
	defer e.life.Unlock()
	for e.reopening {
		e.changed.Wait()
	}
	e.reopening = true
	for e.active > 0 {
		e.changed.Wait()
	}
}

func (e *Engine) together() {
	e.life.Lock()
	defer e.life.Unlock()
	e.reopening = false
	e.changed.Broadcast()
}

// reopen replaces a lost device, unless somebody has replaced that generation already. The caller's
// session is not active.
func (e *Engine) reopen(ctx context.Context, generation int) error {
	e.alone()
	defer e.together()
	if e.generation != generation {
		return nil
	}
	if err := e.acquire(ctx); err != nil {
		return err
	}
	defer e.release()
	e.drop()
	e.dev.Close()
	dev, err := gpu.Open(e.opt.GPU)
	if err != nil {
		return err
	}
	e.life.Lock()
	e.dev, e.generation = dev, e.generation+1
	e.life.Unlock()
	return nil
}

// renewable reports whether a lost device can be opened anew: one of the program's cannot.
func (e *Engine) renewable() bool { return e.opt.Shared == nil && e.opt.GPU.Borrowed == nil }

// IsLost reports errors that a device opened anew may cure.
func IsLost(err error) bool {
	var lost *gpu.DeviceLostError
	return errors.As(err, &lost)
}

// TooBig reports errors that smaller pieces of work may cure.
func TooBig(err error) bool {
	var memory *gpu.OutOfMemoryError
	var limit *gpu.LimitError
	return errors.As(err, &memory) || errors.As(err, &limit) && limit.Need == ""
}

// survive calls f, which must enter a session, again if the device was lost and could be opened
// anew. retry says whether that may help.
func (e *Engine) survive(ctx context.Context, s *Session, f func() (retry bool, err error)) error {
	for {
		generation, err := e.enter(ctx, s)
		if err != nil {
			return err
		}
		retry, err := f()
		e.leave(s)
		if err == nil || !retry || s.depth > 0 || !e.renewable() || !IsLost(err) {
			return err
		}
		if again := e.reopen(ctx, generation); again != nil {
			return fmt.Errorf("%w; it could not be opened again: %v", err, again)
		}
	}
}

// Hold keeps the device from all other callers until release is called. It is for tests.
func (e *Engine) Hold(ctx context.Context) (release func(), err error) {
	if err := e.acquire(ctx); err != nil {
		return nil, err
	}
	return e.release, nil
}

// Generation counts the devices that the Engine has had.
func (e *Engine) Generation() int {
	e.life.Lock()
	defer e.life.Unlock()
	return e.generation
}

// Renew opens the device anew, unless it is no longer of that generation. It must not be called
// during a Run. Errors are those of gpu.Open, and one for a device that is not the Engine's own.
func (e *Engine) Renew(ctx context.Context, generation int) error {
	if !e.renewable() {
		return errors.New("the device is the program's and cannot be opened anew")
	}
	return e.reopen(ctx, generation)
}
