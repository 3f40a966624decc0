package trainhost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/task"
)

// logvarParam is the adapter's offset of log σ_φ² per task and channel, [1,1,Tasks,48].
const logvarParam = "adapter/logvar"

// What Calibrate aims at. Errors have heavier tails than any posterior of this form: where the 90 % intervals cover exactly what they should, the standard
// deviation is a quarter smaller than the error, because a few pixels make most of that; and where these are equal, intervals are wide and the CRPS suffers. So
// both are asked for in part: the spread that satisfies the two.
const (
	// aimCoverage is how much more than a calibrated ensemble's the share of true values in the intervals should be.
	aimCoverage = 0.04
	// aimSpread is the least standard deviation, as a share of a calibrated ensemble's.
	aimSpread = 0.88
	// motionMore is how many times as many pictures motion blur takes: its error differs so much with the kernel that the spread set on 24 pictures was 12 % beside that
	// set on 96.
	motionMore = 4
)

// parts is what is measured task by task, as not all take as many pictures.
func (c EvalConfig) parts() (list []EvalConfig) {
	for _, t := range c.Tasks {
		one := c
		one.Tasks = []task.Task{t}
		if t == task.MotionDeblur {
			one.Limit *= motionMore
		}
		list = append(list, one)
	}
	return list
}

// Calibrate sets the spread of the posterior samples: for every task it adds a constant to the adapter's log-variance, so that over c's
// pictures the samples' central 90 % intervals cover aimCoverage more than a calibrated ensemble of N samples covers, and their standard deviation is at least
// aimSpread of what it is for one, √(N/(N+1)) of the error of the mean of N samples (root mean squares over pictures and pixels). z = μ does not change. A trained
// energy score comes close, but not equally close for every task: its gradient through few draws is weakest where the error is largest.
//
// c.Limit pictures are used, and four times as many for motion-deblur.
// How the spread of the pictures follows that of z is found by trying: rounds times (three do). open makes a Model of the network, which is changed;
// report gets the scores before each round, may be nil. c.Samples must be at least 2.
func Calibrate(ctx context.Context, n *restore.Network, c EvalConfig, rounds int, open func(*restore.Network) (*restore.Model, error), report func([]Score)) error {
	if c.Samples < 2 {
		return errors.New("calibration needs two samples or more")
	}
	if c.Tasks == nil {
		var err error
		if c.Tasks, err = n.Tasks(); err != nil {
			return err
		}
	}
	table := n.Params[logvarParam]
	if len(table) != nets.Tasks*nets.FlowChannels {
		return fmt.Errorf("calibration: the network has no %s for %d tasks", logvarParam, nets.Tasks)
	}
	for range rounds {
		m, err := open(n)
		if err != nil {
			return err
		}
		var scores []Score
		for _, part := range c.parts() {
			var s []Score
			if s, err = Evaluate(ctx, m, part); err != nil {
				break
			}
			scores = append(scores, s...)
		}
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
			step := 2 * math.Log(min(2, max(0.5, widen(s, c.Samples))))
			row := table[c.Tasks[i].Class()*nets.FlowChannels:][:nets.FlowChannels]
			for k := range row {
				row[k] += float32(step)
			}
		}
	}
	var prov Provenance
	_ = json.Unmarshal([]byte(n.Meta["vfm.provenance"]), &prov) // weights of unknown origin have none
	pictures := fmt.Sprint(c.Limit)
	if slices.Contains(c.Tasks, task.MotionDeblur) {
		pictures += fmt.Sprintf(" (%d for motion-deblur)", motionMore*c.Limit)
	}
	prov.Calibrated = fmt.Sprintf("spread of %d samples set by their error on %s pictures, noise %g", c.Samples, pictures, c.Sigma)
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

// reach is how many deviations, but for a constant, an interval reaches that covers a share of a
// normal distribution.
func reach(cover float64) float64 { return math.Erfinv(min(max(cover, 0.01), 0.99)) }

// widen is the factor by which the samples of a task should spread more, as if errors were normal.
func widen(s Score, samples int) float64 {
	byCover := reach(s.Expected+aimCoverage) / reach(s.Coverage)
	bySpread := aimSpread * math.Sqrt(float64(samples)/float64(samples+1)) * s.Error / s.Std
	return max(byCover, bySpread)
}
