package foreign

import (
	"context"
	"fmt"
	"math"

	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/internal/finite"
	"github.com/vfmrestore/restore/internal/memory"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/picture"
)

// Request says what to report while a picture is restored.
type Request struct {
	// Progress, if not nil, is called after every tile.
	Progress func(done, total int)
	// Rows, if not nil, is called as rows of the result get final, from the top: p is the result,
	// whose first rows rows do not change any more.
	Rows func(p *picture.Picture, rows int)
}

// Restore applies the network to a picture, which is not changed. A grey picture goes through the
// network as three equal channels; the result is the mean of its three. Alpha is kept, or enlarged
// with the picture. The result has Levels if the picture has.
//
// Errors: *Error, *memory.Error, engine.ErrClosed, ctx.Err(), and those of the device.
func (n *Network) Restore(ctx context.Context, pic *picture.Picture, req Request) (*picture.Picture, error) {
	j, err := n.newJob(pic, req)
	if err != nil {
		return nil, err
	}
	limit := math.MaxInt
	for {
		w, h, ok, err := n.tileSize(j.domain, limit)
		if err != nil {
			return nil, err
		}
		ts := tile.Cut(j.domain, w, h, n.halo)
		if err = j.run(ctx, ts); err == nil {
			return j.out, nil
		}
		if !engine.TooBig(err) {
			return nil, err
		}
		if !ok || n.global != nil || n.fixed != [2]int{} {
			return nil, fmt.Errorf("even in tiles of %d×%d pixels: %w", w, h, err)
		}
		limit = w * h / 2
	}
}

// tileSize returns the sides of the tiles for a domain. ok is false if none are smaller.
func (n *Network) tileSize(dom tile.Rect, limit int) (w, h int, ok bool, err error) {
	if n.fixed != [2]int{} {
		w, h = n.fixed[1], n.fixed[0]
		if w < dom.W && w <= 2*n.halo || h < dom.H && h <= 2*n.halo {
			return 0, 0, false, errorf("the network is for pictures of %d×%d pixels; larger ones cannot be cut into tiles, "+
				"as each would need %d pixels around it", w, h, n.halo)
		}
		return w, h, true, nil
	}
	if n.global != nil {
		return dom.W, dom.H, false, nil
	}
	caps := n.engine.Device().Info().Caps
	pixels := min(int64(limit), tile.MaxPixels, int64(n.engine.Pace.Most()), caps.HeapBudget/2/n.bytesPerPixel())
	if caps.MaxAlloc > 0 {
		pixels = min(pixels, caps.MaxAlloc/int64(4*n.work))
	}
	if caps.MaxStorageRange > 0 {
		pixels = min(pixels, caps.MaxStorageRange/int64(4*n.widest))
	}
	t := tile.Tiling{Halo: n.halo, Align: n.align, MaxOwn: n.cfg.Tile, MaxPixels: int(pixels)}
	w, h, ok = t.Size(dom)
	return w, h, ok, nil
}

// job is one call of Restore.
type job struct {
	n           *Network
	req         Request
	session     engine.Session
	domain      tile.Rect
	gray        bool
	view        *tile.MirrorReader
	out         *picture.Picture
	planes      tile.Planes // of out
	written     int         // rows of out that are final
	done, tiles int
	scratch     []float32
}

func (n *Network) newJob(pic *picture.Picture, req Request) (*job, error) {
	if pic == nil {
		return nil, errorf("the picture is missing")
	}
	if err := pic.Check(); err != nil {
		return nil, errorf("the picture cannot be used: %v", err)
	}
	if i := finite.FirstNot(pic.Pix); i >= 0 {
		return nil, errorf("the picture has a value that is not a finite number (%v at index %d)", pic.Pix[i], i)
	}
	if err := memory.Check(fmt.Sprintf("a picture of %d×%d pixels", pic.W, pic.H), n.Memory(pic.W, pic.H, pic.Levels != nil)); err != nil {
		return nil, err
	}
	j := &job{n: n, req: req, gray: pic.Gray}
	j.domain = tile.Rect{W: tile.RoundUp(pic.W, n.align), H: tile.RoundUp(pic.H, n.align)}
	if f := n.fixed; f != [2]int{} {
		j.domain.W, j.domain.H = max(j.domain.W, f[1]), max(j.domain.H, f[0])
	}
	if f := n.fixed; n.global != nil && f != [2]int{} && (j.domain.W > f[1] || j.domain.H > f[0]) {
		return nil, errorf("the network is for pictures of up to %d×%d pixels, not %d×%d, and reads the whole picture (%v); "+
			"a halo allows tiles", f[1], f[0], pic.W, pic.H, n.global)
	}
	j.view = tile.NewMirrorReader(pic.W, pic.H, 3, tile.PlanesOf(pic).Read)
	w, h := pic.W*n.scale, pic.H*n.scale
	j.out = pic.Like(w, h, nil)
	j.planes = tile.Planes{W: w, H: h}
	if pic.Levels != nil {
		j.out.Levels = picture.NewLevels(pic.Depth, 3*w*h)
		j.planes.Levels = j.out.Levels
	} else {
		j.out.Pix = make([]float32, 3*w*h)
		j.planes.Data = j.out.Pix
	}
	return j, nil
}

