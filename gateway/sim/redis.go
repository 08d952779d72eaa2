package sim

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// redis is what the gateways share and nobody may rely on: it is wiped, set back to an older state, and away.
type redis struct {
	mu    sync.Mutex
	state redisState
	old   redisState
	away  bool
}

type redisState struct {
	claims map[string]lease
	seen   map[handover.MessageID]string
	done   map[native.Reference]bool
}

type lease struct {
	owner string
	until time.Time
}

func newRedis() *redis { return &redis{state: emptyRedis(), old: emptyRedis()} }

func emptyRedis() redisState {
	return redisState{claims: map[string]lease{}, seen: map[handover.MessageID]string{}, done: map[native.Reference]bool{}}
}

func (s redisState) clone() redisState {
	return redisState{claims: maps.Clone(s.claims), seen: maps.Clone(s.seen), done: maps.Clone(s.done)}
}

// with works on the state, unless Redis is away.
func (r *redis) with(f func(*redisState)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away {
		return false
	}
	f(&r.state)
	return true
}

func (r *redis) wipe() { r.with(func(s *redisState) { *s = emptyRedis() }) }

func (r *redis) snapshot() { r.with(func(s *redisState) { r.old = s.clone() }) }

func (r *redis) restore() { r.with(func(s *redisState) { *s = r.old.clone() }) }

func (r *redis) setAway(away bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = away
}

// claims shows Redis to one process, as gateway/claims does: every failure is the answer "I do not know".
type claims struct {
	p *process
}

// Claim returns false only when another process certainly holds the claim.
func (c claims) Claim(ctx context.Context, what string, d time.Duration) bool {
	if c.p.step(ctx, "claim", what) != nil {
		return true
	}
	ours := true
	c.p.w.redis.with(func(s *redisState) {
		if l := s.claims[what]; l.owner != c.p.name && time.Now().Before(l.until) {
			ours = false
			return
		}
		s.claims[what] = lease{c.p.name, time.Now().Add(d)}
	})
	if c.p.w.hooks.claimed != nil {
		c.p.w.hooks.claimed(c.p, what, ours)
	}
	return ours
}

// Release gives a claim back.
func (c claims) Release(ctx context.Context, what string) {
	if c.p.step(ctx, "release", what) != nil {
		return
	}
	c.p.w.redis.with(func(s *redisState) {
		if s.claims[what].owner == c.p.name {
			delete(s.claims, what)
		}
	})
}

// SetDone remembers what is done.
func (c claims) SetDone(ctx context.Context, _ handover.CaseID, _ string, ref native.Reference, _ native.Receipt) {
	if c.p.step(ctx, "set-done", string(ref)) == nil {
		c.p.w.redis.with(func(s *redisState) { s.done[ref] = true })
	}
}

// Seen reports what is on the bus.
func (c claims) Seen(ctx context.Context, id handover.MessageID, print string) bool {
	if c.p.step(ctx, "seen", string(id)) != nil {
		return false
	}
	seen := false
	c.p.w.redis.with(func(s *redisState) { seen = s.seen[id] == print })
	if c.p.w.hooks.seen != nil {
		c.p.w.hooks.seen(c.p, id, print)
	}
	return seen
}

// SetSeen remembers what is on the bus.
func (c claims) SetSeen(ctx context.Context, id handover.MessageID, print string) {
	if c.p.step(ctx, "set-seen", string(id)) == nil {
		c.p.w.redis.with(func(s *redisState) { s.seen[id] = print })
	}
}
