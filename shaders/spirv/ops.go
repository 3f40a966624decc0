package spirv

// Op is an instruction's opcode.
type Op uint32

// Opcodes used by the emitter (SPIR-V 1.3 unified specification).
const (
	OpName                   Op = 5
	OpExtension              Op = 10
	OpExtInstImport          Op = 11
	OpExtInst                Op = 12
	OpMemoryModel            Op = 14
	OpEntryPoint             Op = 15
	OpExecutionMode          Op = 16
	OpCapability             Op = 17
	OpTypeVoid               Op = 19
	OpTypeBool               Op = 20
	OpTypeInt                Op = 21
	OpTypeFloat              Op = 22
	OpTypeVector             Op = 23
	OpTypeArray              Op = 28
	OpTypeRuntimeArray       Op = 29
	OpTypeStruct             Op = 30
	OpTypePointer            Op = 32
	OpTypeFunction           Op = 33
	OpConstant               Op = 43
	OpConstantComposite      Op = 44
	OpFunction               Op = 54
	OpFunctionEnd            Op = 56
	OpVariable               Op = 59
	OpLoad                   Op = 61
	OpStore                  Op = 62
	OpAccessChain            Op = 65
	OpDecorate               Op = 71
	OpMemberDecorate         Op = 72
	OpCompositeConstruct     Op = 80
	OpCompositeExtract       Op = 81
	OpConvertUToF            Op = 112
	OpConvertFToU            Op = 109
	OpConvertFToS            Op = 110
	OpUConvert               Op = 113
	OpFConvert               Op = 115
	OpConvertUToPtr          Op = 120
	OpBitcast                Op = 124
	OpFNegate                Op = 127
	OpIAdd                   Op = 128
	OpFAdd                   Op = 129
	OpISub                   Op = 130
	OpFSub                   Op = 131
	OpIMul                   Op = 132
	OpFMul                   Op = 133
	OpUDiv                   Op = 134
	OpFDiv                   Op = 136
	OpUMod                   Op = 137
	OpUMulExtended           Op = 151
	OpLogicalOr              Op = 166
	OpLogicalAnd             Op = 167
	OpSelect                 Op = 169
	OpIEqual                 Op = 170
	OpULessThan              Op = 176
	OpFOrdEqual              Op = 180
	OpFOrdLessThan           Op = 184
	OpFOrdGreaterThan        Op = 186
	OpShiftRightLogical      Op = 194
	OpShiftLeftLogical       Op = 196
	OpBitwiseOr              Op = 197
	OpBitwiseXor             Op = 198
	OpBitwiseAnd             Op = 199
	OpControlBarrier         Op = 224
	OpLoopMerge              Op = 246
	OpSelectionMerge         Op = 247
	OpLabel                  Op = 248
	OpBranch                 Op = 249
	OpBranchConditional      Op = 250
	OpReturn                 Op = 253
	OpGroupNonUniformShuffle Op = 345
	OpGroupNonUniformFAdd    Op = 350
	OpGroupNonUniformFMax    Op = 358

	// SPV_KHR_cooperative_matrix
	OpTypeCooperativeMatrix   Op = 4456
	OpCooperativeMatrixLoad   Op = 4457
	OpCooperativeMatrixStore  Op = 4458
	OpCooperativeMatrixMulAdd Op = 4459
)

// Capabilities.
const (
	CapShader                         = 1
	CapFloat16                        = 9
	CapInt64                          = 11
	CapGroupNonUniform                = 61
	CapGroupNonUniformArithmetic      = 63
	CapGroupNonUniformShuffle         = 65
	CapStorageBuffer16BitAccess       = 4433
	CapPhysicalStorageBufferAddresses = 5347
	CapCooperativeMatrix              = 6022
)

// Storage classes.
const (
	ClassInput                 = 1
	ClassWorkgroup             = 4
	ClassPrivate               = 6
	ClassFunction              = 7
	ClassPushConstant          = 9
	ClassStorageBuffer         = 12
	ClassPhysicalStorageBuffer = 5349
)

// Decorations.
const (
	DecoBlock         = 2
	DecoArrayStride   = 6
	DecoBuiltIn       = 11
	DecoRestrict      = 19
	DecoAliased       = 20
	DecoNonWritable   = 24
	DecoBinding       = 33
	DecoDescriptorSet = 34
	DecoOffset        = 35
	DecoNoContraction = 42
)

// Built-ins.
const (
	BuiltInWorkgroupID               = 26
	BuiltInLocalInvocationIndex      = 29
	BuiltInSubgroupID                = 40
	BuiltInSubgroupLocalInvocationID = 41
)

// Addressing and memory models, execution model and mode.
const (
	AddressingLogical                 = 0
	AddressingPhysicalStorageBuffer64 = 5348
	MemoryGLSL450                     = 1
	ModelGLCompute                    = 5
	ModeLocalSize                     = 17
)

// Scopes, semantics and memory operands.
const (
	ScopeWorkgroup     = 2
	ScopeSubgroup      = 3
	SemWorkgroupAcqRel = 0x100 | 0x8
	MemAligned         = 2
	GroupReduce        = 0
)

// Cooperative matrices: what a matrix is in a product, and its layout in memory.
const (
	MatrixA           = 0
	MatrixB           = 1
	MatrixAccumulator = 2
	RowMajor          = 0
)

// GLSL.std.450 instructions.
const (
	GLSLFAbs        = 4
	GLSLFloor       = 8
	GLSLSqrt        = 31
	GLSLInverseSqrt = 32
	GLSLFMin        = 37
	GLSLUMin        = 38
	GLSLFMax        = 40
	GLSLFma         = 50
)
