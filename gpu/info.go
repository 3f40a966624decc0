package gpu

import "fmt"

// Version is a Vulkan version, packed as in Vulkan.
type Version uint32

// MakeVersion packs a version.
func MakeVersion(major, minor, patch int) Version {
	return Version(major<<22 | minor<<12 | patch)
}

// Major returns the first number.
func (v Version) Major() int { return int(v >> 22 & 0x7f) }

// Minor returns the middle number.
func (v Version) Minor() int { return int(v >> 12 & 0x3ff) }

// Patch returns the last number.
func (v Version) Patch() int { return int(v & 0xfff) }

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major(), v.Minor(), v.Patch()) }

// DeviceType is the type of a device. The values are those of VkPhysicalDeviceType.
type DeviceType int

// The types of devices.
const (
	Other DeviceType = iota
	Integrated
	Discrete
	Virtual
	CPU
)

func (t DeviceType) String() string {
	switch t {
	case Integrated:
		return "integrated GPU"
	case Discrete:
		return "discrete GPU"
	case Virtual:
		return "virtual GPU"
	case CPU:
		return "CPU"
	}
	return "other"
}

// rank orders the types for the automatic choice; higher is better.
func (t DeviceType) rank() int {
	switch t {
	case Discrete:
		return 4
	case Integrated:
		return 3
	case Virtual:
		return 2
	case CPU:
		return 1
	}
	return 0
}

// Info describes a device.
type Info struct {
	Index                int // index in List, usable as Options.Device
	Name                 string
	DriverName           string // "" if the driver does not report it
	DriverInfo           string // the driver's own version text
	Type                 DeviceType
	API                  Version
	VendorID, DeviceID   uint32
	Caps                 Caps
	Unusable             string // why the device cannot be opened; "" if it can
	driverVersion        uint32
	deviceUUID, cacheUID [16]byte
}

// Caps are the features and limits of a device. The features are switched on when it is opened.
// Sizes are in bytes.
type Caps struct {
	SubgroupSize        int  // lanes of a subgroup, at least 1
	SubgroupArithmetic  bool // reductions and scans over a subgroup in compute shaders
	SubgroupShuffle     bool // values from any lane of a subgroup to any other
	BufferDeviceAddress bool // Buffer.Address works, shaders may use PhysicalStorageBuffer pointers
	Int64, Float16      bool // 64-bit integers, 16-bit float arithmetic
	Storage16           bool // 16-bit values in storage buffers and behind buffer addresses
	Timestamps          bool // Commands.Timestamp works
	Unified             bool // host and device share memory: local buffers are mapped
	Lavapipe            bool // the driver is lavapipe, Mesa's software driver
	SubgroupControl     bool // PipelineDesc.Subgroup may be set
	// Matrix is the size M, N, K of the cooperative matrices (VK_KHR_cooperative_matrix) that
	// shaders may use: factors M×K and K×N of float16, sums M×N of float32, each spread over a
	// subgroup. Zeros mean that the device has none that fit.
	Matrix [3]int

	TimestampPeriod    float64 // nanoseconds per tick
	MaxInvocations     int     // of one work group
	MaxWorkgroup       [3]int  // size of a work group
	MaxGroups          [3]int  // work groups of one dispatch
	MaxShared, MaxPush int     // bytes of shared memory and of push constants
	MaxStorageBindings int     // storage buffers of one pipeline
	MaxStorageRange    int64   // bytes of one storage-buffer binding
	MaxAlloc           int64   // bytes of one buffer
	HeapSize           int64   // bytes of the largest device-local heap
	// HeapBudget is how many bytes this process could allocate at the time of the query. It is
	// HeapSize if neither driver nor system reports it.
	HeapBudget      int64
	MinStorageAlign int // Range.Off of a binding must be a multiple of this
}
