// Package reference runs graphs of package netdef in float64 on the CPU, one node after another, by
// the ops' definitions. Tests compare with it; products do not use it.
package reference

import (
	"fmt"

	"github.com/vfmrestore/restore/netdef"
)

// MissingError reports an input or parameter without a value.
type MissingError struct {
	Kind, Name string // "input" or "parameter", and its full name
	Shape      netdef.Shape
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("reference: no value for %s %q %v", e.Kind, e.Name, e.Shape)
}

// Run computes the nodes outs. inputs and params hold values by full node name and are not changed;
// values that outs do not depend on are ignored. The value of a generator key is netdef.Key.Tensor.
// Intermediate values are freed after their last use.
func Run(outs []*netdef.Node, inputs, params map[string]*netdef.Tensor) ([]*netdef.Tensor, error) {
	order := netdef.Reachable(outs...)
	uses := map[*netdef.Node]int{}
	for _, n := range order {
		if n.ID < 0 {
			return nil, fmt.Errorf("reference: %q was not built: check Graph.Err", n.Name)
		}
		for _, m := range n.In {
			uses[m]++
		}
	}
	for _, n := range outs {
		uses[n]++
	}
	values := map[*netdef.Node]*netdef.Tensor{}
	for _, n := range order {
		v, err := eval(n, values, inputs, params)
		if err != nil {
			return nil, err
		}
		values[n] = v
		for _, m := range n.In {
			if uses[m]--; uses[m] == 0 {
				delete(values, m)
			}
		}
	}
	result := make([]*netdef.Tensor, len(outs))
	for i, n := range outs {
		result[i] = values[n]
	}
	return result, nil
}

func eval(n *netdef.Node, values map[*netdef.Node]*netdef.Tensor, inputs, params map[string]*netdef.Tensor) (*netdef.Tensor, error) {
	switch n.Op.(type) {
	case *netdef.InputOp:
		return given("input", n, inputs)
	case *netdef.ParamOp:
		return given("parameter", n, params)
	}
	in := make([]*netdef.Tensor, len(n.In))
	for i, m := range n.In {
		in[i] = values[m]
	}
	out := netdef.NewTensor(n.Shape)
	n.Op.Eval(in, out)
	return out, nil
}

func given(kind string, n *netdef.Node, from map[string]*netdef.Tensor) (*netdef.Tensor, error) {
	t := from[n.Name]
	if t == nil {
		return nil, &MissingError{kind, n.Name, n.Shape}
	}
	if t.Shape != n.Shape || len(t.Data) != n.Shape.Size() {
		return nil, fmt.Errorf("reference: %s %q is %v with %d values, the graph wants %v", kind, n.Name, t.Shape, len(t.Data), n.Shape)
	}
	return t, nil
}

// InitialParams draws the initial values of all parameters that outs depend on; see
// netdef.InitialValues.
func InitialParams(seed uint64, outs ...*netdef.Node) map[string]*netdef.Tensor {
	params := map[string]*netdef.Tensor{}
	for _, p := range netdef.Params(outs...) {
		t := netdef.NewTensor(p.Shape)
		for i, v := range netdef.InitialValues(p, seed) {
			t.Data[i] = float64(v)
		}
		params[p.Name] = t
	}
	return params
}
