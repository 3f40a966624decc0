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
	"github.com/vfmrestore/restore/weights"
)

// logvarParam is the adapter's offset of log σ_φ² per task and channel, [1,1,Tasks,48].
const logvarParam = "adapter/logvar"

// The aims of Calibrate. Errors have heavier tails than any posterior of this form. If the 90 %
// intervals cover exactly the right share, the standard deviation is a quarter smaller than the
// error, because a few pixels make most of the error. If the two are equal, the intervals are wide
// and the CRPS is worse. So both are required in part, and the larger spread is used.
const (
	// aimCoverage is added to the coverage of a calibrated ensemble.
	aimCoverage = 0.04
	// aimSpread is the least standard deviation, as a share of that of a calibrated ensemble.
	aimSpread = 0.88
	// motionFactor multiplies the number of pictures for motion blur, whose error varies much with
	// the kernel: the spread set on 24 pictures differed by 12 % from that set on 96.
	motionFactor = 4
)

// perTask gives a configuration for each task, as the number of pictures differs.
func (c EvalConfig) perTask() (list []EvalConfig) {
	for _, t := range c.Tasks {
		one := c
		one.Tasks = []task.Task{t}
		if t == task.MotionDeblur {
			one.Limit *= motionFactor
		}
		list = append(list, one)
	}
	return list
}

// Calibrate sets the spread of the posterior samples. For every task it adds a constant to the
// log-variance of the adapter. Over the pictures of c, the central 90 % intervals of N samples
// shall cover aimCoverage more than a calibrated ensemble of N samples. Their standard deviation
// shall be at least aimSpread of that of a calibrated ensemble, which is √(N/(N+1)) of the error of
// the mean of N samples (root mean squares over pictures and pixels). z = μ does not change. A
// trained energy score comes close, but not for every task: the gradient through few draws is
// weakest where the error is largest.
//
// It uses c.Limit pictures, and four times as many for motion-deblur. The spread of the pictures
// depends on that of z in an unknown way, so it takes several rounds; three are enough. open makes
// a Model of the network, which is changed. report gets the scores before each round; it may be
// nil. c.Samples must be at least 2.
func Calibrate(ctx context.Context, n *restore.Network, c EvalConfig, rounds int, open func(*restore.Network) (*restore.Model, error), report func([]Score)) error {
	if c.Samples < 2 {
		return errors.New("calibration needs at least two samples")
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
		for _, part := range c.perTask() {
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
			// A round doubles or halves the spread at most, because the response is not linear.
			step := 2 * math.Log(min(2, max(0.5, widen(s, c.Samples))))
			row := table[c.Tasks[i].Class()*nets.FlowChannels:][:nets.FlowChannels]
			for k := range row {
				row[k] += float32(step)
			}
		}
	}
	var prov Provenance
	_ = json.Unmarshal([]byte(n.Meta[weights.KeyProvenance]), &prov) // there may be none
	pictures := fmt.Sprint(c.Limit)
	if slices.Contains(c.Tasks, task.MotionDeblur) {
		pictures += fmt.Sprintf(" (%d for motion-deblur)", motionFactor*c.Limit)
	}
	noise := fmt.Sprintf("noise %g", c.Sigma)
	if c.Camera != "" {
		noise = "camera " + c.Camera
	}
	prov.Calibrated = fmt.Sprintf("spread of %d samples set by their error on %s pictures, %s", c.Samples, pictures, noise)
	b, err := json.Marshal(prov)
	if err != nil {
		return err
	}
	if n.Meta == nil {
		n.Meta = map[string]string{}
	}
	n.Meta[weights.KeyProvenance] = string(b)
	return nil
}

// halfWidth is the half width of the interval that covers a share of a normal distribution, in √2
// standard deviations.
func halfWidth(cover float64) float64 { return math.Erfinv(min(max(cover, 0.01), 0.99)) }

// widen is the factor by which the spread of a task's samples should change if errors were normal.
func widen(s Score, samples int) float64 {
	byCover := halfWidth(s.Expected+aimCoverage) / halfWidth(s.Coverage)
	bySpread := aimSpread * math.Sqrt(float64(samples)/float64(samples+1)) * s.Error / s.Std
	return max(byCover, bySpread)
}
