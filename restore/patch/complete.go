package patch

import (
	"context"
	"math"
	"slices"

	"github.com/vfmrestore/restore/internal/team"
)

const (
	rounds     = 8 // of search and vote at the coarser levels
	fineRounds = 3 // at the finest level
	searches   = 4 // rounds of the search before each vote
	// distrust divides the weight of a patch for every step that its middle is farther inside the
	// hole.
	distrust = 1.3
)

// complete fills the hole on all levels, from the coarsest to the finest, levels[0].
func complete(ctx context.Context, t *team.Team, levels []*level, seed uint64) error {
	for n := len(levels) - 1; n >= 0; n-- {
		l := levels[n]
		m := &matcher{level: l, team: t, seed: seed ^ uint64(n)<<56, next: slices.Clone(l.match)}
		if n == len(levels)-1 {
			m.start()
		} else {
			m.startFrom(levels[n+1])
		}
		last := rounds
		if n == 0 {
			last = fineRounds
		}
		for r := range last {
			if r > 0 || n < len(levels)-1 {
				if err := m.vote(ctx, n == 0 && r == last-1); err != nil {
					return err
				}
			}
			if err := m.measure(ctx); err != nil {
				return err
			}
			for range searches {
				if err := m.search(ctx); err != nil {
					return err
				}
			}
		}
		if err := m.vote(ctx, n == 0); err != nil {
			return err
		}
		if n == 0 {
			return m.blend()
		}
	}
	return nil
}

// matcher finds the matches of one level's queries.
type matcher struct {
	*level
	team   *team.Team
	seed   uint64
	round  uint64    // rounds of the search so far
	next   []int32   // matches of the current round
	weight []float32 // of the queries' votes
}

const chunk = 256 // queries, or pixels to fill, of one job

// each calls f for ranges that cover 0 … n−1.
func (m *matcher) each(ctx context.Context, n int, f func(from, to int)) error {
	return m.team.Each(ctx, (n+chunk-1)/chunk, func(_, i int) { f(i*chunk, min((i+1)*chunk, n)) })
}

