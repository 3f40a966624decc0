package features

import (
	"context"
	"fmt"
	"strings"

	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/restore/planar"
)

// Distances compares a set of pictures with the references, or each picture with its own.
type Distances struct {
	Frechet float64 `json:"frechet"` // squared Fréchet distance of the sets of feature vectors
	MMD     float64 `json:"mmd"`     // unbiased MMD² of the sets, polynomial kernel
	LPIPS   float64 `json:"lpips"`   // mean over pictures, from the picture's reference
}

// Score is the result for one task.
type Score struct {
	Task     string    `json:"task"`
	Pictures int       `json:"pictures"`
	Features int       `json:"features"` // length of the feature vectors
	Input    Distances `json:"input"`
	Mode     Distances `json:"mode"` // z = μ
	// Samples compares the samples with the references: the first of each picture by the Fréchet
	// distance, which is larger for fewer vectors, so that all sets have as many; all of them by MMD
	// and LPIPS. CRPS is the energy score of the samples' feature vectors (metric.CRPS, eq. 98), the
	// mean over pictures. nil without samples.
	Samples *Distances `json:"samples,omitempty"`
	CRPS    *float64   `json:"crps,omitempty"`
}

// Collector computes features of pictures as they are evaluated, and keeps what Scores needs.
type Collector struct {
	net       Network
	weights   [][]float64 // of LPIPS, by layer; nil: 1
	tasks     []string
	collected map[string]*collected
}

// collected are the features of a task's pictures.
type collected struct {
	truth                [][]float64
	input, mode, samples set
	crps                 float64
	pictures             int
}

// set are vectors, and the sum of LPIPS.
type set struct {
	vectors [][]float64
	first   [][]float64 // one of each picture
	lpips   float64
}

// NewCollector makes a Collector. weights are LPIPS's, by the names of the network's outputs; nil
// means 1 for all. It fails for a name of no output.
func NewCollector(net Network, weights map[string][]float64) (*Collector, error) {
	c := &Collector{net: net, collected: map[string]*collected{}}
	if weights == nil {
		return c, nil
	}
	found := 0
	for _, name := range net.Layers() {
		w := weights[name]
		if w != nil {
			found++
		}
		c.weights = append(c.weights, w)
	}
	if found < len(weights) {
		return nil, fmt.Errorf("there are weights for %d layers, and %d of them are outputs of the network (%s)",
			len(weights), found, strings.Join(net.Layers(), ", "))
	}
	return c, nil
}

// Add computes the features of one evaluation of a task: the picture as it should be, as it was
// observed (of the same size), as it was restored, and samples. again says that the same truth was
// added before.
func (c *Collector) Add(ctx context.Context, task string, truth, input, mode *planar.Image, samples []*planar.Image, again bool) error {
	s := c.collected[task]
	if s == nil {
		s = &collected{}
		c.collected[task] = s
		c.tasks = append(c.tasks, task)
	}
	want, err := c.net.Extract(ctx, truth)
	if err != nil {
		return err
	}
	if !again {
		s.truth = append(s.truth, want.Vector)
	}
	add := func(to *set, img *planar.Image) error {
		f, err := c.net.Extract(ctx, img)
		if err != nil {
			return err
		}
		d, err := metric.PerceptualDistance(want.Layers, f.Layers, c.weights)
		to.vectors, to.lpips = append(to.vectors, f.Vector), to.lpips+d
		return err
	}
	if err := add(&s.input, input); err != nil {
		return err
	}
	if err := add(&s.mode, mode); err != nil {
		return err
	}
	s.input.first, s.mode.first = s.input.vectors, s.mode.vectors
	before := len(s.samples.vectors)
	for _, img := range samples {
		if err := add(&s.samples, img); err != nil {
			return err
		}
	}
	if len(samples) > 0 {
		s.samples.first = append(s.samples.first, s.samples.vectors[before])
		crps, err := metric.CRPS(want.Vector, s.samples.vectors[before:], false)
		if err != nil {
			return err
		}
		s.crps += crps
	}
	s.pictures++
	return nil
}

// Scores compares what was added, task by task. It needs two pictures of each.
func (c *Collector) Scores() (list []Score, err error) {
	for _, t := range c.tasks {
		s := c.collected[t]
		out := Score{Task: t, Pictures: s.pictures, Features: len(s.truth[0])}
		if out.Input, err = s.compare(s.input); err != nil {
			return nil, fmt.Errorf("%s: %w", t, err)
		}
		if out.Mode, err = s.compare(s.mode); err != nil {
			return nil, fmt.Errorf("%s: %w", t, err)
		}
		if len(s.samples.vectors) > 0 {
			d, err := s.compare(s.samples)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t, err)
			}
			crps := s.crps / float64(s.pictures)
			out.Samples, out.CRPS = &d, &crps
		}
		list = append(list, out)
	}
	return list, nil
}

// compare compares a set with the references.
func (s *collected) compare(x set) (d Distances, err error) {
	if d.Frechet, err = Frechet(s.truth, x.first); err != nil {
		return d, err
	}
	if d.MMD, err = metric.PolynomialMMD2(s.truth, x.vectors); err != nil {
		return d, err
	}
	d.LPIPS = x.lpips / float64(len(x.vectors))
	return d, nil
}

// Table writes scores as a Markdown table.
func Table(scores []Score) string {
	var b strings.Builder
	b.WriteString("| task | pictures | features | Fréchet² of input | z = μ | samples | MMD² of input | z = μ | samples | LPIPS of input | z = μ | sample | CRPS |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, s := range scores {
		of := func(f func(d Distances) float64) string {
			if s.Samples == nil {
				return fmt.Sprintf("%.4g | **%.4g** | –", f(s.Input), f(s.Mode))
			}
			return fmt.Sprintf("%.4g | **%.4g** | %.4g", f(s.Input), f(s.Mode), f(*s.Samples))
		}
		crps := "–"
		if s.CRPS != nil {
			crps = fmt.Sprintf("%.4g", *s.CRPS)
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %s | %s | %s | %s |\n", s.Task, s.Pictures, s.Features,
			of(func(d Distances) float64 { return d.Frechet }), of(func(d Distances) float64 { return d.MMD }),
			of(func(d Distances) float64 { return d.LPIPS }), crps)
	}
	return b.String()
}
