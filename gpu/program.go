package gpu

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"crypto/sha256"
	"runtime"
	"unsafe"
)

// program is what the driver built from a shader: the part that all Pipelines with the same code
// share. The layers of a network often have the same shape, and so have the networks for one
// picture size, so their kernels are often equal. Sharing saves the time and memory of building
// them again (software drivers take a megabyte for each).
type program struct {
	key    programKey
	refs   int           // number of Pipelines that share it; guarded by Device.mu
	ready  chan struct{} // closed when the fields below are set
	err    error
	res    resource
	handle vkPipeline
	layout *layout
}

type programKey struct {
	code     [sha256.Size]byte
	layout   layoutKey
	subgroup int
}

// share finds the program of a checked description, or builds it: only once, even if several
// callers ask at the same time. After every success release must be called.
func (d *Device) share(name string, p PipelineDesc) (*program, error) {
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&p.Code[0])), 4*len(p.Code))
	key := programKey{sha256.Sum256(bytes), layoutKey{p.Bindings, p.PushBytes}, p.Subgroup}
	for {
		d.mu.Lock()
		found, ok := d.programs[key]
		if ok {
			found.refs++
			d.mu.Unlock()
			if <-found.ready; found.err == nil {
				return found, nil
			}
			// It failed for another caller, with an error that names that caller's shader. Try
			// again, for an error of our own.
			continue
		}
		made := &program{key: key, refs: 1, ready: make(chan struct{}), res: resource{d: d, what: "pipeline " + name}}
		d.programs[key] = made
		d.mu.Unlock()
		if made.err = made.build(name, p); made.err != nil {
			d.mu.Lock()
			delete(d.programs, key)
			d.mu.Unlock()
		}
		close(made.ready)
		return made, made.err
	}
}

// release ends one pipeline's use of its program. It reports whether that was the last, so that the
// program must be freed.
func (d *Device) release(p *Pipeline) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.freed {
		return false
	}
	p.freed = true
	if p.refs--; p.refs > 0 {
		return false
	}
	delete(d.programs, p.key)
	return true
}

func (g *program) build(name string, p PipelineDesc) error {
	d := g.res.d
	l, err := d.layoutFor(g.key.layout)
	if err != nil {
		return err
	}
	cname := C.CString(name)
	defer C.free(unsafe.Pointer(cname))
	var h C.uint64_t
	r := C.vfm_pipeline_create(d.c, raw(d.cache.handle), raw(l.handle), (*C.uint32_t)(unsafe.Pointer(&p.Code[0])),
		C.size_t(len(p.Code)), C.uint32_t(p.Subgroup), cname, &h)
	runtime.KeepAlive(p.Code)
	if r < 0 {
		return d.fail(int(r), "vkCreateComputePipelines", name)
	}
	g.handle, g.layout = typed[vkPipeline](h), l
	g.res.destroy = func() {
		vkDestroyPipeline(d.handle, g.handle, nil)
		d.garbage.Store(true)
	}
	d.adopt(&g.res)
	d.cache.markDirty()
	return nil
}