// random is a number that depends only on the seed, the round, a pixel and a counter (the finaliser
// of SplitMix64).
func (m *matcher) random(at int32, k uint64) uint64 {
	z := m.seed + 0x9e3779b97f4a7c15*(m.round<<40^uint64(at)<<8^k)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// start gives every query a random source as its match.
func (m *matcher) start() {
	for _, i := range m.queries {
		m.match[i] = m.sources[m.random(i, 0)%uint64(len(m.sources))]
	}
	m.round++
}

// startFrom gives every query the match that was found on the coarser level, at twice the distance.
func (m *matcher) startFrom(c *level) {
	for _, i := range m.queries {
		x, y := int(i)%m.w, int(i)/m.w
		at := min(max(y/2, half), c.h-half-1)*c.w + min(max(x/2, half), c.w-half-1)
		match := int(c.match[at])
		u, v := 2*(match%c.w-at%c.w)+x, 2*(match/c.w-at/c.w)+y
		if k := v*m.w + u; match > 0 && u >= half && v >= half && u < m.w-half && v < m.h-half && m.source[k] {
			m.match[i] = int32(k)
		} else {
			m.match[i] = m.sources[m.random(i, 1)%uint64(len(m.sources))]
		}
	}
	m.round++
}

// measure sets the distances of all queries to their matches.
func (m *matcher) measure(ctx context.Context) error {
	return m.each(ctx, len(m.queries), func(from, to int) {
		for _, i := range m.queries[from:to] {
			m.cost[i] = m.distance(i, m.match[i], math.MaxFloat32)
		}
	})
}

// distance is the sum of the squared differences of two patches. It stops, with a result larger
// than most, as soon as the sum is.
func (l *level) distance(a, b int32, most float32) (sum float32) {
	const row = side * channels
	p, q := (int(a)-half*l.w-half)*channels, (int(b)-half*l.w-half)*channels
	for range side {
		u, v := l.pix[p:p+row], l.pix[q:q+row]
		var s0, s1 float32
		for k := 0; k+1 < row; k += 2 {
			d, e := u[k]-v[k], u[k+1]-v[k+1]
			s0 += d * d
			s1 += e * e
		}
		d := u[row-1] - v[row-1]
		if sum += s0 + s1 + d*d; sum > most {
			break
		}
		p += l.w * channels
		q += l.w * channels
	}
	return sum
}

// search lets every query try the matches that its neighbours found in the round before, shifted by
// their distance, and random sources ever nearer to its best match.
func (m *matcher) search(ctx context.Context) error {
	err := m.each(ctx, len(m.queries), func(from, to int) {
		for _, i := range m.queries[from:to] {
			m.next[i] = m.seek(i)
		}
	})
	for _, i := range m.queries {
		m.match[i] = m.next[i]
	}
	m.round++
	return err
}

// jumps are the distances of these neighbours, by round.
var jumps = [...]int{1, 4, 1, 2}

// seek returns a query's best match of this round, and sets its distance.
func (m *matcher) seek(i int32) int32 {
	best, cost := m.match[i], m.cost[i]
	try := func(x, y int) {
		if x < half || y < half || x >= m.w-half || y >= m.h-half {
			return
		}
		k := int32(y*m.w + x)
		if k == best || !m.source[k] {
			return
		}
		if c := m.distance(i, k, cost); c < cost {
			best, cost = k, c
		}
	}
	x, y := int(i)%m.w, int(i)/m.w
	jump := jumps[m.round%uint64(len(jumps))]
	for _, d := range [4][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
		u, v := x+d[0]*jump, y+d[1]*jump
		if u < half || v < half || u >= m.w-half || v >= m.h-half {
			continue
		}
		if k := m.match[v*m.w+u]; k > 0 { // a query
			try(int(k)%m.w-d[0]*jump, int(k)/m.w-d[1]*jump)
		}
	}
	bx, by := int(best)%m.w, int(best)/m.w
	n := uint64(2)
	for r := max(m.w, m.h); r >= 1; r /= 2 {
		z := m.random(i, n)
		n++
		span := uint64(2*r + 1)
		try(bx+int(z%span)-r, by+int(z>>32%span)-r)
	}
	m.cost[i] = cost
	return best
}

// vote sets every pixel to fill to the weighted mean of what the patches that cover it propose.
// With best, only the patch with the largest weight counts.
func (m *matcher) vote(ctx context.Context, best bool) error {
	var targets []int32
	for i, t := range m.target {
		if t {
			targets = append(targets, int32(i))
		}
	}
	m.setWeights()
	out := make([]float32, len(targets)*channels)
	err := m.each(ctx, len(targets), func(from, to int) {
		for n := from; n < to; n++ {
			m.votes(int(targets[n]), best, out[n*channels:][:channels])
		}
	})
	for n, i := range targets {
		copy(m.pix[int(i)*channels:][:channels], out[n*channels:])
	}
	return err
}

// setWeights sets the weights of the queries' votes.
func (m *matcher) setWeights() {
	costs := make([]float32, 0, len(m.queries))
	for _, i := range m.queries {
		costs = append(costs, m.cost[i])
	}
	slices.Sort(costs)
	spread := max(float64(costs[len(costs)*3/4]), 1e-6)
	if m.weight == nil {
		m.weight = make([]float32, m.w*m.h)
	}
	for _, i := range m.queries {
		m.weight[i] = float32(math.Exp(-float64(m.cost[i])/(2*spread)) * math.Pow(distrust, -float64(m.depth[i])))
	}
}

// votes writes the weighted mean of what the patches that cover pixel i propose to dst. It returns
// false if no query covers it.
func (m *matcher) votes(i int, best bool, dst []float32) bool {
	x, y := i%m.w, i/m.w
	var sum [channels]float32
	var total, most float32
	for v := max(y-half, half); v <= min(y+half, m.h-half-1); v++ {
		for u := max(x-half, half); u <= min(x+half, m.w-half-1); u++ {
			k := v*m.w + u
			w := m.weight[k]
			if m.match[k] == 0 || best && w <= most {
				continue
			}
			if best {
				most, total, sum = w, 0, [channels]float32{}
			}
			total += w
			for c, p := range m.pix[(int(m.match[k])+i-k)*channels:][:channels] {
				sum[c] += w * p
			}
		}
	}
	if total == 0 {
		return false
	}
	for c := range sum {
		dst[c] = sum[c] / total
	}
	return true
}
