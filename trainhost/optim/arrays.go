package optim

import "github.com/vfmrestore/restore/netdef/compile"

// Array is one of the arrays of a training store. Each holds a value for every parameter.
type Array string

const (
	Weights  Array = "p"
	Averages Array = "ema" // running averages of the weights
	Moment1  Array = "m"   // AdamW's moments
	Moment2  Array = "v"
)

// Arrays are the state of a training run, in the order of checkpoints.
var Arrays = [...]Array{Weights, Averages, Moment1, Moment2}

// Read returns an array by parameter name.
func (a Array) Read(s *compile.Store) (map[string][]float32, error) { return s.State(string(a)) }

// Write sets an array of the named parameters.
func (a Array) Write(s *compile.Store, values map[string][]float32) error {
	return s.SetState(string(a), values)
}
