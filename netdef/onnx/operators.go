package onnx

import (
	"maps"
	"slices"
)

// spec says how an operator is read.
type spec struct {
	attrs []string // the attributes that it may have
	build func(b *builder, n *operator) ([]value, error)
}

func (s spec) takes(attribute string) bool { return slices.Contains(s.attrs, attribute) }

// operators lists all operators that are read.
var operators map[string]spec

func init() {
	conv := []string{"kernel_shape", "strides", "pads", "dilations", "group", "auto_pad"}
	operators = map[string]spec{
		"Conv":          {conv, buildConv},
		"ConvTranspose": {append(slices.Clone(conv), "output_padding"), buildConvTranspose},
		"Gemm":          {[]string{"alpha", "beta", "transA", "transB"}, buildMatrix},
		"MatMul":        {nil, buildMatrix},

		"BatchNormalization":    {[]string{"epsilon", "momentum", "training_mode", "spatial"}, buildBatchNorm},
		"InstanceNormalization": {[]string{"epsilon"}, buildInstanceNorm},
		"Softmax":               {[]string{"axis"}, buildSoftmax},

		"Clip":    {[]string{"min", "max"}, buildClip},
		"PRelu":   {nil, buildPRelu},
		"Pow":     {nil, buildPow},
		"Cast":    {[]string{"to", "saturate"}, buildCast},
		"Dropout": {[]string{"ratio", "seed"}, buildDropout},

		"MaxPool": {[]string{"kernel_shape", "strides", "pads", "dilations", "auto_pad", "ceil_mode", "storage_order"}, buildPool},
		"AveragePool": {[]string{"kernel_shape", "strides", "pads", "dilations", "auto_pad", "ceil_mode", "count_include_pad"},
			buildPool},
		"GlobalAveragePool": {nil, buildGlobalPool},
		"ReduceMean":        {[]string{"axes", "keepdims", "noop_with_empty_axes"}, buildReduce},
		"ReduceSum":         {[]string{"axes", "keepdims", "noop_with_empty_axes"}, buildReduce},
		"Resize": {[]string{"mode", "scales", "coordinate_transformation_mode", "nearest_mode", "cubic_coeff_a", "antialias",
			"exclude_outside", "extrapolation_value", "keep_aspect_ratio_policy"}, buildResize},
		"Upsample": {[]string{"mode", "scales"}, buildResize},

		"Concat":       {[]string{"axis"}, buildConcat},
		"Slice":        {[]string{"starts", "ends", "axes"}, buildSlice},
		"Split":        {[]string{"axis", "split", "num_outputs"}, buildSplit},
		"Gather":       {[]string{"axis"}, buildGather},
		"DepthToSpace": {[]string{"blocksize", "mode"}, buildDepthToSpace},
		"SpaceToDepth": {[]string{"blocksize"}, buildSpaceToDepth},
		"Reshape":      {[]string{"allowzero"}, buildReshape},
		"Flatten":      {[]string{"axis"}, buildReshape},
		"Squeeze":      {[]string{"axes"}, buildReshape},
		"Unsqueeze":    {[]string{"axes"}, buildReshape},
		"Transpose":    {[]string{"perm"}, buildTranspose},
		"Expand":       {nil, buildExpand},
		"Pad":          {[]string{"mode", "pads", "value"}, buildPad},

		"Constant":        {[]string{"value", "value_float", "value_int", "value_floats", "value_ints"}, buildConstantOnly},
		"ConstantOfShape": {[]string{"value"}, buildConstantOnly},
		"Shape":           {[]string{"start", "end"}, buildConstantOnly},
		"Floor":           {nil, buildConstantOnly},
		"Ceil":            {nil, buildConstantOnly},
	}
	for name := range binaries {
		operators[name] = spec{nil, buildBinary}
	}
	for name, f := range functions {
		operators[name] = spec{f.attrs, buildFunction}
	}
}

// Operators lists the operators that are read, sorted.
func Operators() []string { return slices.Sorted(maps.Keys(operators)) }

// buildCast builds Cast of computed numbers, which are float32 whatever their type in the model.
func buildCast(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0)
	if err != nil {
		return nil, err
	}
	switch to := n.integer("to", 0); to {
	case elemFloat, elemHalf, elemDouble:
		return []value{x}, nil
	default:
		return nil, n.fail("attribute to", "is type %d; computed numbers can only become float", to)
	}
}

func buildDropout(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0)
	if err != nil {
		return nil, err
	}
	if v, ok := b.opt(n, 2); ok && (v.data == nil || v.data.size() != 1 || v.data.at(0) != 0) {
		return nil, n.fail("input 3", "(training_mode) is set; export the model for inference")
	}
	return []value{x}, nil
}

func buildConstantOnly(_ *builder, n *operator) ([]value, error) {
	return nil, n.fail("", "is supported for constants only")
}
