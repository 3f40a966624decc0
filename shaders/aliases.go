package shaders

import "github.com/vfmrestore/restore/shaders/spirv"

const (
	opIAdd      = spirv.OpIAdd
	opULessThan = spirv.OpULessThan
	opSelect    = spirv.OpSelect
	opISub      = spirv.OpISub
)
