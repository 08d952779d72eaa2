package sim

import (
	"sync"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/delivery"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

func mutantsOfDecide() []mutant {
	return []mutant{
		{name: "no first-wins", breaks: doubled, what: "whoever has appended an INTENT sends", mode: adapters.ModeB, tune: crowded, plant: deciding(func(*world, *process) decision {
			return func(r ledger.Ref, own ledger.Own, m adapters.Mode, b adapters.Bounds, now time.Time) (ledger.Step, time.Duration) {
				if r.Attempt == own.Attempt && !own.Sent {
					r.Nonce = own.Nonce
				}
				return ledger.Decide(r, own, m, b, now)
			}
		})},
		{name: "no wait in B", breaks: doubled, what: "a search right after a doubt counts", mode: adapters.ModeB, plant: deciding(func(*world, *process) decision {
			return func(r ledger.Ref, own ledger.Own, m adapters.Mode, b adapters.Bounds, now time.Time) (ledger.Step, time.Duration) {
				step, wait := ledger.Decide(r, own, m, b, now)
				if m == adapters.ModeB && step == ledger.StepWait {
					return ledger.StepLookup, 0
				}
				return step, wait
			}
		})},
		{name: "late execution not covered", breaks: doubled, what: "the wait leaves out how late a system executes", mode: adapters.ModeB, plant: bounded(func(b *adapters.Bounds) { b.Processing = 0 })},
		{name: "lookup lag not covered", breaks: doubled, what: "the wait leaves out how late a search finds", mode: adapters.ModeB, plant: bounded(func(b *adapters.Bounds) {
			b.Lookup, b.Margin = 0, 0
		})},
		{name: "resend in C", breaks: doubled, what: "mode C is treated as mode A", mode: adapters.ModeC, plant: deciding(func(*world, *process) decision {
			return func(r ledger.Ref, own ledger.Own, _ adapters.Mode, b adapters.Bounds, now time.Time) (ledger.Step, time.Duration) {
				return ledger.Decide(r, own, adapters.ModeA, b, now)
			}
		})},
		{name: "no deadline for sending", breaks: doubled, what: "an INTENT is sent however old it is", mode: adapters.ModeB, tune: halted, plant: deciding(func(*world, *process) decision {
			return func(r ledger.Ref, own ledger.Own, m adapters.Mode, b adapters.Bounds, now time.Time) (ledger.Step, time.Duration) {
				if step, wait := ledger.Decide(r, own, m, b, now); step != ledger.StepVoid {
					return step, wait
				}
				return ledger.StepSend, 0
			}
		})},
		{name: "Redis decides", breaks: doubled, what: "a claim in Redis is enough to send, the ledger is not asked", mode: adapters.ModeB, plant: deciding(func(*world, *process) decision {
			return func(r ledger.Ref, own ledger.Own, _ adapters.Mode, _ adapters.Bounds, _ time.Time) (ledger.Step, time.Duration) {
				switch {
				case r.Settled():
					return ledger.StepFinish, 0
				case r.Attempt > 0 && r.Attempt == own.Attempt && !own.Sent:
					return ledger.StepSend, 0
				}
				return ledger.StepIntend, 0
			}
		})},
		{name: "a person is asked at the first doubt", breaks: asked, what: "what a search would have told is put before a person", mode: adapters.ModeB, plant: deciding(func(*world, *process) decision {
			return func(r ledger.Ref, own ledger.Own, m adapters.Mode, b adapters.Bounds, now time.Time) (ledger.Step, time.Duration) {
				step, wait := ledger.Decide(r, own, m, b, now)
				if step == ledger.StepLookup {
					return ledger.StepPark, 0
				}
				return step, wait
			}
		})},
		{name: "a person is asked in place of sending", breaks: asked, what: "in mode C a person is asked although nothing was sent", mode: adapters.ModeC,
			tune: func(p *plan) { p.trouble = 0 }, plant: deciding(func(*world, *process) decision {
				return func(r ledger.Ref, own ledger.Own, m adapters.Mode, b adapters.Bounds, now time.Time) (ledger.Step, time.Duration) {
					step, wait := ledger.Decide(r, own, m, b, now)
					if step == ledger.StepSend {
						return ledger.StepPark, 0
					}
					return step, wait
				}
			})},
		{name: "claimed means done", breaks: lost, what: "a message that another gateway works on is skipped", plant: claimedMeansDone},
		{name: "Redis says done", breaks: lost, what: "done is written into Redis with the claim, and believed", plant: redisSaysDone},
		{name: "nonce reused", breaks: doubled, what: "all contenders sign their INTENT with the same nonce", mode: adapters.ModeB, plant: func(*world) hooks {
			return hooks{rules: func(_ *process, r delivery.Protocol) delivery.Protocol {
				r.Nonce = func() string { return "one for all" }
				return r
			}}
		}},
	}
}

func claimedMeansDone(w *world) hooks {
	names, skip := &refs{of: map[string]string{}}, sync.Map{}
	return hooks{
		key:     names.key,
		claimed: func(p *process, what string, ours bool) { skip.Store(p.name+what, !ours) },
		rules: func(p *process, rules delivery.Protocol) delivery.Protocol {
			rules.Decide = func(r ledger.Ref, own ledger.Own, m adapters.Mode, b adapters.Bounds, now time.Time) (ledger.Step, time.Duration) {
				if foreign, _ := skip.Load(p.name + names.ref(r.Nonce)); foreign == true {
					return ledger.StepFinish, 0
				}
				return ledger.Decide(r, own, m, b, now)
			}
			return rules
		},
	}
}

func redisSaysDone(w *world) hooks {
	names := &refs{of: map[string]string{}}
	return hooks{
		key: names.key,
		claimed: func(_ *process, what string, ours bool) {
			if ours {
				w.redis.with(func(s *redisState) { s.done[native.Reference(what)] = true })
			}
		},
		rules: func(_ *process, rules delivery.Protocol) delivery.Protocol {
			rules.Decide = func(r ledger.Ref, own ledger.Own, m adapters.Mode, b adapters.Bounds, now time.Time) (ledger.Step, time.Duration) {
				done := false
				w.redis.with(func(s *redisState) { done = s.done[native.Reference(names.ref(r.Nonce))] })
				if done && r.Nonce != own.Nonce {
					return ledger.StepFinish, 0
				}
				return ledger.Decide(r, own, m, b, now)
			}
			return rules
		},
	}
}
