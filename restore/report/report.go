// Package report writes one HTML file about a restoration: before and after with a slider, maps of
// standard deviation, the samples, and the adapter's output. The file needs no network and no other
// file.
package report

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/picture"
)

// MaxSide is the longest side of the pictures in a report; larger ones are reduced by a whole
// number.
const MaxSide = 1600

// maxSamples is the largest number of samples that is shown.
const maxSamples = 12

// Setting is a row of the table at the end.
type Setting struct{ Name, Value string }

// Report is the content of a page.
type Report struct {
	Title    string
	Before   *picture.Picture // the input; for super-resolution its size differs from the result
	Result   *restore.Result  // fields that are nil are left out
	Settings []Setting
}

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

type shown struct {
	URL  template.URL
	W, H int
	Name string
}

type view struct {
	Title         string
	Before, After shown
	Deviations    []deviationMap
	Gradient      template.CSS
	Samples       []shown
	More          int // number of samples that are not shown
	Latent        []shown
	Settings      []Setting
}

// deviationMap is a map of standard deviations.
type deviationMap struct {
	Map     shown
	Top     string // upper end of the scale, in 8-bit levels
	Caption string
}

// Write writes the page.
func (r Report) Write(w io.Writer) error {
	res := r.Result
	v := view{Title: r.Title, Settings: r.Settings, Gradient: gradient()}
	var err error
	show := func(name string, p *picture.Picture) (s shown) {
		if err == nil {
			s, err = embed(name, p)
		}
		return s
	}
	v.After = show("after", res.Picture)
	v.Before = show("before", r.Before)
	if res.Std != nil {
		w, h := res.Picture.W, res.Picture.H
		colours, top := heat(res.Std, w, h)
		v.Deviations = append(v.Deviations,
			deviationMap{show("map of the standard deviation of pixels", colours),
				fmt.Sprintf("%.1f", top), pixelsCaption})
	}
	if res.Areas != nil {
		w, h := res.Picture.W, res.Picture.H
		const side = restore.AreaSide
		areas, top := heat(res.Areas, (w+side-1)/side, (h+side-1)/side)
		v.Deviations = append(v.Deviations,
			deviationMap{show("map of the standard deviation of areas",
				repeated(areas, side, w, h)), fmt.Sprintf("%.1f", top), areasCaption})
	}
	if res.Mean != nil {
		v.Samples = append(v.Samples, show("mean of the samples", res.Mean))
	}
	for i, p := range res.Samples {
		if i == maxSamples {
			v.More = len(res.Samples) - i
			break
		}
		v.Samples = append(v.Samples, show(fmt.Sprintf("sample %d", i+1), p))
	}
	if l := res.Latent; l != nil {
		v.Latent = []shown{
			show("μ: grey is 0, white 3 standard deviations of the prior",
				restore.LatentPicture(l.Mu, l.W, l.H, 0, 3)),
			show("σ: black is 0 (settled by the picture), white 1 (free)",
				restore.LatentPicture(l.Sigma, l.W, l.H, 0.5, 0.5)),
		}
		if len(l.Z) > 0 {
			v.Latent = append(v.Latent, show("z of sample 1",
				restore.LatentPicture(l.Z[0], l.W, l.H, 0, 3)))
		}
	}
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return page.Execute(w, v)
}

const pixelsCaption = `Standard deviation of the samples at every pixel, in 8-bit levels. The true picture is not known to the method; where
this map is bright, it may well be different from what is shown above.`

var areasCaption = fmt.Sprintf(`Standard deviation of the samples' means over areas of %d×%d pixels, in 8-bit levels. Fine detail averages out
there: where this map is bright, brightness, colour or whole shapes may be different.`,
	restore.AreaSide, restore.AreaSide)

// repeated enlarges a picture by repeating pixels, and crops it to w×h pixels.
func repeated(p *picture.Picture, by, w, h int) *picture.Picture {
	pix := make([]float32, 3*w*h)
	for i := range pix {
		x, y, c := i%w, i/w%h, i/(w*h)
		pix[i] = p.Pix[(c*p.H+y/by)*p.W+x/by]
	}
	return picture.New(w, h, pix)
}

// embed encodes a picture as a data URL: small pictures as PNG, because single pixels matter,
// others as JPEG.
func embed(name string, p *picture.Picture) (shown, error) {
	p = reduce(p)
	f, kind := picture.JPEG, "jpeg"
	if p.W*p.H <= 1<<19 || !p.Opaque() {
		f, kind = picture.PNG, "png"
	}
	q := *p
	q.EXIF, q.Depth = nil, 8
	var b bytes.Buffer
	if err := picture.Encode(&b, &q, f, 92); err != nil {
		return shown{}, err
	}
	return shown{template.URL("data:image/" + kind + ";base64," +
		base64.StdEncoding.EncodeToString(b.Bytes())), p.W, p.H, name}, nil
}

// reduce averages blocks of pixels so that no side is longer than MaxSide.
func reduce(p *picture.Picture) *picture.Picture {
	k := (max(p.W, p.H) + MaxSide - 1) / MaxSide
	if k <= 1 {
		return p
	}
	w, h := max(p.W/k, 1), max(p.H/k, 1)
	plane := func(src []float32) []float32 {
		dst := make([]float32, w*h)
		for y := range h {
			for x := range w {
				sum, n := float32(0), float32(0)
				for v := y * k; v < min(y*k+k, p.H); v++ {
					for u := x * k; u < min(x*k+k, p.W); u++ {
						sum += src[v*p.W+u]
						n++
					}
				}
				dst[y*w+x] = sum / n
			}
		}
		return dst
	}
	q := *p
	q.W, q.H, q.Pix = w, h, nil
	n := p.W * p.H
	for c := range 3 {
		q.Pix = append(q.Pix, plane(p.Pix[c*n:(c+1)*n])...)
	}
	if p.Alpha != nil {
		q.Alpha = plane(p.Alpha)
	}
	return &q
}

// stops are nine steps of matplotlib's viridis. Its brightness rises evenly, and it suits
// colour-blind readers.
var stops = [9][3]float64{{68, 1, 84}, {72, 40, 120}, {62, 74, 137}, {49, 104, 142}, {38, 130, 142},
	{31, 158, 137}, {53, 183, 121}, {110, 206, 88}, {253, 231, 37}}

func gradient() template.CSS {
	s := "linear-gradient(to right"
	for _, c := range stops {
		s += fmt.Sprintf(",rgb(%g %g %g)", c[0], c[1], c[2])
	}
	return template.CSS(s + ")")
}

// heat colours a map of standard deviations (root mean square over the three channels). top is the
// value of the last colour, in 8-bit levels: one in two hundred pixels is above it.
func heat(std []float32, w, h int) (p *picture.Picture, top float64) {
	n := w * h
	v := make([]float64, n)
	for i := range v {
		r, g, b := float64(std[i]), float64(std[n+i]), float64(std[2*n+i])
		v[i] = math.Sqrt((r*r+g*g+b*b)/3) * 127.5
	}
	sorted := slices.Clone(v)
	slices.Sort(sorted)
	top = math.Max(sorted[(n-1)*199/200], 0.1)
	pix := make([]float32, 3*n)
	for i, x := range v {
		at := min(x/top, 1) * float64(len(stops)-1)
		k := min(int(at), len(stops)-2)
		for c := range 3 {
			level := stops[k][c] + (at-float64(k))*(stops[k+1][c]-stops[k][c])
			pix[c*n+i] = float32(level/127.5 - 1)
		}
	}
	return picture.New(w, h, pix), top
}
