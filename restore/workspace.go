package restore

// workspace is memory that a Stream whose frames are done in tiles uses for one after the other:
// what it holds is as large as a frame. One request at a time has it.
type frameMemory struct {
	out         []float32            // of the result's planes
	buffers     map[string][]float32 // of tiles
	view, known [][]float32          // what mirrored reads by
}
