package sim

import (
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// checkParkings: a person was asked only about what a machine cannot know.
func (w *world) checkParkings() {
	for _, p := range w.book.parkings {
		i, known := w.book.item(p.mark)
		if !known {
			w.book.find("something unknown is parked at %s: %s", p.at, p.code)
			continue
		}
		if !w.mayPark(i, p) {
			w.book.find("%s is parked at %s without need: %s (%s)", p.mark, p.at, p.code, p.text)
		}
	}
}

func (w *world) mayPark(i item, p parking) bool {
	dropped := w.book.dropped(i.dialogue)
	switch p.code {
	case "held":
		return p.held
	case "unknown-code":
		return w.plan.unknowns > 0
	case "person-unknown":
		return w.plan.refusals > 0
	case "outcome-unknown":
		return w.mayBeUnknown(p)
	case "native-case-unknown", "case-unknown", "earlier-entry", "nothing-to-recall":
		return dropped
	case string(handover.RefusedState), string(handover.RefusedSender), string(handover.RefusedApproval), string(handover.RefusedReference), string(handover.RefusedSuperseded):
		return dropped || w.book.isOdd(i.dialogue) || w.plan.reorders > 0
	case "out-of-order":
		return w.plan.reorders > 0
	default:
		return false
	}
}

// doubtsInB is how many attempts end in doubt, in a system that can be searched, before a person is asked.
const doubtsInB = 20

// mayBeUnknown reports whether a machine may be at a loss about an attempt: never where an attempt may be repeated; where it can be found out, only after many; otherwise only if something went wrong with a
// request, or a gateway ended, or lost its partition, in the middle of an attempt.
func (w *world) mayBeUnknown(p parking) bool {
	s := w.system(p.at.system)
	switch {
	case s == nil || s.mode == adapters.ModeA:
		return false
	case s.mode == adapters.ModeB:
		return p.attempt > doubtsInB
	default:
		return w.plan.trouble > 0 || p.moved < time.Minute+s.later || s.doubtful(p.mark, p.at.org)
	}
}
