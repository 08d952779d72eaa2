package sim

import (
	"time"
)

// dice draws chances that depend on the seed, the name of what is drawn, and the virtual time, and on nothing else: the same call at the same moment
// draws the same, in whichever order goroutines come. It is safe for concurrent use.
type dice struct {
	seed  uint64
	began time.Time
}

func newDice(seed uint64) *dice { return &dice{seed: mix(seed), began: time.Now()} }

// draw returns the chance under a name at this moment.
func (d *dice) draw(parts ...string) *chance {
	h := uint64(14695981039346656037) // FNV-1a
	for _, p := range parts {
		for _, b := range []byte(p) {
			h = (h ^ uint64(b)) * 1099511628211
		}
		h = (h ^ '|') * 1099511628211
	}
	now := uint64(time.Since(d.began)) //nolint:gosec // time does not go back in a bubble
	return &chance{state: mix(d.seed ^ mix(h) ^ mix(now*0x9e3779b97f4a7c15+1))}
}

// chance is a short sequence of random numbers (SplitMix64).
type chance struct{ state uint64 }

func (c *chance) next() uint64 {
	c.state += 0x9e3779b97f4a7c15
	return mix(c.state)
}

// is returns true with a probability.
func (c *chance) is(p float64) bool { return float64(c.next()>>11)/(1<<53) < p }

// n returns 0 to n-1.
func (c *chance) n(n int) int { return int(c.next() % uint64(n)) } //nolint:gosec // n is small and positive

// between returns a duration from a to b, to the nanosecond.
func (c *chance) between(a, b time.Duration) time.Duration {
	return a + time.Duration(c.next()%uint64(b-a+1)) //nolint:gosec // b is not before a
}

// extreme returns a duration from a to b, often b: what lies at a bound finds what a bound forgets.
func (c *chance) extreme(a, b time.Duration) time.Duration {
	if c.is(0.3) {
		return b
	}
	return c.between(a, b)
}

// mix is the finalizer of SplitMix64.
func mix(x uint64) uint64 {
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}
