package trainhost

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/weights"
)

// Provenance says how packed weights were made. It is stored with them as JSON.
type Provenance struct {
	Runs        []Stage `json:"runs"`                 // in order; the last may be unfinished
	Updates     uint64  `json:"updates"`              // optimiser steps in all
	Data        string  `json:"data"`                 // name of the training data
	Attribution string  `json:"attribution"`          // where the authors of the pictures are named
	Packed      string  `json:"packed"`               // date, UTC
	Packer      string  `json:"packer,omitempty"`     // version of the program that packed them
	Calibrated  string  `json:"calibrated,omitempty"` // how the spread of the samples was set; see Calibrate
}

// About is what the provenance in packed weights says about them. All fields may be empty.
type About struct {
	Data        string // name of the training data
	Attribution string // where the authors of the pictures are named
	Packer      string // version of the program that packs
}

// Pack makes a network for package restore of a checkpoint's averaged weights, with the provenance
// in its metadata. If the run left tasks out, the network is for the other tasks only
// (restore.Config.Special).
func Pack(c *Checkpoint, about About) (*restore.Network, error) {
	ema := c.Averaged()
	if len(ema) == 0 {
		return nil, errors.New("the checkpoint holds no averaged weights")
	}
	st := c.State
	runs := st.runs()
	updates := uint64(0)
	for _, r := range runs {
		updates += r.Steps
	}
	prov, err := json.Marshal(Provenance{
		Runs: runs, Updates: updates, Data: about.Data, Attribution: about.Attribution, Packed: time.Now().UTC().Format(time.DateOnly), Packer: about.Packer,
	})
	if err != nil {
		return nil, err
	}
	n := &restore.Network{Config: st.Network, Params: ema, Meta: map[string]string{weights.KeyProvenance: string(prov)}}
	if st.Config.Movement {
		n.SetMovement()
	} else if st.Config.Compressed {
		n.SetCompression()
	} else if some := st.Config.Per.tasks(); len(some) > 0 && len(some) < Classes {
		n.SetTasks(some)
	}
	return n, nil
}

// CheckpointFromNetwork makes a checkpoint of packed weights, from which a new run can start. It
// has no moments of the optimiser.
func CheckpointFromNetwork(n *restore.Network) *Checkpoint {
	var prov Provenance
	// Weights without a provenance have no history.
	_ = json.Unmarshal([]byte(n.Meta[weights.KeyProvenance]), &prov)
	// Only edge networks are trained. From another one NewTrainer gets no sizes, and says so.
	edge, _ := n.Config.(nets.EdgeConfig)
	c := &Checkpoint{State: State{Network: edge}, arrays: storedArrays{compile.Averages: n.Params}}
	if k := len(prov.Runs); k > 0 {
		c.State.History = prov.Runs[:k-1]
		last := prov.Runs[k-1]
		c.State.Config, c.State.Step, c.State.Origin = last.Config, last.Steps, last.Origin
	}
	return c
}

// String describes a run in one line.
func (s Stage) String() string {
	c, o := s.Config, s.Config.Objective
	t := fmt.Sprintf("%d of %d steps of %d crops of %d² (per task %v), data term %s", s.Steps, c.Steps, c.Per.Total(), c.Crop, c.Per, o.Data)
	if o.Data != DataNone {
		t += fmt.Sprintf(" ×%g", o.DataWeight)
	}
	for _, x := range []struct {
		name string
		w    float64
	}{{"mean", o.Mean}, {"mean flow", o.MeanFlow.Weight}, {"observation", o.Obs}, {"KL", o.KL}} {
		if x.w > 0 && !(x.name == "mean" && o.Data != DataEnergy) {
			t += fmt.Sprintf(", %s ×%g", x.name, x.w)
		}
	}
	if o.Spread {
		t += ", the log-variance alone"
	}
	if c.Movement {
		t += ", movement instead of noise"
	}
	if c.Compressed {
		t += ", JPEG instead of noise"
	}
	return t + fmt.Sprintf(", learning rate %g", c.LR)
}
