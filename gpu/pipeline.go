package gpu

// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// PipelineDesc describes a compute pipeline. The shader's entry point is "main".
type PipelineDesc struct {
	Name string   // for messages
	Code []uint32 // SPIR-V
	// Bindings is the number of storage buffers: set 0, bindings 0 to Bindings-1. It is 0 if the
	// shader uses buffer addresses only.
	Bindings  int
	PushBytes int // bytes of push constants from offset 0, a multiple of 4
	// Subgroup is the size that all subgroups must have, and all of them are full then. It must be
	// Caps.SubgroupSize and needs Caps.SubgroupControl. 0: any size.
	Subgroup int
}

// Pipeline is a compute shader that is ready to be dispatched. Pipelines with the same code share
// what the driver built.
type Pipeline struct {
	*program
	desc  PipelineDesc // without Code
	freed bool         // guarded by Device.mu
}

// layoutKey identifies a pipeline layout. Layouts are few, and live as long as the device.
type layoutKey struct{ bindings, push int }

type layout struct {
	layoutKey
	handle vkPipelineLayout
	set    vkDescriptorSetLayout
}

// NewPipeline builds a pipeline. Errors: *LimitError if the device lacks a feature or limit that
// the shader needs, *CallError, *OutOfMemoryError, *DeviceLostError, ErrClosed.
func (d *Device) NewPipeline(p PipelineDesc) (*Pipeline, error) {
	if err := d.enter("NewPipeline"); err != nil {
		return nil, err
	}
	defer d.leave()
	return d.newPipeline(p)
}

// NewPipelines builds many pipelines in parallel and then saves the pipeline cache. It returns the
// pipelines in order, or none of them and the first error.
func (d *Device) NewPipelines(ps []PipelineDesc) ([]*Pipeline, error) {
	count := d.count(len(ps))
	count.add(0)
	out, err := d.newPipelines(ps, count)
	if err == nil {
		d.prime(ps, out, count)
		count.end()
	}
	return out, err
}

// Watch has f called when NewPipelines begins and as it works: done of total kernels are built.
// Kernels that the driver translates at their first use count when they are translated (see prime).
// Calls come one at a time. A nil f ends them.
func (d *Device) Watch(f func(done, total int)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watch = f
}

// counter counts the kernels of one NewPipelines call for Watch.
type counter struct {
	mu          sync.Mutex
	done, total int
	tell        func(done, total int) // nil: nobody watches
}

func (d *Device) count(total int) *counter {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &counter{total: total, tell: d.watch}
}

// add reports that n more kernels are built.
func (c *counter) add(n int) {
	if c.tell == nil || c.total == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done += n
	c.tell(c.done, c.total)
}

// end reports that all kernels are built.
func (c *counter) end() {
	if c.done < c.total {
		c.add(c.total - c.done)
	}
}

func (d *Device) newPipelines(ps []PipelineDesc, count *counter) ([]*Pipeline, error) {
	if err := d.enter("NewPipelines"); err != nil {
		return nil, err
	}
	defer d.leave()
	out := make([]*Pipeline, len(ps))
	errs := make([]error, len(ps))
	var next atomic.Int64
	var failed atomic.Bool
	var wg sync.WaitGroup
	for range min(len(ps), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for !failed.Load() {
				k := int(next.Add(1)) - 1
				if k >= len(ps) {
					return
				}
				if out[k], errs[k] = d.newPipeline(ps[k]); errs[k] != nil {
					failed.Store(true)
				} else if !d.primes() {
					count.add(1)
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err == nil {
			continue
		}
		d.freeAll(out)
		return nil, err
	}
	d.cache.save()
	return out, nil
}

// freeAll frees pipelines inside of a call that has entered the device already. Other pipelines may
// share their programs, and runs may use these: they stay alive then.
func (d *Device) freeAll(ps []*Pipeline) {
	for _, p := range ps {
		if p != nil && d.release(p) {
			d.discard(&p.res)
		}
	}
}

func (d *Device) newPipeline(p PipelineDesc) (*Pipeline, error) {
	name := p.Name
	if name == "" {
		name = "unnamed pipeline"
	}
	caps := &d.info.Caps
	switch {
	case p.Bindings < 0 || p.PushBytes < 0 || p.PushBytes%4 != 0:
		return nil, fmt.Errorf("gpu: %s: %d bindings and %d push-constant bytes: neither may be negative, and the bytes must be a multiple of 4", name, p.Bindings, p.PushBytes)
	case p.Bindings > caps.MaxStorageBindings:
		return nil, &LimitError{What: "storage buffers", Where: name, Got: int64(p.Bindings), Max: int64(caps.MaxStorageBindings), Device: d.info.Name}
	case p.PushBytes > caps.MaxPush:
		return nil, &LimitError{What: "bytes of push constants", Where: name, Got: int64(p.PushBytes), Max: int64(caps.MaxPush), Device: d.info.Name}
	}
	if p.Subgroup != 0 && (!caps.SubgroupControl || p.Subgroup != caps.SubgroupSize) {
		return nil, &LimitError{What: "the shader", Where: name, Need: fmt.Sprintf("subgroups of %d", p.Subgroup), Device: d.info.Name}
	}
	m, err := inspect(p.Code)
	if err != nil {
		return nil, fmt.Errorf("gpu: %s: %w", name, err)
	}
	if err := d.admits(name, m); err != nil {
		return nil, err
	}
	shared, err := d.share(name, p)
	if err != nil {
		return nil, err
	}
	out := &Pipeline{program: shared, desc: p}
	out.desc.Name, out.desc.Code = name, nil
	return out, nil
}

func (d *Device) layoutFor(k layoutKey) (*layout, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l, ok := d.layouts[k]; ok {
		return l, nil
	}
	l := &layout{layoutKey: k}
	if k.bindings > 0 {
		set, ok := d.setLayout[k.bindings]
		if !ok {
			var h C.uint64_t
			if r := C.vfm_set_layout_create(d.c, C.uint32_t(k.bindings), &h); r < 0 {
				return nil, &CallError{Call: "vkCreateDescriptorSetLayout", Code: int(r)}
			}
			set = typed[vkDescriptorSetLayout](h)
			d.setLayout[k.bindings] = set
		}
		l.set = set
	}
	var h C.uint64_t
	if r := C.vfm_layout_create(d.c, raw(l.set), C.uint32_t(k.push), &h); r < 0 {
		return nil, &CallError{Call: "vkCreatePipelineLayout", Code: int(r)}
	}
	l.handle = typed[vkPipelineLayout](h)
	d.layouts[k] = l
	return l, nil
}

// Name returns the name given in the PipelineDesc.
func (p *Pipeline) Name() string { return p.desc.Name }

func (p *Pipeline) isFreed() bool {
	p.res.d.mu.Lock()
	defer p.res.d.mu.Unlock()
	return p.freed
}

// Free frees the pipeline once no run uses it. Freeing twice, or after Device.Close, does nothing.
func (p *Pipeline) Free() {
	if p != nil && p.res.d.release(p) {
		p.res.free()
	}
}
