package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

const inspectHelp = `usage: restore inspect [-json] [-max-megapixels N] FILE...

Describes pictures: size, quality of the JPEG compression, share of clipped pixels, noise (in 8-bit levels of 255, at four
scales from fine to coarse), motion blur and defocus, and the tasks that would help, in order. restore -task auto does these
tasks. No device is needed. - is stdin.

  -json             print one line of JSON per picture: in, width, height, depth, grey, format, jpeg_quality (0: not JPEG),
                    black, white (shares), noise (8-bit levels), noise_shape, motion_blur, blur, steps
  -max-megapixels N  refuse larger pictures before memory is allocated (default 1000)
`

// finding is what inspect prints about a picture.
type finding struct {
	In      name         `json:"in"`
	Width   int          `json:"width"`
	Height  int          `json:"height"`
	Depth   int          `json:"depth"`
	Grey    bool         `json:"grey"`
	Format  string       `json:"format"`
	Quality int          `json:"jpeg_quality"`
	Black   float64      `json:"black"`
	White   float64      `json:"white"`
	Noise   float64      `json:"noise"`
	Shape   *noiseInfo   `json:"noise_shape"`
	Motion  *motionInfo  `json:"motion_blur"`
	Defocus *defocusInfo `json:"blur"`
	Steps   []string     `json:"steps"`
}

// inspect describes pictures.
func (a *app) inspect(args []string) error {
	fs := flagSet("inspect")
	asJSON := fs.Bool("json", false, "")
	most := fs.Int("max-megapixels", 1000, "")
	names, err := a.parse(fs, args, inspectHelp)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return usagef("inspect needs a picture")
	}
	if *most < 1 || *most > 1<<30 {
		return usagef("-max-megapixels %d is not from 1 to %d", *most, 1<<30)
	}
	for _, path := range names {
		f, err := a.findings(path, picture.Limits{MaxPixels: int64(*most) * 1e6})
		if err != nil {
			return err
		}
		if *asJSON {
			a.print(f)
		} else {
			fmt.Fprint(a.out, f)
		}
	}
	return nil
}

// findings examines a picture.
func (a *app) findings(path string, limits picture.Limits) (*finding, error) {
	p, err := a.decode(path, limits)
	if err != nil {
		return nil, err
	}
	d, err := restore.Inspect(a.ctx, p)
	if err != nil {
		if a.ctx.Err() != nil {
			return nil, errors.New("interrupted")
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f := &finding{
		In: name(path), Width: p.W, Height: p.H, Depth: p.Depth, Grey: p.Gray, Format: p.Format.String(), Quality: p.JPEGQuality,
		Black: d.Black, White: d.White, Noise: task.Std8(d.Noise.Sigma()),
		Shape:   noiseInfoOf(&restore.Result{Profile: d.Noise}),
		Motion:  motionInfoOf(&restore.Result{Task: task.MotionDeblur, Blur: d.Motion}),
		Defocus: defocusOf(&restore.Result{Task: task.GaussianDeblur, Blur: d.Defocus}),
		Steps:   []string{},
	}
	for _, t := range d.Steps {
		f.Steps = append(f.Steps, t.String())
	}
	return f, nil
}

// String is the text without -json.
func (f *finding) String() string {
	var b strings.Builder
	kind := f.Format
	if f.Quality > 0 {
		kind = fmt.Sprintf("%s of quality %d", kind, f.Quality)
	}
	colour := "colour"
	if f.Grey {
		colour = "grey"
	}
	fmt.Fprintf(&b, "%s: %d×%d pixels, %s of %d bits, %s\n", oneLine(string(f.In)), f.Width, f.Height, colour, f.Depth, kind)
	fmt.Fprintf(&b, "  clipped: %.1f %% white, %.1f %% black\n", 100*f.White, 100*f.Black)
	fmt.Fprintf(&b, "  noise: %.1f of 255; from fine to coarse, luminance %s, chroma %s\n", f.Noise, joinNumbers(f.Shape.Luma), joinNumbers(f.Shape.Chroma))
	fmt.Fprintf(&b, "  motion blur: %s\n", f.Motion.summary())
	fmt.Fprintf(&b, "  defocus: %s\n", f.Defocus.summary())
	if len(f.Steps) == 0 {
		b.WriteString("  nothing needs to be done\n")
	} else {
		fmt.Fprintf(&b, "  restore -task %s would help\n", strings.Join(f.Steps, ", then -task "))
	}
	return b.String()
}

func joinNumbers(v []float64) string {
	parts := make([]string, len(v))
	for i, x := range v {
		parts[i] = fmt.Sprintf("%.1f", x)
	}
	return strings.Join(parts, " ")
}

// reportSteps prints what -task auto did.
func (a *app) reportSteps(in string, d *restore.Diagnosis) {
	if len(d.Steps) == 0 {
		fmt.Fprintf(a.err, "%s: nothing needs to be done; the picture is copied\n", oneLine(in))
		return
	}
	var list []string
	for _, t := range d.Steps {
		list = append(list, t.String())
	}
	fmt.Fprintf(a.err, "%s: %s\n", oneLine(in), strings.Join(list, ", then "))
}
