package trainhost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore"
)

// logvarParam is the adapter's offset of log σ_φ² per task and channel, [1,1,Tasks,48].
const logvarParam = "adapter/logvar"

// Calibrate sets the spread of the posterior samples: for every task it adds a constant to the adapter's log-variance, so that over c's
// pictures the samples' standard deviation is what it is for a calibrated posterior, √(N/(N+1)) of the error of the mean of N samples (root mean squares
// over pictures and pixels). z = μ does not change. A trained energy score comes close, but not equally close for every task: its gradient through few
// draws is weakest where the error is largest.
//
// How the spread of the pictures follows that of z is found by trying: rounds times (three do). open makes a Model of the network, which is changed;
// report gets the scores before each round, may be nil. c.Samples must be at least 2.
func Calibrate(ctx context.Context, n *restore.Network, c EvalConfig, rounds int, open func(*restore.Network) (*restore.Model, error), report func([]Score)) error {
	if c.Samples < 2 {
		return errors.New("calibration needs two samples or more")
	}
	if c.Tasks == nil {
		c.Tasks = SixTasks()
	}
	table := n.Params[logvarParam]
	if len(table) != nets.Tasks*nets.FlowChannels {
		return fmt.Errorf("calibration: the network has no %s for %d tasks", logvarParam, nets.Tasks)
	}
	want := math.Sqrt(float64(c.Samples) / float64(c.Samples+1))
	for range rounds {
		m, err := open(n)
		if err != nil {
			return err
		}
		scores, err := Evaluate(ctx, m, c)
		m.Close()
		if err != nil {
			return err
		}
		if report != nil {
			report(scores)
		}
		for i, s := range scores {
			if !(s.Std > 0) || !(s.Error > 0) {
				continue
			}
			// One round at most doubles or halves: the response is not quite linear.
			step := 2 * math.Log(min(2, max(0.5, want*s.Error/s.Std)))
			row := table[c.Tasks[i].Class()*nets.FlowChannels:][:nets.FlowChannels]
			for k := range row {
				row[k] += float32(step)
			}
		}
	}
	var prov Provenance
	_ = json.Unmarshal([]byte(n.Meta["vfm.provenance"]), &prov) // weights of unknown origin have none
	prov.Calibrated = fmt.Sprintf("spread of %d samples set to their error on %d pictures, noise %g", c.Samples, c.Limit, c.Sigma)
	b, err := json.Marshal(prov)
	if err != nil {
		return err
	}
	if n.Meta == nil {
		n.Meta = map[string]string{}
	}
	n.Meta["vfm.provenance"] = string(b)
	return nil
}