// Memory is about how many bytes of the host's memory a picture of w×h pixels takes in addition to
// itself. levels says whether it has Levels.
func (m *Model) Memory(w, h int, levels bool) int64 {
	perPixel := 3 * 4
	if levels {
		perPixel = 3
	}
	return memory.Bytes(w, m.scale, h, m.scale, perPixel)
}

// run runs the network over the tiles.
func (j *job) run(ctx context.Context, ts []tile.Tile) error {
	n, w, h := j.n, ts[0].At.W, ts[0].At.H
	name, s := n.model.Inputs[0].Name, n.scale
	j.done, j.tiles = 0, len(ts)
	if need := 3 * w * h * s * s; len(j.scratch) < need {
		j.scratch = make([]float32, need)
	}
	return n.engine.Run(ctx, &j.session, &engine.Work{
		Recipe: recipe{n, h, w}, Count: len(ts), Pixels: w * h,
		Fill: func(i int, in *engine.Slot) error {
			planes := j.scratch[:3*w*h]
			j.view.Read(ts[i].At, planes)
			j.n.fill(in.Input(name), planes)
			return nil
		},
		Take: func(i int, out *engine.Slot) error {
			if finite.FirstNot(out.Output(0)) >= 0 {
				return errorf("the network gave values that are not finite numbers on %s; is the range of its pictures right (%v)?",
					n.engine.Device().Info().Name, n.cfg.Range)
			}
			j.take(scaled(ts[i], s), out.Output(0))
			j.done++
			if j.req.Progress != nil {
				j.req.Progress(j.done, j.tiles)
			}
			return nil
		},
	})
}

// channels is how many the network's input and output have on the device; the rest is 0.
const channels = 8

// fill writes planes in [-1,1] as the network's input.
func (m *Model) fill(dst, planes []float32) {
	a, b := m.cfg.Range.Affine()
	size := len(planes) / 3
	clear(dst)
	for c := range 3 {
		for i, v := range planes[c*size : (c+1)*size] {
			dst[channels*i+c] = a*v + b
		}
	}
}

// scaled is a tile in the pixels of the result.
func scaled(t tile.Tile, s int) tile.Tile {
	by := func(r tile.Rect) tile.Rect { return tile.Rect{X: s * r.X, Y: s * r.Y, W: s * r.W, H: s * r.H} }
	return tile.Tile{At: by(t.At), Own: by(t.Own)}
}

// take writes a tile of the network's output to the result.
func (j *job) take(t tile.Tile, src []float32) {
	a, b := j.n.cfg.Range.Affine()
	size := t.At.W * t.At.H
	planes := j.scratch[:3*size]
	for c := range 3 {
		plane := planes[c*size : (c+1)*size]
		for i := range plane {
			plane[i] = min(max((src[channels*i+c]-b)/a, -1), 1)
		}
	}
	if j.gray {
		for i := range size {
			v := (planes[i] + planes[size+i] + planes[2*size+i]) / 3
			planes[i], planes[size+i], planes[2*size+i] = v, v, v
		}
	}
	if t.Own.Y < j.written { // somebody may be reading these rows; they come again in smaller tiles
		t.Own.H, t.Own.Y = max(t.Own.Bottom()-j.written, 0), j.written
	}
	j.planes.Write(t, planes)
	if end := min(t.Own.Bottom(), j.planes.H); end > j.written && t.Own.Right() >= j.planes.W {
		j.written = end
		if j.req.Rows != nil {
			j.req.Rows(j.out, end)
		}
	}
}
