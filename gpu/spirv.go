package gpu

import "fmt"

// module is what package gpu checks of a SPIR-V module before the driver sees it. Drivers trust
// their input: a malformed module, or one that uses a missing feature, can crash the process.
type module struct {
	version      uint32 // as in the header, 0x00010300 for 1.3
	capabilities []uint32
	localSize    [3]int // 0,0,0 if not given as literals
	main         uint32 // id of the function of the compute entry point "main", 0 if there is none
}

const (
	spirvMagic         = 0x07230203
	opEntryPoint       = 15
	opExecutionMode    = 16
	opCapability       = 17
	opFunction         = 54
	opFunctionEnd      = 56
	modelGLCompute     = 5
	modeLocalSize      = 17
	spirvHeaderWords   = 5
	spirvMainWord      = 0x6e69616d // "main", followed by a word of zeros
	spirvVersionFor1_1 = 0x00010300
	spirvVersionFor1_2 = 0x00010500
)

func inspect(code []uint32) (module, error) {
	var m module
	if len(code) < spirvHeaderWords || code[0] != spirvMagic {
		return m, fmt.Errorf("its code (%d words) is not a SPIR-V module", len(code))
	}
	m.version = code[1]
	body, inside := false, false // main has been seen; inside of any function
	for k := spirvHeaderWords; k < len(code); {
		n, op := int(code[k]>>16), code[k]&0xffff
		if n == 0 || k+n > len(code) {
			return m, fmt.Errorf("SPIR-V is cut off or malformed at word %d", k)
		}
		w := code[k : k+n]
		switch {
		case op == opCapability && n == 2:
			m.capabilities = append(m.capabilities, w[1])
		case op == opEntryPoint && n >= 5 && w[1] == modelGLCompute && w[3] == spirvMainWord && w[4] == 0:
			m.main = w[2]
		case op == opExecutionMode && n == 6 && w[2] == modeLocalSize:
			m.localSize = [3]int{int(w[3]), int(w[4]), int(w[5])}
		case op == opFunction && n == 5:
			body, inside = body || w[2] == m.main, true
		case op == opFunctionEnd:
			inside = false
		}
		k += n
	}
	switch {
	case m.main == 0:
		return m, fmt.Errorf("SPIR-V has no compute entry point \"main\"")
	case !body || inside:
		return m, fmt.Errorf("SPIR-V is cut off: the function \"main\" or its end is missing")
	}
	return m, nil
}

// capabilityNames are the SPIR-V capabilities that a device may lack, each with a test for it.
var capabilityNames = map[uint32]struct {
	name string
	have func(*Device) bool
}{
	9:    {"16-bit float arithmetic (Float16)", func(d *Device) bool { return d.info.Caps.Float16 }},
	10:   {"64-bit float arithmetic (Float64)", func(d *Device) bool { return false }},
	11:   {"64-bit integers (Int64)", func(d *Device) bool { return d.info.Caps.Int64 }},
	12:   {"64-bit atomics (Int64Atomics)", func(d *Device) bool { return false }},
	22:   {"16-bit integers (Int16)", func(d *Device) bool { return d.cand.c.int16 != 0 }},
	39:   {"8-bit integers (Int8)", func(d *Device) bool { return d.cand.c.int8 != 0 }},
	61:   {"subgroups in compute shaders (GroupNonUniform)", func(d *Device) bool { return d.subgroup(0x01) }},
	62:   {"subgroup votes (GroupNonUniformVote)", func(d *Device) bool { return d.subgroup(0x02) }},
	63:   {"subgroup arithmetic (GroupNonUniformArithmetic)", func(d *Device) bool { return d.subgroup(0x04) }},
	64:   {"subgroup ballots (GroupNonUniformBallot)", func(d *Device) bool { return d.subgroup(0x08) }},
	65:   {"subgroup shuffles (GroupNonUniformShuffle)", func(d *Device) bool { return d.subgroup(0x10) }},
	66:   {"relative subgroup shuffles (GroupNonUniformShuffleRelative)", func(d *Device) bool { return d.subgroup(0x20) }},
	67:   {"clustered subgroup operations (GroupNonUniformClustered)", func(d *Device) bool { return d.subgroup(0x40) }},
	68:   {"subgroup quads (GroupNonUniformQuad)", func(d *Device) bool { return d.subgroup(0x80) }},
	4433: {"16-bit storage buffers (StorageBuffer16BitAccess)", func(d *Device) bool { return d.info.Caps.Storage16 }},
	4434: {"16-bit uniform buffers (UniformAndStorageBuffer16BitAccess)", func(d *Device) bool { return false }},
	4435: {"16-bit push constants (StoragePushConstant16)", func(d *Device) bool { return false }},
	4448: {"8-bit storage buffers (StorageBuffer8BitAccess)", func(d *Device) bool { return false }},
	5345: {"the Vulkan memory model (VulkanMemoryModel)", func(d *Device) bool { return false }},
	5347: {"buffer addresses (PhysicalStorageBufferAddresses)", func(d *Device) bool { return d.info.Caps.BufferDeviceAddress }},
	6022: {"cooperative matrices (CooperativeMatrixKHR)", func(d *Device) bool { return d.info.Caps.Matrix[0] > 0 }},
	6033: {"atomic float addition (AtomicFloat32AddEXT)", func(d *Device) bool { return false }},
}

func (d *Device) subgroup(op uint32) bool { return d.cand.subgroup(op) }

// admits returns an error if the device cannot run the module.
func (d *Device) admits(name string, m module) error {
	caps := &d.info.Caps
	limit := func(what string, got, most int) error {
		return &LimitError{What: what, Where: name, Got: int64(got), Max: int64(most), Device: d.info.Name}
	}
	// The instance is created for Vulkan 1.2, so newer drivers accept SPIR-V 1.5 too.
	most := uint32(spirvVersionFor1_1)
	if d.info.API >= MakeVersion(1, 2, 0) && Version(d.inst.c.api) >= MakeVersion(1, 2, 0) {
		most = spirvVersionFor1_2
	}
	if m.version > most {
		return &LimitError{What: "the shader", Where: name, Need: fmt.Sprintf("SPIR-V %d.%d", m.version>>16, m.version>>8&0xff), Device: d.info.Name}
	}
	for _, c := range m.capabilities {
		if k, ok := capabilityNames[c]; ok && !k.have(d) {
			return &LimitError{What: "the shader", Where: name, Need: k.name, Device: d.info.Name}
		}
	}
	all := 1
	for k, n := range m.localSize {
		if n > caps.MaxWorkgroup[k] {
			return limit("size of a work group in "+axisNames[k], n, caps.MaxWorkgroup[k])
		}
		all *= max(1, n)
	}
	if all > caps.MaxInvocations {
		return limit("invocations of a work group", all, caps.MaxInvocations)
	}
	return nil
}

var axisNames = [3]string{"x", "y", "z"}
