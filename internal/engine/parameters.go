package engine

import (
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
)

// Parameters are those of one or more networks, which programs share. They are put on the device
// when they are first needed, and again on a new device.
type Parameters struct {
	// Load gives the nodes of the parameters and their values by name; it may be called again.
	Load  func() (nodes []*netdef.Node, values []map[string][]float32, err error)
	store *compile.Store
}

// parameters returns the store of parameters. The caller has the turn.
func (e *Engine) parameters(p *Parameters) (*compile.Store, error) {
	if p.store != nil {
		return p.store, nil
	}
	nodes, values, err := p.Load()
	if err != nil {
		return nil, err
	}
	s, err := compile.EmptyStore(e.dev, nodes, false)
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		if err := s.Set(v); err != nil {
			s.Close()
			return nil, err
		}
	}
	p.store = s
	e.stores = append(e.stores, p)
	return s, nil
}
