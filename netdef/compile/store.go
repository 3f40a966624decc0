package compile

import (
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
)

// Array is one of the arrays of a Store. Each holds a value for every parameter, with one layout.
// Only training stores have others than Weights.
type Array string

// The arrays. Their names are those of checkpoint files.
const (
	Weights   Array = "p"
	Averages  Array = "ema" // running averages of the weights
	Gradients Array = "g"
	Moment1   Array = "m" // AdamW's moments
	Moment2   Array = "v"
)

// Store holds parameters on the device. Programs of different shapes can share a Store. A training
// Store also holds gradients, AdamW's moments and the averaged weights, all with the same layout.
type Store struct {
	dev   *gpu.Device
	train bool
	slots map[string]slot
	order []string
	size  int // elements
	split int // the parameters before this element get weight decay
	bufs  map[Array]*gpu.Buffer
	gen   int // counts changes by the host, so that Programs repeat their phase once
}

type slot struct {
	off   int
	shape netdef.Shape
}

// EMAPrefix before the name of a parameter means its running average. Build that part of the graph
// inside of g.Scope("ema:").
const EMAPrefix = "ema:/"

// NewStore makes a Store for the parameters among nodes, with their initial values. In training,
// parameters with more than one axis longer than 1 get weight decay.
func NewStore(dev *gpu.Device, nodes []*netdef.Node, train bool, seed uint64) (*Store, error) {
	s, err := EmptyStore(dev, nodes, train)
	if err != nil {
		return nil, err
	}
	vals := map[string][]float32{}
	for _, n := range nodes {
		if s.holds(n) {
			vals[n.Name] = netdef.InitialValues(n, seed)
		}
	}
	if err := s.Set(vals); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// EmptyStore is NewStore with zeros in place of initial values, for parameters that Set will fill.
// Drawing initial values takes a tenth of a second for a million of them.
func EmptyStore(dev *gpu.Device, nodes []*netdef.Node, train bool) (*Store, error) {
	s := &Store{dev: dev, train: train, slots: map[string]slot{}, bufs: map[Array]*gpu.Buffer{}}
	var params []*netdef.Node
	for _, n := range nodes {
		if _, ok := n.Op.(*netdef.ParamOp); ok && !strings.HasPrefix(n.Name, EMAPrefix) {
			params = append(params, n)
		}
	}
	add := func(decay bool) {
		for _, n := range params {
			if decays(n.Shape) == decay {
				s.slots[n.Name] = slot{s.size, n.Shape}
				s.order = append(s.order, n.Name)
				s.size += roundUp(n.Shape.Size())
			}
		}
	}
	add(true)
	s.split = s.size
	add(false)
	arrays := []Array{Weights}
	if train {
		arrays = append(arrays, Moment1, Moment2, Averages, Gradients)
	}
	for _, array := range arrays {
		b, err := dev.NewBuffer(int64(4*(s.size+alignment)), gpu.Local)
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("parameters (%d values): %w", s.size, err)
		}
		s.bufs[array] = b
		if err := zero(dev, b); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// holds reports whether a node is a parameter of the store.
func (s *Store) holds(n *netdef.Node) bool {
	_, param := n.Op.(*netdef.ParamOp)
	_, held := s.slots[n.Name]
	return param && held
}

func decays(s netdef.Shape) bool {
	wide := 0
	for _, v := range s {
		if v > 1 {
			wide++
		}
	}
	return wide > 1
}

// Close frees the device memory.
func (s *Store) Close() {
	for _, b := range s.bufs {
		b.Free()
	}
	s.bufs = nil
}

// Names returns the names of the parameters in a fixed order.
func (s *Store) Names() []string { return slices.Clone(s.order) }

// Shape returns the shape of a parameter.
func (s *Store) Shape(name string) netdef.Shape { return s.slots[name].shape }

// Count is the number of trained numbers.
func (s *Store) Count() int {
	n := 0
	for _, sl := range s.slots {
		n += sl.shape.Size()
	}
	return n
}

func (s *Store) value(name string, shape netdef.Shape) (*value, error) {
	reg := regParam
	bare, ema := strings.CutPrefix(name, EMAPrefix)
	if ema {
		reg = regEMA
		if !s.train {
			return nil, fmt.Errorf("averaged parameters need a training store")
		}
	}
	sl, ok := s.slots[bare]
	if !ok {
		return nil, fmt.Errorf("parameter %q is not in the store", bare)
	}
	if sl.shape != shape {
		return nil, fmt.Errorf("parameter %q has shape %v in the store, %v in the graph", bare, sl.shape, shape)
	}
	return &value{name: name, size: shape.Size(), reg: reg, off: sl.off}, nil
}

// Set writes parameters by name. Parameters that are not in vals keep their values. In a training
// store the averages are set to the same values.
func (s *Store) Set(vals map[string][]float32) error {
	if err := s.SetState(Weights, vals); err != nil || !s.train {
		return err
	}
	return s.SetState(Averages, vals)
}

// SetState writes values of parameters into an array.
func (s *Store) SetState(array Array, vals map[string][]float32) error {
	s.gen++
	for name, v := range vals {
		sl, ok := s.slots[name]
		if !ok {
			return fmt.Errorf("there is no parameter %q in this network", name)
		}
		if len(v) != sl.shape.Size() {
			return fmt.Errorf("parameter %q has %d values, the network wants shape %v", name, len(v), sl.shape)
		}
		if err := s.dev.Write(s.bufs[array], int64(4*sl.off), asBytes(v)); err != nil {
			return err
		}
	}
	return nil
}

// State returns an array, by parameter.
func (s *Store) State(array Array) (map[string][]float32, error) {
	b := s.bufs[array]
	if b == nil {
		return nil, fmt.Errorf("the store has no array %q", array)
	}
	out := map[string][]float32{}
	for name, sl := range s.slots {
		v := make([]float32, sl.shape.Size())
		if err := s.dev.Read(b, int64(4*sl.off), asBytes(v)); err != nil {
			return nil, err
		}
		out[name] = v
	}
	return out, nil
}

// Get returns the parameters.
func (s *Store) Get() (map[string][]float32, error) { return s.State(Weights) }

func asBytes(v []float32) []byte {
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*len(v))
}

// paramRange is a range of neighbouring trained parameters, in elements. Either all of them get
// weight decay, or none.
type paramRange struct {
	from, to int
	decay    bool
}

// trained returns the parameters that have a gradient.
func (s *Store) trained(grads map[string]*netdef.Node) (list []paramRange) {
	for _, name := range s.order {
		if grads[name] == nil {
			continue
		}
		sl := s.slots[name]
		next := paramRange{sl.off, sl.off + roundUp(sl.shape.Size()), sl.off < s.split}
		if n := len(list) - 1; n >= 0 && list[n].to == next.from && list[n].decay == next.decay {
			list[n].to = next.to
		} else {
			list = append(list, next)
		}
	}
	return list
}
