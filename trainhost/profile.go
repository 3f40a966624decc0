package trainhost

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/vfmrestore/restore/netdef/compile"
)

// profileRuns is how often the step is timed. The shortest time of each dispatch counts: longer
// ones contain work of other programs.
const profileRuns = 5

// Profile runs a step a few times with a timestamp around every dispatch. It writes the time by
// kind of kernel, and the slowest dispatches.
func (t *Trainer) Profile(w io.Writer) error {
	if err := t.Prepare(); err != nil {
		return err
	}
	var least []compile.Timing
	for range profileRuns {
		ts, err := t.step.Program().Profile()
		if err != nil {
			return err
		}
		for i, x := range least {
			ts[i].Nanoseconds = min(ts[i].Nanoseconds, x.Nanoseconds)
		}
		least = ts
	}
	return writeProfile(w, least)
}

// writeProfile writes timings summed by kernel kind, then the slowest dispatches.
func writeProfile(w io.Writer, ts []compile.Timing) error {
	type sum struct {
		kind  string
		n     int
		ns, f float64
	}
	by := map[string]*sum{}
	total := 0.0
	for _, t := range ts {
		kind := "fill"
		if f := strings.Fields(t.Kernel); len(f) > 1 {
			kind = f[1]
			if kind == "winograd" && len(f) > 2 {
				kind += " " + f[2]
			}
		}
		if by[kind] == nil {
			by[kind] = &sum{kind: kind}
		}
		by[kind].n++
		by[kind].ns += t.Nanoseconds
		by[kind].f += t.Flops
		total += t.Nanoseconds
	}
	var sums []*sum
	for _, s := range by {
		sums = append(sums, s)
	}
	slices.SortFunc(sums, func(a, b *sum) int { return cmp.Compare(b.ns, a.ns) })
	fmt.Fprintf(w, "%-16s %6s %10s %7s %9s\n", "kernel", "count", "ms", "share", "GFLOP/s")
	for _, s := range sums {
		fmt.Fprintf(w, "%-16s %6d %10.2f %6.1f%% %9.1f\n", s.kind, s.n, s.ns/1e6, 100*s.ns/total, s.f/s.ns)
	}
	fmt.Fprintf(w, "%-16s %6d %10.2f\n\n", "total", len(ts), total/1e6)
	slices.SortFunc(ts, func(a, b compile.Timing) int { return cmp.Compare(b.Nanoseconds, a.Nanoseconds) })
	for _, t := range ts[:min(25, len(ts))] {
		k := t.Kernel
		if len(k) > 150 {
			k = k[:150]
		}
		fmt.Fprintf(w, "%8.2f ms  %s  %s\n", t.Nanoseconds/1e6, t.Name, k)
	}
	return nil
}
