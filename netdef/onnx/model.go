package onnx

import (
	"fmt"
	"os"
)

// MaxBytes bounds the size of a model's file.
const MaxBytes = 1 << 29

// Port is an input or output of a model.
type Port struct {
	Name string
	Dims []int // 0: any size; nil: the file does not say
	elem int64
}

// Model is an ONNX model that was read from a file.
type Model struct {
	Inputs  []Port // without initializers, which old files list among the inputs
	Outputs []Port
	Meta    map[string]string // the model's metadata
	Opset   int64             // version of the operators

	nodes  []*operator
	consts map[string]*constant
}

// Load reads the model in a file. It fails with an error of the file system or a *FormatError,
// both with the file's name.
func Load(path string) (*Model, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: it is not a regular file", path)
	}
	if st.Size() > MaxBytes {
		return nil, fmt.Errorf("%s: it has %d bytes, more than the %d that are read", path, st.Size(), MaxBytes)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Parse reads a model (a ModelProto). It fails with a *FormatError. Operators are checked by Build.
// b must not change while the Model is in use.
func Parse(b []byte) (*Model, error) {
	m := &Model{Meta: map[string]string{}, consts: map[string]*constant{}}
	if len(b) > MaxBytes {
		return nil, malformed("model", "it has more than %d bytes", MaxBytes)
	}
	graphs := 0
	err := eachField("model", b, func(x field) error {
		switch x.number {
		case 7:
			graphs++
			return m.parseGraph(x.bytes)
		case 8:
			domain, version := "", int64(0)
			err := eachField("opset", x.bytes, func(x field) error {
				switch x.number {
				case 1:
					domain = x.text()
				case 2:
					version = int64(x.value)
				}
				return nil
			})
			if isStandard(domain) {
				m.Opset = version
			}
			return err
		case 14:
			var key, value string
			err := eachField("metadata", x.bytes, func(x field) error {
				switch x.number {
				case 1:
					key = x.text()
				case 2:
					value = x.text()
				}
				return nil
			})
			m.Meta[key] = value
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	switch {
	case graphs != 1:
		return nil, malformed("model", "it has %d graphs instead of one; is this an ONNX file?", graphs)
	case m.Opset < 7:
		return nil, malformed("model", "its operators are of version %d; 7 and later are read", m.Opset)
	case len(m.Outputs) == 0:
		return nil, malformed("graph", "it has no output")
	}
	return m, m.check()
}

// Weights is the number of floats that the file holds as tensors.
func (m *Model) Weights() (n int) {
	for _, c := range m.consts {
		n += len(c.f)
	}
	return n
}

// isStandard reports whether a domain is that of ONNX's own operators.
func isStandard(domain string) bool { return domain == "" || domain == "ai.onnx" }

func (m *Model) parseGraph(b []byte) error {
	var inputs []Port
	err := eachField("graph", b, func(x field) error {
		switch x.number {
		case 1:
			n, err := parseOperator(x.bytes)
			if err != nil {
				return err
			}
			if len(m.nodes) == maxNodes {
				return malformed("graph", "it has more than %d nodes", maxNodes)
			}
			m.nodes = append(m.nodes, n)
		case 5:
			name, c, err := parseTensor(x.bytes)
			if err != nil {
				return err
			}
			if m.consts[name] != nil {
				return malformed("graph", "there are two tensors %q", name)
			}
			m.consts[name] = c
		case 11, 12:
			p, err := parsePort(x.bytes)
			if err != nil {
				return err
			}
			if x.number == 11 {
				inputs = append(inputs, p)
			} else {
				m.Outputs = append(m.Outputs, p)
			}
		case 15:
			return malformed("graph", "sparse tensors are not read")
		}
		return nil
	})
	for _, p := range inputs {
		if m.consts[p.Name] == nil {
			m.Inputs = append(m.Inputs, p)
		}
	}
	return err
}

// check makes sure that every value is computed once, and before it is used.
func (m *Model) check() error {
	known := map[string]bool{"": true}
	for name := range m.consts {
		known[name] = true
	}
	for _, p := range m.Inputs {
		if known[p.Name] {
			return malformed("graph", "two inputs are called %q", p.Name)
		}
		known[p.Name] = true
	}
	for i, n := range m.nodes {
		if len(n.out) == 0 || n.out[0] == "" {
			return malformed(fmt.Sprintf("node %d (%s)", i, n.op), "it has no result")
		}
		for _, name := range n.in {
			if !known[name] {
				return malformed(fmt.Sprintf("node %q (%s)", n.title(), n.op), "its input %q is not computed before it", name)
			}
		}
		for _, name := range n.out {
			if name != "" && known[name] {
				return malformed(fmt.Sprintf("node %q (%s)", n.title(), n.op), "its result %q is there already", name)
			}
			known[name] = true
		}
	}
	for _, p := range m.Outputs {
		if p.Name == "" || !known[p.Name] {
			return malformed("graph", "nothing computes the output %q", p.Name)
		}
	}
	return nil
}
