package restore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

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

// NetworkFromFile reads a network out of a weights file. It fails with a *NetworkError if a parameter is missing, unknown or of
// another shape than the configuration says. The values are shared with f.
func NetworkFromFile(f *weights.File) (*Network, error) {
	n, _, err := readNetwork(f)
	return n, err
}

// readNetwork is NetworkFromFile, and gives the graph's parameters.
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
		if t := f.Find(p.Name); !slices.Equal(natural(t.Shape), natural(p.Shape[:])) {
			return nil, nil, badNetwork("%q has shape %v, the network's is %v", p.Name, t.Shape, natural(p.Shape[:]))
		}
	}
	return n, params, nil
}

// formOf is readNetwork of a file's metadata: the values are missing.
func formOf(meta map[string]string) (*Network, []*netdef.Node, error) {
	cfg, err := decodeConfig(meta)
	if err != nil {
		return nil, nil, err
	}
	n := &Network{Config: cfg, Meta: meta}
	params, err := n.params()
	if err == nil {
		_, err = n.places()
	}
	return n, params, err
}

// decodeConfig reads the configuration in a file's metadata.
func decodeConfig(meta map[string]string) (nets.Architecture, error) {
	cfg, err := nets.Decode(meta[weights.KeyNetwork], meta[weights.KeyConfig])
	var unknown *nets.UnknownError
	if errors.As(err, &unknown) {
		return nil, badNetwork("they are for a network %q, this program runs %s", unknown.Name, strings.Join(nets.Names(), " and "))
	}
	if err != nil {
		return nil, &NetworkError{weights.KeyConfig + " is no configuration", err}
	}
	return cfg, nil
}

// natural drops leading axes of size 1: vectors are vectors in files, 1×1 convolutions matrices.
func natural(shape []int) []int {
	for len(shape) > 1 && shape[0] == 1 {
		shape = shape[1:]
	}
	return shape
}

// File makes the content of a weights file: names and shapes from the graph without leading axes of size 1; matrices and
// filters to be stored as dtype, vectors as weights.F32 (they are few, and biases matter). Meta is taken over, with network and
// configuration set, and with all six tasks if it names none. It fails with a *NetworkError if the parameters do not fit the
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
		f.Meta[weights.KeyTasks] = listed(task.All())
	}
	for _, p := range params {
		t := weights.Tensor{Name: p.Name, Shape: natural(p.Shape[:]), DType: weights.F32, Data: n.Params[p.Name]}
		if len(t.Shape) > 1 {
			t.DType = dtype
		}
		f.Tensors = append(f.Tensors, t)
	}
	return f, nil
}

// graph builds both networks at their smallest size, to know their parameters.
func (n *Network) graph() (*netdef.Graph, []*netdef.Node, error) {
	side := max(n.Config.Align(), 8) // planar pictures need a width of 8
	k := kinds{n.Config, side, side}
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
			return nil, badNetwork("parameter %q has %d values, the network wants %v", p.Name, len(v), p.Shape)
		}
		if i := firstBad(v); i >= 0 {
			return nil, badNetwork("parameter %q: value %d is %v, not a finite number", p.Name, i, v[i])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(n.Params)) {
		if !known[name] {
			return nil, badNetwork("parameter %q is none of this network", name)
		}
	}
	_, err = n.places()
	return params, err
}

const (
	// noTask stands in the order of the one-hot vector where the network was trained for none.
	noTask task.Task = -1
	// movement is the part of motion-deblur that no kernel describes. It has a network of its own,
	// which was trained in the place of denoising and is told the same.
	movement task.Task = -2
	// compression is the part of denoise that undoes JPEG. It has a network of its own in the same
	// way.
	compression task.Task = -3
)

// partNames are the names of the parts of tasks that have networks of their own, in
// weights.KeyTasks and in file names.
var partNames = map[task.Task]string{movement: "movement", compression: "compression"}

// parsePlace is task.Parse, and knows parts of tasks.
func parsePlace(name string) (task.Task, error) {
	for part, known := range partNames {
		if name == known {
			return part, nil
		}
	}
	return task.Parse(name)
}

// places gives the tasks in the order of the one-hot vector.
func (n *Network) places() ([]task.Task, error) {
	text := n.Meta[weights.KeyTasks]
	if text == "" {
		return task.All(), nil
	}
	var ts []task.Task
	for _, name := range strings.Split(text, ",") {
		if name == "" {
			ts = append(ts, noTask)
			continue
		}
		t, err := parsePlace(name)
		if err == nil && (t == task.Inpaint || slices.Contains(ts, t)) {
			err = fmt.Errorf("%v has no place of its own there", t)
		}
		if err != nil {
			return nil, &NetworkError{weights.KeyTasks, err}
		}
		ts = append(ts, t)
	}
	return ts, nil
}

// Tasks lists the tasks that the network was trained for. It fails with a *NetworkError if weights.KeyTasks is no list of tasks.
func (n *Network) Tasks() ([]task.Task, error) {
	ts, err := n.places()
	return slices.DeleteFunc(ts, func(t task.Task) bool { return t < 0 }), err
}

// SetTasks says that the network was trained for these tasks alone, each at the place of its class in the one-hot vector.
func (n *Network) SetTasks(ts []task.Task) {
	if n.Meta == nil {
		n.Meta = map[string]string{}
	}
	n.Meta[weights.KeyTasks] = listed(inPlaces(ts))
}

// SetMovement says that the network was trained for what moves in a picture, in the place of
// denoising: motion-deblur uses it where no kernel can be told.
func (n *Network) SetMovement() {
	if n.Meta == nil {
		n.Meta = map[string]string{}
	}
	n.Meta[weights.KeyTasks] = partNames[movement]
}

// SetCompression says that the network was trained for JPEG's artefacts, in the place of denoising:
// denoise uses it where a picture's file says that they are most of what is wrong.
func (n *Network) SetCompression() {
	if n.Meta == nil {
		n.Meta = map[string]string{}
	}
	n.Meta[weights.KeyTasks] = partNames[compression]
}

// ForCompression tells whether SetCompression was called.
func (n *Network) ForCompression() bool { return n.Meta[weights.KeyTasks] == partNames[compression] }

// listed is how weights.KeyTasks lists tasks.
func listed(places []task.Task) string {
	return strings.TrimRight(strings.Join(taskNames(places), ","), ",")
}

// taskNames gives the names, none for noTask.
func taskNames(ts []task.Task) []string {
	names := make([]string, len(ts))
	for i, t := range ts {
		switch {
		case t == noTask:
		case partNames[t] != "":
			names[i] = partNames[t]
		default:
			names[i] = t.String()
		}
	}
	return names
}
