package gpu

// #include "shim.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// Dispatch records a run of p with x by y by z work groups. bind holds one range per storage buffer
// of the pipeline; each offset must be a multiple of Caps.MinStorageAlign. push holds exactly
// PushBytes bytes of push constants.
func (c *Commands) Dispatch(p *Pipeline, bind []Range, push []byte, x, y, z int) {
	c.record("Dispatch", func() error { return c.dispatch(p, bind, push, [3]int{x, y, z}) })
}

func (c *Commands) dispatch(p *Pipeline, bind []Range, push []byte, groups [3]int) error {
	if p == nil {
		return fmt.Errorf("gpu: Dispatch: no pipeline")
	}
	name, caps := p.desc.Name, &c.d.info.Caps
	if len(bind) != p.desc.Bindings {
		return fmt.Errorf("gpu: Dispatch of %s: %d storage buffers given, it has %d", name, len(bind), p.desc.Bindings)
	}
	if len(push) != p.desc.PushBytes {
		return fmt.Errorf("gpu: Dispatch of %s: %d bytes of push constants given, it has %d", name, len(push), p.desc.PushBytes)
	}
	for k, n := range groups {
		if n < 1 {
			return fmt.Errorf("gpu: Dispatch of %s: %d work groups in %s", name, n, axisNames[k])
		}
		if n > caps.MaxGroups[k] {
			return &LimitError{What: "work groups in " + axisNames[k], Where: name, Got: int64(n), Max: int64(caps.MaxGroups[k]), Device: c.d.info.Name}
		}
	}
	if p.isFreed() {
		return fmt.Errorf("gpu: %s: %w", p.res.what, ErrFreed)
	}
	return c.launch(p, bind, push, groups)
}

// launch records a dispatch without the checks of dispatch.
func (c *Commands) launch(p *Pipeline, bind []Range, push []byte, groups [3]int) error {
	if err := c.use(&p.res); err != nil {
		return err
	}
	if c.boundP != p.program {
		vkCmdBindPipeline(c.cb, bindPointCompute, p.handle)
		c.boundP = p.program
	}
	if len(bind) > 0 {
		if err := c.bind(p, bind); err != nil {
			return err
		}
	}
	if len(push) > 0 {
		vkCmdPushConstants(c.cb, p.layout.handle, stageCompute, 0, uint32(len(push)), unsafe.Pointer(&push[0]))
	}
	vkCmdDispatch(c.cb, uint32(groups[0]), uint32(groups[1]), uint32(groups[2]))
	return nil
}

const bindPointCompute = 1

// bind finds or makes the descriptor set for the ranges and binds it.
func (c *Commands) bind(p *Pipeline, bind []Range) error {
	caps := &c.d.info.Caps
	flat := make([]C.uint64_t, 0, 3*len(bind))
	for k, r := range bind {
		if err := c.resolve("Dispatch of "+p.desc.Name, &r); err != nil {
			return err
		}
		if r.Off%int64(caps.MinStorageAlign) != 0 {
			return fmt.Errorf("gpu: Dispatch of %s: offset %d of binding %d is not a multiple of %d", p.desc.Name, r.Off, k, caps.MinStorageAlign)
		}
		if r.Size > caps.MaxStorageRange {
			return &LimitError{What: fmt.Sprintf("bytes of binding %d", k), Where: p.desc.Name, Got: r.Size, Max: caps.MaxStorageRange, Device: c.d.info.Name}
		}
		flat = append(flat, raw(r.Buf.handle), C.uint64_t(r.Off), C.uint64_t(r.Size))
	}
	set, err := c.sets.get(c.d, p.layout, flat)
	if err != nil {
		return err
	}
	if c.boundSL == p.layout && c.boundS == set {
		return nil
	}
	vkCmdBindDescriptorSets(c.cb, bindPointCompute, p.layout.handle, 0, 1, []vkDescriptorSet{set}, 0, nil)
	c.boundS, c.boundSL = set, p.layout
	return nil
}

// setPools are the descriptor sets of one command list. Equal bindings share a set.
type setPools struct {
	pools      []vkDescriptorPool
	sets, desc int // sets and descriptors left in the last pool
	made       map[string]vkDescriptorSet
}

const (
	poolSets        = 128
	poolDescriptors = 512
)

func (s *setPools) get(d *Device, l *layout, flat []C.uint64_t) (vkDescriptorSet, error) {
	n := len(flat) / 3
	// Sets with different numbers of bindings have keys of different lengths, so the bytes are
	// enough.
	key := string(unsafe.Slice((*byte)(unsafe.Pointer(&flat[0])), 8*len(flat)))
	if set, ok := s.made[key]; ok {
		return set, nil
	}
	var none vkDescriptorSet
	if s.sets < 1 || s.desc < n {
		var h C.uint64_t
		s.sets, s.desc = poolSets, max(poolDescriptors, n)
		if r := C.vfm_descriptor_pool_create(d.c, C.uint32_t(s.sets), C.uint32_t(s.desc), &h); r < 0 {
			s.sets = 0
			return none, d.fail(int(r), "vkCreateDescriptorPool", "a command list")
		}
		s.pools = append(s.pools, typed[vkDescriptorPool](h))
	}
	var h C.uint64_t
	if r := C.vfm_descriptor_set(d.c, raw(s.pools[len(s.pools)-1]), raw(l.set), C.uint32_t(n), &flat[0], &h); r < 0 {
		return none, d.fail(int(r), "vkAllocateDescriptorSets", "a command list")
	}
	s.sets--
	s.desc -= n
	set := typed[vkDescriptorSet](h)
	if s.made == nil {
		s.made = map[string]vkDescriptorSet{}
	}
	s.made[key] = set
	return set, nil
}

func (s *setPools) destroy(h vkDevice) {
	for _, p := range s.pools {
		vkDestroyDescriptorPool(h, p, nil)
	}
	*s = setPools{}
}
