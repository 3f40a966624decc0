package optim

import "github.com/vfmrestore/restore/netdef/compile"

// Arrays are the state of a training run, in the order of checkpoints.
var Arrays = [...]compile.Array{compile.Weights, compile.Averages, compile.Moment1, compile.Moment2}
