package trainhost

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore"
)

// Provenance says how packed weights came about; it is stored with them as JSON.
type Provenance struct {
	Runs        []Stage `json:"runs"`                 // in order; the last may be unfinished
	Updates     uint64  `json:"updates"`              // optimiser steps in all
	Data        string  `json:"data"`                 // what they were trained on
	Attribution string  `json:"attribution"`          // where the authors of the pictures are named
	Packed      string  `json:"packed"`               // date, UTC
	Packer      string  `json:"packer,omitempty"`     // version of the program that packed them
	Calibrated  string  `json:"calibrated,omitempty"` // how the spread of the samples was set, see Calibrate
}

// Pack turns a checkpoint's averaged weights into a network for restore, with
// its provenance in the metadata. Of a run that left tasks out it is a network
// for the others (restore.Config.Special). data and attribution are free text, packer is the
// version of the program.
func Pack(c *Checkpoint, data, attribution, packer string) (*restore.Network, error) {
	ema := c.Averaged()
	if len(ema) == 0 {
		return nil, fmt.Errorf("the checkpoint holds no averaged weights")
	}
	st := c.State
	runs := st.runs()
	updates := uint64(0)
	for _, r := range runs {
		updates += r.Steps
	}
	prov, err := json.Marshal(Provenance{
		Runs: runs, Updates: updates, Data: data, Attribution: attribution, Packed: time.Now().UTC().Format(time.DateOnly), Packer: packer,
	})
	if err != nil {
		return nil, err
	}
	n := &restore.Network{Config: st.Network, Params: ema, Meta: map[string]string{"vfm.provenance": string(prov)}}
	if st.Config.Movement {
		n.SetMovement()
	} else if st.Config.Compressed {
		n.SetCompression()
	} else if some := st.Config.Per.tasks(); len(some) > 0 && len(some) < Classes {
		n.SetTasks(some)
	}
	return n, nil
}

// CheckpointFromNetwork gives a checkpoint from which a new run can start on
// packed weights: the optimiser's moments are lost, the weights are not.
func CheckpointFromNetwork(n *restore.Network) *Checkpoint {
	var prov Provenance
	// Weights of unknown origin just have no history.
	_ = json.Unmarshal([]byte(n.Meta["vfm.provenance"]), &prov)
	// Only edge networks are trained. From another one NewTrainer gets no sizes, and says so.
	edge, _ := n.Config.(nets.EdgeConfig)
	c := &Checkpoint{State: State{Network: edge}, arrays: map[string]map[string][]float32{"ema": n.Params}}
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
	if o.Data != "none" {
		t += fmt.Sprintf(" ×%g", o.DataWeight)
	}
	for _, x := range []struct {
		name string
		w    float64
	}{{"mean", o.Mean}, {"mean flow", o.MeanFlow.Weight}, {"observation", o.Obs}, {"KL", o.KL}} {
		if x.w > 0 && !(x.name == "mean" && o.Data != "es") {
			t += fmt.Sprintf(", %s ×%g", x.name, x.w)
		}
	}
	if c.Movement {
		t += ", movement in place of noise"
	}
	if c.Compressed {
		t += ", JPEG in place of noise"
	}
	return t + fmt.Sprintf(", learning rate %g", c.LR)
}
