package published

// rule says which tensor of a checkpoint a parameter is.
type rule struct {
	ours, theirs string
	shape        []int // of theirs
	// index returns the element of theirs that belongs at [k,l,i,o] of ours, or -1 for a zero.
	index func(k, l, i, o int) int
}

// The layouts. PyTorch's linear maps are [out][in] and its convolutions [out][in][height][width].
// Channels beyond those of the source are zero.

func vector(ours, theirs string, n int) rule {
	return rule{ours, theirs, []int{n}, func(_, _, _, o int) int {
		if o >= n {
			return -1
		}
		return o
	}}
}

func convolution(ours, theirs string, in, out, side int) rule {
	return rule{ours, theirs, []int{out, in, side, side}, func(k, l, i, o int) int {
		if i >= in || o >= out {
			return -1
		}
		return ((o*in+i)*side+k)*side + l
	}}
}

func matrix(ours, theirs string, in, out int) rule {
	r := convolution(ours, theirs, in, out, 1)
	r.shape = []int{out, in}
	return r
}

func table(ours, theirs string, rows, width int) rule {
	return rule{ours, theirs, []int{rows, width}, func(_, _, i, o int) int {
		if i >= rows {
			return -1
		}
		return i*width + o
	}}
}

// linear is a matrix and its bias: ours/w, ours/b from theirs.weight, theirs.bias.
func linear(ours, theirs string, in, out int) []rule {
	return []rule{matrix(ours+"/w", theirs+".weight", in, out), vector(ours+"/b", theirs+".bias", out)}
}

func conv(ours, theirs string, in, out, side int) []rule {
	return []rule{convolution(ours+"/w", theirs+".weight", in, out, side), vector(ours+"/b", theirs+".bias", out)}
}

func norm(ours, theirs string, n int) []rule {
	return []rule{vector(ours+"/scale", theirs+".weight", n), vector(ours+"/shift", theirs+".bias", n)}
}
