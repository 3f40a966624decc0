package restore

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/vfmrestore/restore/internal/finite"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/weights"
)

// Network is an adapter and a flow map with their weights.
type Network struct {
	Config nets.Architecture
	Params map[string][]float32 // by their names in the graph, "adapter/..." and "flow/..."
	Meta   map[string]string    // of the weights file; may be nil
}

// NetworkFromFile makes a network of a weights file. It fails with a *NetworkError if a parameter
// is missing, unknown or of another shape than the configuration says. The values are shared with
// f.
func NetworkFromFile(f *weights.File) (*Network, error) {
	n, _, err := readNetwork(f)
	return n, err
}

// readNetwork is NetworkFromFile, and also returns the graph's parameters.
func readNetwork(f *weights.File) (*Network, []*netdef.Node, error) {
	cfg, err := decodeConfig(f.Meta)
	if err != nil {
		return nil, nil, err
	}
	n := &Network{Config: cfg, Params: f.Params(), Meta: maps.Clone(f.Meta)}
	params, err := n.check()
	if err != nil {
		return nil, nil, err
	}
	for _, p := range params {
		if t := f.Find(p.Name); !slices.Equal(trimShape(t.Shape), trimShape(p.Shape[:])) {
			return nil, nil, badNetwork("%q has shape %v, the network's is %v", p.Name, t.Shape, trimShape(p.Shape[:]))
		}
	}
	return n, params, nil
}

// networkWithoutValues is readNetwork of a file's metadata.
func networkWithoutValues(meta map[string]string) (*Network, []*netdef.Node, error) {
	cfg, err := decodeConfig(meta)
	if err != nil {
		return nil, nil, err
	}
	n := &Network{Config: cfg, Meta: meta}
	params, err := n.params()
	if err == nil {
		_, err = n.taskOrder()
	}
	return n, params, err
}

// decodeConfig reads the configuration in a file's metadata.
func decodeConfig(meta map[string]string) (nets.Architecture, error) {
	cfg, err := nets.Decode(meta[weights.KeyNetwork], meta[weights.KeyConfig])
	var unknown *nets.UnknownError
	if errors.As(err, &unknown) {
		return nil, badNetwork("they are for a network %q, this program runs %s",
			unknown.Name, strings.Join(nets.Names(), " and "))
	}
	if err != nil {
		return nil, &NetworkError{weights.KeyConfig + " is not a configuration", err}
	}
	return cfg, nil
}

// trimShape drops leading axes of size 1. In files vectors are vectors and 1×1 convolutions
// matrices.
func trimShape(shape []int) []int {
	for len(shape) > 1 && shape[0] == 1 {
		shape = shape[1:]
	}
	return shape
}

// File makes the content of a weights file. Names and shapes come from the graph, without leading
// axes of size 1. Matrices and filters are stored as dtype, vectors as weights.F32 (they are few,
// and biases need the accuracy). Meta is copied; network and configuration are set in it, and all
// six tasks if it names none. It fails with a *NetworkError if the parameters do not fit the
// configuration. The values are shared.
func (n *Network) File(dtype weights.DType) (*weights.File, error) {
	params, err := n.check()
	if err != nil {
		return nil, err
	}
	f := &weights.File{Meta: map[string]string{}}
	maps.Copy(f.Meta, n.Meta)
	config, err := json.Marshal(n.Config)
	if err != nil {
		return nil, &NetworkError{"the configuration cannot be written", err}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, config); err != nil {
		return nil, &NetworkError{"the configuration cannot be written", err}
	}
	f.Meta[weights.KeyNetwork], f.Meta[weights.KeyConfig] = n.Config.Name(), compact.String()
	if f.Meta[weights.KeyTasks] == "" {
		f.Meta[weights.KeyTasks] = joinTasks(task.All())
	}
	for _, p := range params {
		t := weights.Tensor{Name: p.Name, Shape: trimShape(p.Shape[:]), DType: weights.F32, Data: n.Params[p.Name]}
		if len(t.Shape) > 1 {
			t.DType = dtype
		}
		f.Tensors = append(f.Tensors, t)
	}
	return f, nil
}

// graph builds both networks at their smallest size, to list their parameters.
func (n *Network) graph() (*netdef.Graph, []*netdef.Node, error) {
	side := max(n.Config.Align(), 8) // planar pictures need a width of 8
	k := graphBuilder{n.Config, side, side}
	g := netdef.NewGraph()
	outs := k.whole(g, n.Config.Traits().Guess)
	return g, outs, g.Err()
}

// params returns the graph's parameters.
func (n *Network) params() ([]*netdef.Node, error) {
	if n.Config == nil {
		return nil, badNetwork("they have no configuration")
	}
	if err := n.Config.Validate(); err != nil {
		return nil, &NetworkError{"no network can be built", err}
	}
	_, outs, err := n.graph()
	if err != nil {
		return nil, &NetworkError{"no network can be built", err}
	}
	return netdef.Params(outs...), nil
}

// check compares the parameters with the graph's and returns the graph's.
func (n *Network) check() ([]*netdef.Node, error) {
	params, err := n.params()
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, p := range params {
		known[p.Name] = true
		v, ok := n.Params[p.Name]
		if !ok {
			return nil, badNetwork("parameter %q %v is missing", p.Name, p.Shape)
		}
		if len(v) != p.Shape.Size() {
			return nil, badNetwork("parameter %q has %d values, the network needs %v", p.Name, len(v), p.Shape)
		}
		if i := finite.FirstNot(v); i >= 0 {
			return nil, badNetwork("parameter %q: value %d is %v, not a finite number", p.Name, i, v[i])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(n.Params)) {
		if !known[name] {
			return nil, badNetwork("parameter %q does not belong to this network", name)
		}
	}
	_, err = n.taskOrder()
	return params, err
}
