package sim

import (
	"context"
	"fmt"
	"sync"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// amending changes entries on their way.
func amending(change func(*native.Entry)) func(*world) hooks {
	return sinking(func(_ *process, apply applier) applier {
		return func(ctx context.Context, e native.Entry) (native.Receipt, error) {
			change(&e)
			return apply(ctx, e)
		}
	})
}

func mutantsOfTheEdges() []mutant {
	return []mutant{
		{name: "a recall as a new entry", breaks: confused, what: "the entry does not say that it takes something back", plant: amending(func(e *native.Entry) {
			if e.Action == handover.ActionRecall {
				e.Action, e.Refers = "", ""
			}
		})},
		{name: "a correction as a new entry", breaks: confused, what: "the entry does not say that it replaces something", plant: amending(func(e *native.Entry) {
			if e.Action == handover.ActionCorrection {
				e.Action, e.Refers = "", ""
			}
		})},
		{name: "retry inside the sink", breaks: doubled, what: "an adapter repeats a request that was not answered", mode: adapters.ModeB, plant: sinking(func(_ *process, apply applier) applier {
			return func(ctx context.Context, e native.Entry) (native.Receipt, error) {
				r, err := apply(ctx, e)
				if fault.KindOf(err) == fault.Doubt {
					return apply(ctx, e)
				}
				return r, err
			}
		})},
		{name: "done before the effect", breaks: untrue, what: "the entry counts as recorded when the request is handed over", plant: sinking(func(p *process, apply applier) applier {
			return func(ctx context.Context, e native.Entry) (native.Receipt, error) {
				p.w.background.Go(func() { _, _ = apply(context.WithoutCancel(ctx), e) })
				return native.Receipt{Record: "later", Case: e.Case}, nil
			}
		})},
		{name: "VOID on doubt", breaks: doubled, what: "a request without answer counts as not executed", mode: adapters.ModeB, plant: sinking(func(_ *process, apply applier) applier {
			return func(ctx context.Context, e native.Entry) (native.Receipt, error) {
				r, err := apply(ctx, e)
				if fault.KindOf(err) == fault.Doubt {
					err = fault.Wrap(fault.Retry, "mutant", err)
				}
				return r, err
			}
		})},
		{name: "refused counts as done", breaks: lost, what: "a refusal is taken for an answer like others", plant: sinking(func(_ *process, apply applier) applier {
			return func(ctx context.Context, e native.Entry) (native.Receipt, error) {
				r, err := apply(ctx, e)
				if fault.KindOf(err) == fault.Refuse {
					return native.Receipt{Record: "refused"}, nil
				}
				return r, err
			}
		})},
		{name: "what nobody understands is success", breaks: untrue, what: "status 200 with an error in the body", plant: sinking(func(_ *process, apply applier) applier {
			return func(ctx context.Context, e native.Entry) (native.Receipt, error) {
				r, err := apply(ctx, e)
				if err != nil && fault.KindOf(err) == fault.Unclassified {
					return native.Receipt{Record: "understood"}, nil
				}
				return r, err
			}
		})},
		{name: "failed search means not there", breaks: doubled, what: "a search that fails counts as empty", mode: adapters.ModeB, plant: func(*world) hooks {
			return hooks{finder: func(f adapters.Finder) adapters.Finder {
				return finder(func(ctx context.Context, ref native.Reference) ([]native.Receipt, error) {
					found, _ := f.Find(ctx, ref)
					return found, nil
				})
			}}
		}},
		{name: "no echo check", breaks: doubled, what: "some of what einmal wrote comes back as news", plant: func(w *world) hooks {
			return hooks{source: func(s adapters.Source) adapters.Source {
				return source(func(ctx context.Context, p native.Position, n int) (adapters.Batch, error) {
					b, err := s.Read(ctx, p, n)
					for i := range b.Records {
						if w.dice.draw("echo", string(b.Records[i].ID)).is(0.2) { // all of it would never end
							b.Records[i].Reference = ""
						}
					}
					return b, err
				})
			}}
		}},
		{name: "position before the bus", breaks: lost, what: "a record is skipped before the bus has confirmed it", plant: func(*world) hooks {
			return hooks{source: func(s adapters.Source) adapters.Source {
				var mu sync.Mutex
				var ahead native.Position
				return source(func(ctx context.Context, p native.Position, n int) (adapters.Batch, error) {
					mu.Lock()
					defer mu.Unlock()
					if ahead != "" {
						p = ahead
					}
					b, err := s.Read(ctx, p, n)
					if err == nil {
						ahead = b.Next
					}
					return b, err
				})
			}}
		}},
		{name: "seen before published", breaks: lost, what: "Redis remembers a message that is not on the bus yet", plant: func(w *world) hooks {
			return hooks{seen: func(_ *process, id handover.MessageID, print string) {
				w.redis.with(func(s *redisState) { s.seen[id] = print })
			}}
		}},
		{name: "message id of the gateway", breaks: asked, what: "two gateways give the same record two ids", plant: derived("message", func(_ *world, p *process) string { return p.name })},
		{name: "reference of the gateway", breaks: doubled, what: "another gateway uses another reference for the same entry", plant: derived("reference", func(_ *world, p *process) string { return p.name })},
		{name: "reference of the attempt", breaks: doubled, what: "every try has a reference of its own", plant: derived("reference", func(w *world, p *process) string {
			return fmt.Sprint(w.dice.draw("reference", p.name).next())
		})},
	}
}
