package gpu

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/vfmrestore/restore/internal/cachefile"
)

// Lavapipe translates a pipeline to machine code when it is first dispatched, on the only thread of
// the queue. For a network this takes seconds. Mesa keeps the result on disk, so it happens once
// per machine.
//
// Priming does this work on two cores. A second logical device of the same physical device has a
// queue, and so a thread, of its own. Each of the two devices dispatches a part of the pipelines
// with zero work groups, which translates them and does nothing else. The first device then finds
// on disk what the second translated.

const (
	// primeFrom is the number of new pipelines from which a second device pays off.
	primeFrom = 2
	// primedMost is how many pipelines the list of known ones may hold before it is emptied.
	primedMost = 1 << 14
)

// primed is the list of pipelines that this machine has translated before, and its file: one
// hexadecimal hash of the code per line.
type primed struct {
	mu    sync.Mutex
	path  string // "": priming is off
	known map[string]bool
}

func (p *primed) open(d *Device) {
	if !d.info.Caps.Lavapipe || d.cache.path == "" {
		return
	}
	p.path = strings.TrimSuffix(d.cache.path, ".bin") + ".primed"
	p.known = map[string]bool{}
	for _, line := range strings.Fields(string(cachefile.ReadPlain(p.path, primedMost*33))) {
		p.known[line] = true
	}
}

// add records pipelines that were translated. Errors of the file are ignored: the list only saves
// time.
func (p *primed) add(names []string) {
	if len(p.known)+len(names) > primedMost {
		clear(p.known)
	}
	for _, n := range names {
		p.known[n] = true
	}
	var text strings.Builder
	for n := range p.known {
		text.WriteString(n + "\n")
	}
	_ = cachefile.Replace(p.path, []byte(text.String()))
}

// primes reports whether pipelines are translated ahead on this device.
func (d *Device) primes() bool { return d.primed.path != "" && runtime.GOMAXPROCS(0) >= 2 }

// prime translates the pipelines that this machine has not seen, if there are enough of them, and
// counts them. It ignores errors: they show again, if they last, when the pipeline is used.
func (d *Device) prime(descs []PipelineDesc, pipes []*Pipeline, count *counter) {
	if !d.primes() {
		return
	}
	p := &d.primed
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.enter("NewPipelines") != nil {
		return
	}
	d.leave() // not held any longer: the calls below enter by themselves, and Close waits for p.mu
	var fresh []int
	var names []string
	for k := range descs {
		if name := fmt.Sprintf("%x", pipes[k].key.code[:16]); !p.known[name] && !slices.Contains(names, name) {
			fresh, names = append(fresh, k), append(names, name)
		}
	}
	if len(fresh) < primeFrom {
		return
	}
	twin, err := d.twin()
	if err != nil {
		return
	}
	defer twin.Close()
	here, err := d.NewBuffer(scratchSize, Local)
	if err != nil {
		return
	}
	defer here.Free()
	there, err := twin.NewBuffer(scratchSize, Local)
	if err != nil {
		return
	}
	// The longest first, so that both devices end at about the same time.
	slices.SortFunc(fresh, func(a, b int) int { return cmp.Compare(len(descs[b].Code), len(descs[a].Code)) })
	if known := len(descs) - len(fresh); known > 0 {
		count.add(known)
	}
	var next atomic.Int64
	var failed atomic.Bool
	work := func(translate func(k int) error) {
		for !failed.Load() {
			n := int(next.Add(1)) - 1
			if n >= len(fresh) {
				return
			}
			if translate(fresh[n]) != nil {
				failed.Store(true)
			}
			count.add(1)
		}
	}
	var other sync.WaitGroup
	other.Go(func() {
		work(func(k int) error {
			q, err := twin.NewPipeline(descs[k])
			if err != nil {
				return err
			}
			defer q.Free()
			return twin.translate(q, there)
		})
	})
	work(func(k int) error { return d.translate(pipes[k], here) })
	other.Wait()
	if !failed.Load() {
		p.add(names)
	}
}

// scratchSize is the size of the buffer bound to a dispatch that does nothing.
const scratchSize = 256

// translate dispatches a pipeline with zero work groups. All its bindings are scratch.
func (d *Device) translate(p *Pipeline, scratch *Buffer) error {
	c, err := d.NewCommands()
	if err != nil {
		return err
	}
	defer c.Free()
	bind := make([]Range, p.desc.Bindings)
	for i := range bind {
		bind[i].Buf = scratch
	}
	c.record("Dispatch", func() error { return c.launch(p, bind, make([]byte, p.desc.PushBytes), [3]int{0, 1, 1}) })
	if err := c.End(); err != nil {
		return err
	}
	return d.Run(c)
}

// twin makes another logical device of the same physical device and instance. It must be closed
// before d.
func (d *Device) twin() (*Device, error) {
	t, err := start(d.inst, d.cand, Options{CacheDir: "-", Timeout: d.timeout})
	if err != nil {
		return nil, err
	}
	t.sharesInstance = true
	return t, nil
}
