package experiment

import (
	"encoding/csv"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// checkerColumns are the metrics of a score, in the order of WriteChecker's CSV.
var checkerColumns = []struct {
	name string
	of   func(s CheckerScore) float64
}{
	{"NLPD", func(s CheckerScore) float64 { return s.NLPD }},
	{"CRPS", func(s CheckerScore) float64 { return s.CRPS }},
	{"support posterior", func(s CheckerScore) float64 { return s.SupportPosterior }},
	{"support prior", func(s CheckerScore) float64 { return s.SupportPrior }},
	{"MMD posterior", func(s CheckerScore) float64 { return s.MMDPosterior }},
	{"MMD prior", func(s CheckerScore) float64 { return s.MMDPrior }},
	{"support posterior, mean over y", func(s CheckerScore) float64 { return s.SupportAll }},
	{"MMD posterior, mean over y", func(s CheckerScore) float64 { return s.MMDAll }},
}

// WriteChecker writes the scores to checkerboard.csv in a folder, and figures as SVG and PNG: for
// every variant the prior, the posterior and the latents (the paper's Figs. 2 and 7–9), and the
// metrics over τ if there are several (Figs. 5 and 6).
func WriteChecker(dir string, scores []CheckerScore) error {
	f, err := os.Create(filepath.Join(dir, "checkerboard.csv"))
	if err != nil {
		return err
	}
	w := csv.NewWriter(f)
	head := []string{"variant", "tau", "alpha", "ema", "kl", "K", "seconds"}
	for _, c := range checkerColumns {
		head = append(head, c.name)
	}
	w.Write(head)
	for _, s := range scores {
		v := s.Variant
		row := []string{v.Name, fmt.Sprint(v.Tau), fmt.Sprint(v.Alpha), fmt.Sprint(v.EMA), fmt.Sprint(v.KL), fmt.Sprint(s.K), fmt.Sprintf("%.0f", s.Seconds)}
		for _, c := range checkerColumns {
			row = append(row, strconv.FormatFloat(c.of(s), 'g', -1, 64))
		}
		w.Write(row)
	}
	w.Flush()
	if err := w.Error(); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	for _, s := range scores {
		if err := cloudFigure(dir, s); err != nil {
			return err
		}
	}
	return sweepFigures(dir, scores)
}

var (
	grey   = color.RGBA{190, 190, 190, 255}
	blue   = color.RGBA{31, 90, 180, 255}
	orange = color.RGBA{230, 120, 20, 255}
)

// dots adds at most 1500 points of one colour.
func dots(p *plot.Plot, points [][]float64, c color.Color, name string) error {
	points = points[:min(len(points), 1500)]
	if len(points) == 0 {
		return nil
	}
	xy := make(plotter.XYs, len(points))
	for i, q := range points {
		xy[i] = plotter.XY{X: q[0], Y: q[1]}
	}
	s, err := plotter.NewScatter(xy)
	if err != nil {
		return err
	}
	s.GlyphStyle = draw.GlyphStyle{Color: c, Radius: vg.Points(0.8), Shape: draw.CircleGlyph{}}
	p.Add(s)
	p.Legend.Add(name, s)
	return nil
}

// cloudFigure shows the prior, the posterior for one y, and the latents: z ~ N(0, I) in grey, those
// that the flow map takes to points near the observation in orange, and the adapter's in blue.
func cloudFigure(dir string, s CheckerScore) error {
	panel := func(title string, limit float64) *plot.Plot {
		p := plot.New()
		p.Title.Text = title
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -limit, limit, -limit, limit
		p.Legend.Top = true
		return p
	}
	prior, post, latent := panel("prior", 2.5), panel(fmt.Sprintf("posterior, y = %g", s.y), 2.5), panel("latents", 4)
	var near [][]float64
	for i, x := range s.prior.x {
		if math.Abs(x[0]-s.y) < 0.15 && i < len(s.prior.z) {
			near = append(near, s.prior.z[i])
		}
	}
	for _, e := range []error{
		dots(prior, s.prior.x, blue, "f(z)"),
		dots(post, s.truePoints, grey, "true"), dots(post, s.posterior.x, blue, "f(z), z ~ q"),
		dots(latent, s.prior.z, grey, "z ~ N(0, I)"), dots(latent, near, orange, "f(z)₁ ≈ y"), dots(latent, s.posterior.z, blue, "z ~ q(z|y)"),
	} {
		if e != nil {
			return e
		}
	}
	return save(dir, fmt.Sprintf("%s-K%d", s.Variant.Name, s.K), []*plot.Plot{prior, post, latent})
}

// sweepFigures draws each metric over τ, with a line for every α and K, and a horizontal line for
// frozen-θ.
func sweepFigures(dir string, scores []CheckerScore) error {
	type line struct {
		alpha float64
		k     int
	}
	sweeps := map[line][]CheckerScore{}
	var order []line
	frozen := map[int]CheckerScore{}
	for _, s := range scores {
		v := s.Variant
		switch {
		case v.Frozen:
			frozen[s.K] = s
		case v.Name == vfm(v.Tau, v.Alpha).Name:
			l := line{v.Alpha, s.K}
			if sweeps[l] == nil {
				order = append(order, l)
			}
			sweeps[l] = append(sweeps[l], s)
		}
	}
	order = slices.DeleteFunc(order, func(l line) bool { return len(sweeps[l]) < 3 })
	if len(order) == 0 {
		return nil
	}
	var panels []*plot.Plot
	for _, c := range checkerColumns {
		p := plot.New()
		p.Title.Text, p.X.Label.Text = c.name, "τ"
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{}
		lo, hi := math.Inf(1), math.Inf(-1)
		for i, l := range order {
			ss := sweeps[l]
			slices.SortFunc(ss, func(a, b CheckerScore) int {
				if a.Variant.Tau < b.Variant.Tau {
					return -1
				}
				return 1
			})
			xy := make(plotter.XYs, len(ss))
			for j, s := range ss {
				xy[j] = plotter.XY{X: s.Variant.Tau, Y: c.of(s)}
				lo, hi = min(lo, s.Variant.Tau), max(hi, s.Variant.Tau)
			}
			ln, pts, err := plotter.NewLinePoints(xy)
			if err != nil {
				return err
			}
			col := []color.Color{blue, orange, color.RGBA{40, 150, 60, 255}, color.RGBA{150, 60, 160, 255}}[i%4]
			ln.Color, pts.Color = col, col
			p.Add(ln, pts)
			p.Legend.Add(fmt.Sprintf("α = %g, K = %d", l.alpha, l.k), ln)
		}
		for k, s := range frozen {
			ln, err := plotter.NewLine(plotter.XYs{{X: lo, Y: c.of(s)}, {X: hi, Y: c.of(s)}})
			if err != nil {
				return err
			}
			ln.Color, ln.Dashes = color.Black, []vg.Length{vg.Points(float64(2 * k)), vg.Points(2)}
			p.Add(ln)
			p.Legend.Add(fmt.Sprintf("frozen-θ, K = %d", k), ln)
		}
		panels = append(panels, p)
	}
	return save(dir, "tau-sweep", panels)
}

// save writes panels side by side as SVG and PNG.
func save(dir, name string, panels []*plot.Plot) error {
	const side = 7 * vg.Centimeter
	w, h := side*vg.Length(min(len(panels), 3)), side*vg.Length((len(panels)+2)/3)
	for _, ext := range []string{"svg", "png"} {
		c, err := draw.NewFormattedCanvas(w, h, ext)
		if err != nil {
			return err
		}
		dc := draw.New(c)
		for i, p := range panels {
			x, y := vg.Length(i%3)*side, h-vg.Length(i/3+1)*side
			p.Draw(draw.Crop(dc, x, x+side-w, y, y+side-h))
		}
		f, err := os.Create(filepath.Join(dir, name+"."+ext))
		if err != nil {
			return err
		}
		if _, err := c.WriteTo(f); err != nil {
			f.Close()
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}
