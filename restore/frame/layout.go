package frame

// Kind is the arrangement of a frame's samples. Names give the order of bytes in memory.
type Kind uint8

const (
	RGB     Kind = iota // R G B, R G B, ... of 8 bits
	RGBA                // with a fourth byte, alpha
	Planar              // planes of Y, Cb and Cr; more than 8 bits: two bytes, little-endian
	NV12                // a plane of Y, one of alternating Cb and Cr; 4:2:0, 8 bits
	Gray                // a plane of Y; more than 8 bits: two bytes, little-endian
	Float32             // three planes R, G, B of little-endian float32 in [-1, 1]
	BGR                 // B G R, B G R, ... of 8 bits
	BGRA                // with a fourth byte, alpha
	NV21                // like NV12 with Cr before Cb
	// like NV12, upper bits of two bytes, little-endian; by Bits also P012, P016
	P010
	YUYV     // Y Cb Y Cr, ...: 4:2:2, 8 bits, two pixels in four bytes (YUY2)
	UYVY     // Cb Y Cr Y, ...
	FloatRGB // R G B, R G B, ... of little-endian float32 in [-1, 1]
)

func (k Kind) String() string {
	if int(k) < len(layouts) {
		return layouts[k].name
	}
	return "no format"
}

// model is the colour model of the samples.
type model uint8

const (
	rgb model = iota
	ycc
	gray
)

// subsampling is the chroma subsampling of a kind.
type subsampling uint8

const (
	full444 subsampling = iota
	half422
	half420
	byFormat // given by Format.HalfX and HalfY
)

// Components: R, G, B for rgb, Y, Cb, Cr for other models, and alpha.
const (
	first = iota
	second
	third
	alpha
	components
)

// location gives plane, offset and step of a component, in samples from the start of a row. If the
// step is 0, there is no such component.
type location struct{ plane, offset, step int }

// layout describes a Kind. Offsets and steps are in samples of 1, 2 (more than 8 bits, or upper) or
// 4 bytes (float).
type layout struct {
	name        string
	model       model
	chroma      subsampling
	planes      int
	at          [components]location
	bits        int // per sample; 0: given by Format.Bits
	minBits     int
	defaultBits int // if Format.Bits is 0
	upper       bool
	float       bool
	macro       bool // two pixels share a step of plane 0
	colours     int  // components without alpha
}

var layouts = [...]layout{
	RGB: {name: "RGB", model: rgb, planes: 1, bits: 8, colours: 3,
		at: [components]location{{0, 0, 3}, {0, 1, 3}, {0, 2, 3}}},
	BGR: {name: "BGR", model: rgb, planes: 1, bits: 8, colours: 3,
		at: [components]location{{0, 2, 3}, {0, 1, 3}, {0, 0, 3}}},
	RGBA: {name: "RGBA", model: rgb, planes: 1, bits: 8, colours: 3,
		at: [components]location{{0, 0, 4}, {0, 1, 4}, {0, 2, 4}, {0, 3, 4}}},
	BGRA: {name: "BGRA", model: rgb, planes: 1, bits: 8, colours: 3,
		at: [components]location{{0, 2, 4}, {0, 1, 4}, {0, 0, 4}, {0, 3, 4}}},
	Planar: {name: "planar Y′CbCr", model: ycc, chroma: byFormat, planes: 3, minBits: 8,
		defaultBits: 8, colours: 3,
		at: [components]location{{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}},
	NV12: {name: "NV12", model: ycc, chroma: half420, planes: 2, bits: 8, colours: 3,
		at: [components]location{{0, 0, 1}, {1, 0, 2}, {1, 1, 2}}},
	NV21: {name: "NV21", model: ycc, chroma: half420, planes: 2, bits: 8, colours: 3,
		at: [components]location{{0, 0, 1}, {1, 1, 2}, {1, 0, 2}}},
	P010: {name: "P010", model: ycc, chroma: half420, planes: 2, minBits: 9, defaultBits: 10,
		upper: true, colours: 3,
		at: [components]location{{0, 0, 1}, {1, 0, 2}, {1, 1, 2}}},
	YUYV: {name: "YUYV", model: ycc, chroma: half422, planes: 1, bits: 8, macro: true, colours: 3,
		at: [components]location{{0, 0, 2}, {0, 1, 4}, {0, 3, 4}}},
	UYVY: {name: "UYVY", model: ycc, chroma: half422, planes: 1, bits: 8, macro: true, colours: 3,
		at: [components]location{{0, 1, 2}, {0, 0, 4}, {0, 2, 4}}},
	Gray: {name: "grey", model: gray, planes: 1, minBits: 8, defaultBits: 8, colours: 1,
		at: [components]location{{0, 0, 1}}},
	Float32: {name: "float32 planes", model: rgb, planes: 3, bits: 32, float: true, colours: 3,
		at: [components]location{{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}},
	FloatRGB: {name: "packed float32", model: rgb, planes: 1, bits: 32, float: true, colours: 3,
		at: [components]location{{0, 0, 3}, {0, 1, 3}, {0, 2, 3}}},
}

// layout gives the layout of the kind. Unknown kinds, which Check refuses, get the first.
func (f Format) layout() *layout {
	if int(f.Kind) >= len(layouts) {
		return &layouts[0]
	}
	return &layouts[f.Kind]
}

// word is the number of bytes of a sample.
func (f Format) word() int {
	switch {
	case f.layout().float:
		return 4
	case f.Bits > 8:
		return 2
	}
	return 1
}

// shift is the number of unused low bits of a sample.
func (f Format) shift() int {
	if f.layout().upper {
		return 16 - f.Bits
	}
	return 0
}
