package shaders

import "github.com/vfmrestore/restore/shaders/spirv"

// Shared memory of a workgroup, for the GPU lowering.

// quads is an array of 4-vectors in shared memory, float32 or float16.
type quads struct {
	id   spirv.ID
	elem spirv.ID
	half bool
}

// sharedQuads declares n 4-vectors. Their contents are undefined at first.
func (e *E) sharedQuads(n int, half bool) quads {
	q := quads{elem: e.m.Vec(e.m.F32(), 4), half: half}
	if half {
		e.m.Capability(spirv.CapFloat16)
		q.elem = e.m.Vec(e.m.F16(), 4)
	}
	q.id = e.m.GlobalVar(e.m.Pointer(spirv.ClassWorkgroup, e.m.Array(q.elem, n, 0)), spirv.ClassWorkgroup, 0)
	return q
}

func (e *E) quadPtr(q quads, i U) spirv.ID {
	return e.val(spirv.OpAccessChain, e.m.Pointer(spirv.ClassWorkgroup, q.elem), q.id, e.uid(i))
}

// getQuad reads four float32 values. (float16 values are only read as matrices.)
func (e *E) getQuad(q quads, i U) (v [4]F) {
	x := e.val(spirv.OpLoad, q.elem, e.quadPtr(q, i))
	for j := range v {
		v[j] = e.f.Val(spirv.OpCompositeExtract, e.m.F32(), uint32(x), uint32(j))
	}
	return v
}

// getOne reads component c of the float32 quad i.
func (e *E) getOne(q quads, i, c U) F {
	p := e.val(spirv.OpAccessChain, e.m.Pointer(spirv.ClassWorkgroup, e.m.F32()), q.id, e.uid(i), e.uid(c))
	return e.val(spirv.OpLoad, e.m.F32(), p)
}

// setQuad writes four values.
func (e *E) setQuad(q quads, i U, v [4]F) {
	x := e.val(spirv.OpCompositeConstruct, e.floats(4), v[:]...)
	if q.half {
		x = e.val(spirv.OpFConvert, q.elem, x)
	}
	e.f.Do(spirv.OpStore, uint32(e.quadPtr(q, i)), uint32(x))
}

// barrier waits for the whole workgroup and makes its writes to shared memory visible. It must not
// be inside of If.
func (e *E) barrier() {
	w := uint32(e.m.ConstU32(spirv.ScopeWorkgroup))
	e.f.Do(spirv.OpControlBarrier, w, w, uint32(e.m.ConstU32(spirv.SemWorkgroupAcqRel)))
}
