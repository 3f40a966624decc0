package nets

// photoSD holds the standard deviation of each band and opponent colour over 879 freely licensed
// photographs (docs/DATA.md) with values in [-1,1]. It is averaged over the two orientations and
// the positions within a block.
var photoSD = [...][3]float32{
	LL2: {3.66, 0.92, 1.21},
	H2:  {0.42, 0.080, 0.107},
	V2:  {0.42, 0.080, 0.107},
	D2:  {0.219, 0.039, 0.051},
	H1:  {0.183, 0.0315, 0.0425},
	V1:  {0.183, 0.0315, 0.0425},
	D1:  {0.0915, 0.0127, 0.0170},
}
