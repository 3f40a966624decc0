package frame

// Kind is the arrangement of a frame's samples. Names are those of the bytes as they follow each
// other in memory.
type Kind uint8

const (
	RGB      Kind = iota // R G B, R G B, ... of 8 bits
	RGBA                 // the same with a fourth byte, alpha
	Planar               // a plane of Y, one of Cb, one of Cr; samples of more than 8 bits in two bytes, little-endian
	NV12                 // a plane of Y, one of Cb and Cr in turn; 4:2:0, 8 bits
	Gray                 // a plane of Y; samples of more than 8 bits in two bytes, little-endian
	Float32              // three planes R, G, B of little-endian float32 in [-1, 1]
	BGR                  // B G R, B G R, ... of 8 bits
	BGRA                 // the same with a fourth byte, alpha
	NV21                 // as NV12 with Cr before Cb
	P010                 // as NV12 with samples in the upper bits of two bytes, little-endian: P010, and by Format.Bits P012 and P016
	YUYV                 // Y Cb Y Cr, ...: 4:2:2 of 8 bits, two pixels in four bytes (also called YUY2)
	UYVY                 // Cb Y Cr Y, ...
	FloatRGB             // R G B, R G B, ... of little-endian float32 in [-1, 1]
)

func (k Kind) String() string {
	if int(k) < len(layouts) {
		return layouts[k].name
	}
	return "no format"
}

// model is what the samples stand for.
type model uint8

const (
	rgb model = iota
	ycc
	gray
)

// subsampling is what a kind fixes of chroma's size.
type subsampling uint8

const (
	full444 subsampling = iota
	half422
	half420
	asTold // by Format.HalfX and HalfY
)

// The components: R, G, B of rgb, and Y, Cb, Cr of the others; alpha.
const (
	first = iota
	second
	third
	alpha
	components
)

// place says where a component's samples lie, in samples from the start of its plane's rows. A step
// of 0: there is no such component.
type place struct{ plane, offset, step int }

// layout is an arrangement. Sizes are in samples of 1, 2 (more than 8 bits, or upper) or 4 bytes
// (float).
type layout struct {
	name    string
	model   model
	chroma  subsampling
	planes  int
	at      [components]place
	bits    int // per sample; 0: as Format.Bits tells
	least   int // bits
	usual   int // bits, where Format.Bits is 0
	upper   bool
	float   bool
	macro   bool // two pixels of luma share a step of plane 0
	colours int  // components without alpha
}

var layouts = [...]layout{
	RGB: {name: "RGB", model: rgb, planes: 1, bits: 8, colours: 3,
		at: [components]place{{0, 0, 3}, {0, 1, 3}, {0, 2, 3}}},
	BGR: {name: "BGR", model: rgb, planes: 1, bits: 8, colours: 3,
		at: [components]place{{0, 2, 3}, {0, 1, 3}, {0, 0, 3}}},
	RGBA: {name: "RGBA", model: rgb, planes: 1, bits: 8, colours: 3,
		at: [components]place{{0, 0, 4}, {0, 1, 4}, {0, 2, 4}, {0, 3, 4}}},
	BGRA: {name: "BGRA", model: rgb, planes: 1, bits: 8, colours: 3,
		at: [components]place{{0, 2, 4}, {0, 1, 4}, {0, 0, 4}, {0, 3, 4}}},
	Planar: {name: "planar Y′CbCr", model: ycc, chroma: asTold, planes: 3, least: 8, usual: 8, colours: 3,
		at: [components]place{{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}},
	NV12: {name: "NV12", model: ycc, chroma: half420, planes: 2, bits: 8, colours: 3,
		at: [components]place{{0, 0, 1}, {1, 0, 2}, {1, 1, 2}}},
	NV21: {name: "NV21", model: ycc, chroma: half420, planes: 2, bits: 8, colours: 3,
		at: [components]place{{0, 0, 1}, {1, 1, 2}, {1, 0, 2}}},
	P010: {name: "P010", model: ycc, chroma: half420, planes: 2, least: 9, usual: 10, upper: true, colours: 3,
		at: [components]place{{0, 0, 1}, {1, 0, 2}, {1, 1, 2}}},
	YUYV: {name: "YUYV", model: ycc, chroma: half422, planes: 1, bits: 8, macro: true, colours: 3,
		at: [components]place{{0, 0, 2}, {0, 1, 4}, {0, 3, 4}}},
	UYVY: {name: "UYVY", model: ycc, chroma: half422, planes: 1, bits: 8, macro: true, colours: 3,
		at: [components]place{{0, 1, 2}, {0, 0, 4}, {0, 2, 4}}},
	Gray: {name: "grey", model: gray, planes: 1, least: 8, usual: 8, colours: 1,
		at: [components]place{{0, 0, 1}}},
	Float32: {name: "float32 planes", model: rgb, planes: 3, bits: 32, float: true, colours: 3,
		at: [components]place{{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}},
	FloatRGB: {name: "packed float32", model: rgb, planes: 1, bits: 32, float: true, colours: 3,
		at: [components]place{{0, 0, 3}, {0, 1, 3}, {0, 2, 3}}},
}

// layout is that of the kind. One that does not exist, which Check reports, has the first.
func (f Format) layout() *layout {
	if int(f.Kind) >= len(layouts) {
		return &layouts[0]
	}
	return &layouts[f.Kind]
}

// word is the number of bytes of a sample of a normal format.
func (f Format) word() int {
	switch {
	case f.layout().float:
		return 4
	case f.Bits > 8:
		return 2
	}
	return 1
}

// shift is how far a sample's bits lie above the lowest of its bytes.
func (f Format) shift() int {
	if f.layout().upper {
		return 16 - f.Bits
	}
	return 0
}
