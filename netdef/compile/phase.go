package compile

import (
	"slices"

	"github.com/vfmrestore/restore/netdef"
)

// phase says when a node is computed.
type phase uint8

const (
	always  phase = iota // at every run
	settled              // when a setting has changed, see Options.Settings
	once                 // when the parameters have changed
)

// findPhases finds for every node the rarest phase that will do: that of its most often computed input. With params, parameters do not change
// from run to run.
func (l *lowering) findPhases(nodes []*netdef.Node, params bool, settings []string) {
	for _, n := range nodes {
		p := once
		switch n.Op.(type) {
		case *netdef.ParamOp:
			if !params {
				p = always
			}
		case *netdef.InputOp:
			if p = always; slices.Contains(settings, n.Name) {
				p = settled
			}
		}
		for _, m := range n.In {
			p = min(p, l.phases[m])
		}
		l.phases[n] = p
	}
}
