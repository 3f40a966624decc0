package shaders

import "github.com/vfmrestore/restore/shaders/spirv"

// Convolutions and products on cooperative matrices. They use the same tiles as tiled.go, but in
// float16, and the subgroups of a workgroup multiply them as matrices. Sums are float32. On devices
// that have such matrices they are several times as fast as other arithmetic.

// matrixPad is how many quads of padding each row of a float16 tile has. Rows then begin in
// different banks of shared memory, at multiples of 16 bytes.
const matrixPad = 2

// assignMatrices divides the matrices of the tile among the workgroup's subgroups. It reports false
// if the device has no such matrices or the tile cannot be divided.
func (t Target) assignMatrices(s *ConvShape) bool {
	mx := t.Matrix
	if mx.M == 0 || s.Tile.BK%max(mx.K, 16) != 0 || s.TP%2 != 0 {
		return false
	}
	bm, bn := s.Tile.PM*s.TP, s.Tile.PN*t.Lanes*s.NJ
	if bm%mx.M != 0 || bn%mx.N != 0 || t.Group%mx.Subgroup != 0 {
		return false
	}
	rows, cols, subgroups := bm/mx.M, bn/mx.N, t.Group/mx.Subgroup
	// As square as possible: this needs the fewest loads per product.
	least := 0
	for sm := 1; sm <= subgroups; sm++ {
		sn := subgroups / sm
		if subgroups%sm != 0 || rows%sm != 0 || cols%sn != 0 {
			continue
		}
		if loads := rows/sm + cols/sn; least == 0 || loads < least {
			least, s.Tile.SM, s.Tile.SN = loads, sm, sn
		}
	}
	return least > 0
}

// convMatrix is Conv on cooperative matrices.
func (e *E) convMatrix(k Conv) {
	t, s := e.T, k.ConvShape
	w := e.workTile(s)
	l := e.newTileLoader(s, w.p0, w.c0, matrixPad, func(r U) U { return r }, true)
	sums := e.newMatrixSums(s)
	l.run(func(buf U) { sums.multiply(l, buf) })
	bm, bn := s.Tile.PM*s.TP, s.Tile.PN*t.Lanes*s.NJ/4
	c := e.sharedQuads(bm*(bn+1), false)
	sums.store(c, bn+1)
	e.barrier()
	start := e.startSums(s, w)
	out := make([][]F, s.TP)
	for j := range out {
		row := e.MulU(e.AddU(e.MulU(w.m, s.TP), e.C(j)), bn+1)
		for i, v := range e.channelsOf(c, s.NJ, w.n, row) {
			out[j] = append(out[j], e.Add(v, start[j][i].Get()))
		}
	}
	e.finishTile(s, w, k.Post, out)
}

// matrixSums are the sums of one subgroup: wm by wn matrices.
type matrixSums struct {
	e            *E
	s            ConvShape
	wm, wn       int
	row, col     U // position of the first matrix in the tile, in pixels and channels
	typeA, typeB spirv.ID
	typeC        spirv.ID
	vars         [][]spirv.ID
	layout       spirv.ID
}

func (e *E) newMatrixSums(s ConvShape) *matrixSums {
	m, mx := e.m, e.T.Matrix
	m.Capability(spirv.CapCooperativeMatrix)
	m.Capability(spirv.CapGroupNonUniform)
	m.Extension("SPV_KHR_cooperative_matrix")
	bm, bn := s.Tile.PM*s.TP, s.Tile.PN*e.T.Lanes*s.NJ
	g := &matrixSums{e: e, s: s, wm: bm / mx.M / s.Tile.SM, wn: bn / mx.N / s.Tile.SN}
	at := e.Split(U{id: e.builtin(spirv.BuiltInSubgroupID, m.U32())}, s.Tile.SN)
	g.row, g.col = e.MulU(at[0], g.wm*mx.M), e.MulU(at[1], g.wn*mx.N)
	g.typeA = m.Matrix(m.F16(), mx.M, mx.K, spirv.MatrixA)
	g.typeB = m.Matrix(m.F16(), mx.K, mx.N, spirv.MatrixB)
	g.typeC = m.Matrix(m.F32(), mx.M, mx.N, spirv.MatrixAccumulator)
	g.layout = m.ConstU32(spirv.RowMajor)
	zero := m.ConstComposite(g.typeC, m.ConstF32(0))
	for range g.wm {
		row := make([]spirv.ID, g.wn)
		for j := range row {
			row[j] = e.f.Var(m.Pointer(spirv.ClassFunction, g.typeC))
			e.f.Do(spirv.OpStore, uint32(row[j]), uint32(zero))
		}
		g.vars = append(g.vars, row)
	}
	return g
}

// load reads a matrix that begins at quad i of q. The rows are stride quads apart.
func (g *matrixSums) load(t spirv.ID, q quads, i U, stride int) spirv.ID {
	return g.e.val(spirv.OpCooperativeMatrixLoad, t, g.e.quadPtr(q, i), g.layout, g.e.m.ConstU32(uint32(stride)))
}

// multiply adds the product of the tiles in half buf (0 or 1) of the shared memory.
func (g *matrixSums) multiply(l *tileLoader, buf U) {
	e, mx := g.e, g.e.T.Matrix
	strideB := l.sizeB / g.s.Tile.BK
	a0 := e.AddU(e.MulU(buf, l.sizeA), e.MulU(g.row, l.rowLen))
	b0 := e.SumU(e.MulU(buf, l.sizeB), e.DivU(g.col, 4))
	for k := 0; k < g.s.Tile.BK; k += mx.K {
		as, bs := make([]spirv.ID, g.wm), make([]spirv.ID, g.wn)
		for i := range as {
			as[i] = g.load(g.typeA, l.a, e.AddU(a0, e.C(i*mx.M*l.rowLen+k/4)), l.rowLen)
		}
		for j := range bs {
			bs[j] = g.load(g.typeB, l.b, e.AddU(b0, e.C(k*strideB+j*mx.N/4)), strideB)
		}
		for i, row := range g.vars {
			for j, v := range row {
				c := e.val(spirv.OpLoad, g.typeC, v)
				c = e.val(spirv.OpCooperativeMatrixMulAdd, g.typeC, as[i], bs[j], c)
				e.f.Do(spirv.OpStore, uint32(v), uint32(c))
			}
		}
	}
}

// store writes the sums to shared memory. The pixels are stride quads apart.
func (g *matrixSums) store(c quads, stride int) {
	e, mx := g.e, g.e.T.Matrix
	at := e.AddU(e.MulU(g.row, stride), e.DivU(g.col, 4))
	for i, row := range g.vars {
		for j, v := range row {
			x := e.val(spirv.OpLoad, g.typeC, v)
			p := e.quadPtr(c, e.AddU(at, e.C(i*mx.M*stride+j*mx.N/4)))
			e.f.Do(spirv.OpCooperativeMatrixStore, uint32(p), uint32(x), uint32(g.layout), uint32(e.m.ConstU32(uint32(stride))))
		}
	}
}
