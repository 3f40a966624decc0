package camera

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Usage lists the names that Parse accepts, for help texts.
const Usage = `lens=S          blur by lens and sensor: standard deviation in pixels, 0 to 8
iso=N           a sensor's noise at film speed N (50 to 102400), with a mosaic demosaiced along edges
shot=V,read=V   the same by numbers: a value v in [0,1] has variance shot·v + read
demosaic=M      edges, bilinear or none
curve=S         share of an S-curve in the tone curve, 0 to 1 (default 0.3)
matrix=N        colours of camera N, 0 (none) to 4; red=G, blue=G: gains of white balance (default 2 and 1.6)
exposure=E      light before the sensor clips, 0.1 to 4 (default 1)
white=N         white noise of N levels of 255 on the finished picture; mosaic=1: on a mosaic of it
chroma=R:S      the camera's smoothing of chroma: radius in pixels, share 0 to 1
luma=R:S        its smoothing of luminance: reach in levels of 255, share 0 to 1
coarse=G        noise reduction that leaves less of luminance's fine noise than of its coarse: 0 (none) to 2
sharpen=S       0 to 3
reduce=F        factor by which the picture is made smaller, 1 to 8
jpeg=Q          quality 1 to 100
again=Q         quality of a second JPEG, whose blocks lie 3 pixels off the first one's
subsampling=S   chroma of JPEG (default 420) or video: 444, 422 or 420
random=1        a random camera from the distribution that the denoising network was trained on`

// Parse reads a camera from "name=value" pairs with commas between them, as in "iso=3200,jpeg=85";
// see Usage. Only random=1 uses rng. Errors name the pair and what is allowed.
func Parse(spec string, rng *rand.Rand) (Camera, error) {
	c := Camera{Round: true}
	raw := Camera{RedGain: 2, BlueGain: 1.6, Exposure: 1, Curve: 0.3, Demosaic: EdgeDirected,
		Matrix: 1}
	given := map[string]bool{}
	for _, pair := range strings.Split(spec, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok || name == "" || value == "" {
			return c, fmt.Errorf("camera: %q is not name=value", pair)
		}
		if given[name] {
			return c, fmt.Errorf("camera: %s is given twice", name)
		}
		given[name] = true
		if err := c.set(&raw, name, value); err != nil {
			return c, err
		}
	}
	if given["random"] {
		if len(given) > 1 {
			return c, fmt.Errorf("camera: random=1 draws all values; give it alone")
		}
		return Draw(rng), nil
	}
	if given["iso"] && (given["shot"] || given["read"]) {
		return c, fmt.Errorf("camera: iso sets shot and read; give iso, or shot and read")
	}
	for _, name := range []string{"shot", "read", "iso", "demosaic", "curve", "matrix", "red",
		"blue", "exposure"} {
		c.Raw = c.Raw || given[name]
	}
	if c.Raw {
		c.Curve, c.Matrix, c.RedGain, c.BlueGain = raw.Curve, raw.Matrix, raw.RedGain, raw.BlueGain
		c.Exposure, c.Shot, c.Read, c.Demosaic = raw.Exposure, raw.Shot, raw.Read, raw.Demosaic
	}
	if given["mosaic"] && !given["white"] {
		return c, fmt.Errorf("camera: mosaic needs white=N")
	}
	if given["again"] && !given["jpeg"] {
		return c, fmt.Errorf("camera: again needs jpeg=Q")
	}
	if given["jpeg"] && !given["subsampling"] {
		c.Subsampling = Sub420
	}
	return c, nil
}

// set reads one pair. Parameters of the sensor go to raw.
func (c *Camera) set(raw *Camera, name, value string) (err error) {
	number := func(lo, hi float64) float64 {
		v, e := strconv.ParseFloat(value, 64)
		if e != nil || !(v >= lo && v <= hi) {
			err = fmt.Errorf("camera: %s=%s: must be a number from %g to %g", name, value, lo, hi)
		}
		return v
	}
	pair := func(hi float64) (a, share float64) {
		x, y, ok := strings.Cut(value, ":")
		a, e1 := strconv.ParseFloat(x, 64)
		share, e2 := strconv.ParseFloat(y, 64)
		if !ok || e1 != nil || e2 != nil || !(a >= 0 && a <= hi) || !(share >= 0 && share <= 1) {
			err = fmt.Errorf("camera: %s=%s: must be two numbers with a colon between them, 0 "+
				"to %g and 0 to 1", name, value, hi)
		}
		return a, share
	}
	choice := func(names ...string) int {
		i := slices.Index(names, value)
		if i < 0 {
			err = fmt.Errorf("camera: %s=%s: must be one of %s", name, value,
				strings.Join(names, ", "))
		}
		return max(i, 0)
	}
	switch name {
	case "lens":
		c.Lens = number(0, 8)
	case "iso":
		raw.Shot, raw.Read = ISO(number(50, 102400))
	case "shot":
		raw.Shot = number(0, 0.1)
	case "read":
		raw.Read = number(0, 0.1)
	case "demosaic":
		raw.Demosaic = Demosaicing(choice("none", "bilinear", "edges"))
	case "curve":
		raw.Curve = number(0, 1)
	case "matrix":
		raw.Matrix = choice("0", "1", "2", "3", "4")
	case "red":
		raw.RedGain = number(0.25, 4)
	case "blue":
		raw.BlueGain = number(0.25, 4)
	case "exposure":
		raw.Exposure = number(0.1, 4)
	case "white":
		c.White = number(0, 255) / 127.5
	case "mosaic":
		c.WhiteMosaic = choice("0", "1") == 1
	case "chroma":
		r, share := pair(16)
		c.ChromaRadius, c.ChromaShare = int(r), share
	case "luma":
		r, share := pair(255)
		c.LumaRange, c.LumaShare = r/127.5, share
	case "coarse":
		c.Coarse = number(0, 2)
	case "sharpen":
		c.Sharpen = number(0, 3)
	case "reduce":
		c.Reduce = number(1, 8)
	case "jpeg":
		c.Quality = int(number(1, 100))
	case "again":
		c.SecondQuality, c.SecondX, c.SecondY = int(number(1, 100)), 3, 3
	case "subsampling":
		c.Subsampling = Subsampling(choice("444", "422", "420"))
	case "random":
		choice("1")
	default:
		err = fmt.Errorf("camera: unknown name %q; the names are:\n%s", name, Usage)
	}
	return err
}
