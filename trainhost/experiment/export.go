package experiment

import (
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"github.com/vfmrestore/restore/internal/atomicfile"
	"github.com/vfmrestore/restore/weights"
)

// ExportChecker writes the results of one variant's training to a folder, which must exist:
// NAME.safetensors and NAME-losses.csv for the name of the variant. scores are those of RunChecker
// with Record, for all numbers of steps K.
//
// The tensors are the networks' parameters under their names, and for each K the samples
// "K1/prior/x", their latents "K1/prior/z", and both of "K1/posterior" for the observation Y.
// "posterior/exact" are exact draws. Samples and latents have the shape [n,2].
//
// The losses are those of every step, as minimised and before the adaptive weight. The stage is 2
// for the flow map and 3 for the adapter of the frozen-θ baseline, and 4 for joint training.
func ExportChecker(dir string, scores []CheckerScore) error {
	if len(scores) == 0 {
		return nil
	}
	first := scores[0]
	f := &weights.File{Meta: map[string]string{weights.KeyNetwork: "checkerboard"}, Tensors: first.weights}
	add := func(name string, points [][]float64) {
		t := weights.Tensor{Name: name, Shape: []int{len(points), 2}, DType: weights.F32}
		for _, p := range points {
			t.Data = append(t.Data, float32(p[0]), float32(p[1]))
		}
		f.Tensors = append(f.Tensors, t)
	}
	add("posterior/exact", first.truePoints)
	for _, s := range scores {
		for name, c := range map[string]cloud{"prior": s.prior, "posterior": s.posterior} {
			add(fmt.Sprintf("K%d/%s/x", s.K, name), c.x)
			add(fmt.Sprintf("K%d/%s/z", s.K, name), c.z)
		}
	}
	base := filepath.Join(dir, first.Variant.Name)
	if err := weights.Save(base+".safetensors", f); err != nil {
		return err
	}
	return atomicfile.Write(base+"-losses.csv", func(w io.Writer) error {
		out := csv.NewWriter(w)
		out.Write([]string{"stage", "step", "loss", "unscaled"})
		for _, r := range first.losses {
			out.Write([]string{fmt.Sprint(r.stage), fmt.Sprint(r.step), strconv.FormatFloat(r.loss, 'g', -1, 64), strconv.FormatFloat(r.unscaled, 'g', -1, 64)})
		}
		out.Flush()
		return out.Error()
	})
}
