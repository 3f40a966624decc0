package trainhost

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/picture"
)

// The study must run every kind of objective from one start with the arithmetic that it was given,
// and write what it finds.
func TestStudy(t *testing.T) {
	dir := t.TempDir()
	pix := make([]float32, 3*32*32)
	for i := range pix {
		pix[i] = float32(math.Sin(float64(i) / 20))
	}
	if err := picture.EncodeFile(filepath.Join(dir, "a.png"), picture.New(32, 32, pix), 90); err != nil {
		t.Fatal(err)
	}
	c := StudyConfig{Net: tinyNet(), Run: tinyConfig(0), Pretrain: 1e-9, Budget: 1e-4, Eval: dir, Limit: 1, Samples: 2, Out: t.TempDir()}
	var rows []StudyRow
	all := StudyVariants()
	err := Study(t.Context(), testDev, noisePictures(3, 40), c, []StudyVariant{all[2], all[len(all)-1]}, func(r StudyRow) { rows = append(rows, r) })
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 6 {
		t.Fatalf("%d rows", len(rows))
	}
	for i, r := range rows {
		if r.K != []int{1, 2, 4}[i%3] || len(r.Mode) != 6 || r.Steps < 1 {
			t.Errorf("row %d: %+v", i, r)
		}
		for _, v := range append(r.Mode, r.Mean, r.Sample, r.Coverage, r.MMD) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("row %d: %+v", i, r)
			}
		}
	}
	if rows[0].Steps >= rows[3].Steps {
		t.Errorf("the mean-flow term's %d steps cost as much as the frozen map's %d", rows[0].Steps, rows[3].Steps)
	}
	if rows[0].Mean == rows[1].Mean {
		t.Error("K makes no difference")
	}
	b, err := os.ReadFile(filepath.Join(c.Out, "photographs.csv"))
	if err != nil || strings.Count(string(b), "\n") != 7 {
		t.Errorf("CSV: %v\n%s", err, b)
	}
}
