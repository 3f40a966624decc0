package picture

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"
	"time"
)

// growing provides rows only when they are requested, or after some time.
type growing struct {
	mu   sync.Mutex
	cond *sync.Cond
	rows int
	err  error
}

func (g *growing) wait(rows int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.rows < rows && g.err == nil {
		g.cond.Wait()
	}
	return g.err
}

func (g *growing) tell(rows int, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rows, g.err = rows, err
	g.cond.Broadcast()
}

// A picture that grows while it is encoded gives the same bytes as a complete one, for every kind.
// Rows are not read before they are final.
func TestEncodeRows(t *testing.T) {
	r := newRand()
	for _, depth := range []int{8, 16} {
		for _, gray := range []bool{false, true} {
			for alpha := range 3 { // none, opaque everywhere, any
				for _, f := range []Format{PNG, TIFF, JPEG} {
					w, h := 1+r.IntN(40), 1+r.IntN(90)
					p := random(r, w, h, depth, gray, alpha > 0)
					if alpha == 1 {
						for i := range p.Alpha {
							p.Alpha[i] = 0.9999999 // opaque once rounded
						}
					}
					if f == JPEG && alpha > 0 {
						p.Alpha = nil
					}
					want := encode(t, p, f, 0)
					q := *p
					q.Pix, q.Levels = nil, NewLevels(depth, len(p.Pix))
					g := &growing{}
					g.cond = sync.NewCond(&g.mu)
					go func() {
						r := newRand()
						for y := 0; y < h; {
							n := 1 + r.IntN(h-y)
							for c := range 3 {
								at := (c*h + y) * w
								q.Levels.Write(at, p.Pix[at:at+n*w])
							}
							y += n
							g.tell(y, nil)
							time.Sleep(time.Duration(r.IntN(2)) * time.Millisecond)
						}
					}()
					var b bytes.Buffer
					if err := EncodeRows(&b, &q, f, 0, g.wait); err != nil {
						t.Fatal(err)
					}
					if !bytes.Equal(b.Bytes(), want) {
						t.Errorf("%v, %d×%d, %d bits, grey %v, alpha %d: other bytes", f, w, h,
							depth, gray, alpha)
					}
					if q.EncodesByRow(f) != (f == PNG) || p.EncodesByRow(f) {
						t.Errorf("%v: grows: %v, %v", f, q.EncodesByRow(f), p.EncodesByRow(f))
					}
				}
			}
		}
	}
}

// An error of wait ends the encoder, and only rows before it are written.
func TestEncodeRowsFails(t *testing.T) {
	r := newRand()
	gone := errors.New("gone")
	for _, gray := range []bool{false, true} {
		for _, alpha := range []bool{false, true} {
			for _, f := range []Format{PNG, TIFF} {
				p := random(r, 300, 200, 8, gray, alpha)
				q := *p
				q.Pix, q.Levels = nil, NewLevels(8, len(p.Pix))
				q.Levels.Write(0, p.Pix)
				stop, asked := r.IntN(200), 0
				err := EncodeRows(io.Discard, &q, f, 0, func(rows int) error {
					if rows <= asked && f == PNG {
						t.Fatalf("row %d is asked for after %d", rows, asked)
					}
					asked = rows
					if rows > stop {
						return gone
					}
					return nil
				})
				if err != gone || f == PNG && asked != stop+1 {
					t.Errorf("%v, stopped at row %d, asked for %d: %v", f, stop, asked, err)
				}
			}
		}
	}
}

// Levels go through floats and back unchanged.
func TestLevelsStay(t *testing.T) {
	for v := range 1 << 16 {
		if v < 256 && quantise(levels8[v], 255) != float64(v) ||
			quantise(level16(uint16(v)), 65535) != float64(v) {
			t.Fatalf("%d became another", v)
		}
	}
}
