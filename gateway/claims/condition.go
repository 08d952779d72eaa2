package claims

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// Inspect reads how Redis is set up and returns what does not suit einmal, as warnings with what to do. known is false when Redis does not tell (a hosted one without CONFIG and with a short
// INFO, or the embedded one): then nothing can be said either way.
//
// They are warnings and never a reason not to start. Redis holds advice: one that evicts, or forgets with every restart, makes gateways do work twice that the ledger then finds done, and
// loses the second witness of the ledger's length and the views for operators. A gateway that refused would turn a
// slower Redis into one that stands still, and "Redis may be lost at any time" would not be true of its settings. Errors (kind Retry) say that Redis did not answer.
func (c *Claims) Inspect(ctx context.Context) (warnings fault.Findings, known bool, err error) {
	if err := c.Ping(ctx); err != nil {
		return nil, false, err
	}
	s := settings{}
	// An answer that says no is one, too: commands may be forbidden or not there.
	if info, err := c.db.Info(ctx).Result(); err == nil {
		s.info(info)
	}
	for _, name := range []string{"maxmemory-policy", "maxmemory", "appendonly", "save"} {
		if values, err := c.db.ConfigGet(ctx, name).Result(); err == nil {
			s.config(values)
		}
	}
	return s.judge(), s["maxmemory_policy"] != "" || s["aof_enabled"] != "", ctx.Err()
}

// settings are what Redis says of itself, by the names of INFO; "save" is that of CONFIG.
type settings map[string]string

func (s settings) info(text string) {
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			s[name] = value
		}
	}
}

func (s settings) config(values map[string]string) {
	for name, value := range values {
		switch name {
		case "appendonly":
			s["aof_enabled"] = map[string]string{"yes": "1", "no": "0"}[value]
		case "save":
			s["save"] = "[" + value + "]" // an empty value is an answer
		default:
			s[strings.ReplaceAll(name, "-", "_")] = value
		}
	}
}

func (s settings) judge() (w fault.Findings) {
	limit, _ := strconv.ParseInt(s["maxmemory"], 10, 64)
	if p := s["maxmemory_policy"]; p != "" && p != "noeviction" {
		text := "Redis evicts keys when its memory is full (" + p + ")"
		if limit == 0 {
			text += "; it has no limit at present"
		}
		w.Add("redis.maxmemory-policy", "evicting", text, "set maxmemory-policy to noeviction; a shared Redis that must evict costs work and the second witness of the ledger, not the promise")
	}
	switch {
	case s["aof_enabled"] == "1" && s["aof_last_write_status"] == "err":
		w.Add("redis.appendonly", "not-persistent", "Redis cannot write its append-only file", "see its log, and make room on its disk")
	case s["aof_enabled"] == "1":
	case s["save"] == "[]":
		w.Add("redis.appendonly", "not-persistent", "Redis keeps nothing on disk: neither an append-only file nor snapshots", "set appendonly yes")
	case s["aof_enabled"] == "0":
		w.Add("redis.appendonly", "snapshots-only", "Redis has no append-only file: after a crash it is as old as its last snapshot, if it takes any", "set appendonly yes")
	}
	if s["role"] == "slave" {
		w.Add("redis.address", "replica", "this Redis is a replica: it takes no writes, so it saves no work", "name the primary")
	}
	if s["loading"] == "1" {
		w.Add("redis.address", "loading", "Redis is still loading its data", "nothing; until then gateways go on from the ledger")
	}
	return w
}

// Recorded is something that the ledger knows and the views show.
type Recorded struct {
	Key   string // "done:..." or "case:..."; see [DoneKey] and [CaseKey]
	Value string
	Age   int64 // milliseconds since it was recorded
}

// DoneKey is the key under which the views show the number of the native record that a reference stands for.
func DoneKey(ref string) string { return "done:" + ref }

// CaseKey is the key under which the views show what a case is at a destination.
func CaseKey(id, to string) string { return "case:" + id + ":" + to }

// Fill writes into the views what the ledger knows, in one round trip; what is older than they keep is left out. Errors are of kind Retry.
func (c *Claims) Fill(ctx context.Context, all []Recorded) error {
	prefix := c.prefix.Load()
	if prefix == nil || len(all) == 0 {
		return nil
	}
	pipe := c.db.Pipeline()
	for _, r := range all {
		if left := c.keep.Milliseconds() - r.Age; left > 0 {
			pipe.Do(ctx, "SET", *prefix+r.Key, r.Value, "PX", left)
		}
	}
	_, err := pipe.Exec(ctx)
	return c.told("fill", err)
}

// Filled reports whether the views hold what the ledger knows, as far as Redis itself can say: it was filled once and not emptied since. Errors are of kind Retry.
func (c *Claims) Filled(ctx context.Context) (bool, error) {
	n, err := c.db.Exists(ctx, c.key("views")).Result()
	return n == 1, c.told("filled", err)
}

// SetFilled says so.
func (c *Claims) SetFilled(ctx context.Context) error {
	return c.told("set-filled", c.db.Set(ctx, c.key("views"), "filled", 0).Err())
}

// SetUnfilled takes it back.
func (c *Claims) SetUnfilled(ctx context.Context) error {
	return c.told("set-unfilled", c.db.Del(ctx, c.key("views")).Err())
}

// Beat counts, for all gateways of the installation together and for ever, and returns the new count. Whoever sees one that is not greater than an earlier one knows that Redis was emptied or set
// back in between. Errors are of kind Retry.
func (c *Claims) Beat(ctx context.Context) (int64, error) {
	n, err := c.db.Incr(ctx, c.key("beat")).Result()
	return n, c.told("beat", err)
}

// Remember keeps a mark of the ledger (see gateway/witness) under a name, for ever.
func (c *Claims) Remember(ctx context.Context, name string, mark []byte) error {
	return c.told("remember", c.db.Set(ctx, "einmal:mark:"+name, mark, 0).Err())
}

// Remembered returns a mark, or nil. Errors are of kind Retry.
func (c *Claims) Remembered(ctx context.Context, name string) ([]byte, error) {
	b, err := c.db.Get(ctx, "einmal:mark:"+name).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return b, c.told("remembered", err)
}

func (c *Claims) key(name string) string {
	if p := c.prefix.Load(); p != nil {
		return *p + name
	}
	return "einmal:nobody:" + name
}

// told counts a failed command.
func (c *Claims) told(op string, err error) error {
	if err != nil {
		c.failed(op)
	}
	return fault.Wrap(fault.Retry, "claims."+op, err)
}
