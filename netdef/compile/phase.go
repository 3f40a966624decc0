package compile

import (
	"slices"

	"github.com/vfmrestore/restore/netdef"
)

// phase says when a node is computed.
type phase uint8

const (
	always     phase = iota // in every run
	perSetting              // when a setting has changed (see Options.Settings)
	once                    // when the parameters have changed
)

// findPhases sets the phase of every node to the rarest possible one: that of its input that is
// computed most often. With params, the parameters do not change from run to run.
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
				p = perSetting
			}
		}
		for _, m := range n.In {
			p = min(p, l.phases[m])
		}
		l.phases[n] = p
	}
}
