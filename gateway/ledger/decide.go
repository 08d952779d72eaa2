package ledger

import (
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/native"
)

// Ref is what the ledger knows of one reference.
type Ref struct {
	Attempt  int    // the last attempt that somebody announced; 0: none
	Nonce    string // who may send it: the writer of the first INTENT of that attempt
	IntentAt time.Time
	Doubts   int             // attempts whose outcome the native system did not tell
	Native   native.RecordID // when it is done: the native system's own id of the record
	// Lost is when the ledger was set back, if an attempt may have been made that it does not know of any more; zero otherwise. See [View.Doubt].
	Lost time.Time
	era  int   // how often the ledger had been set back when the attempt was announced, or when somebody made sure of what had come before
	done int64 // Unix milliseconds of the DONE
	Void bool  // that attempt provably left nothing
	Done bool
	// Asked says that a person decides about the message here at present: nobody sends meanwhile.
	Asked bool
	// Withdrawn says that a person dropped the message here: nothing is sent any more, whoever reads it again.
	Withdrawn bool
	// Ruled says that a person who was asked about the last attempt has said "send once more": the doubt about it is settled.
	Ruled bool
	// Repeated says that a person has had it sent once more although an earlier attempt may have been recorded, or was: what is sent from then on says that it may be there already.
	Repeated bool
}

// Settled reports whether nothing is to be done any more.
func (r Ref) Settled() bool { return r.Done || r.Withdrawn }

// past reports whether a question is too late: nothing is to be done any more, or it is about the outcome of an attempt that is not the last one. What becomes of the last one decides.
func (r Ref) past(p Parking) bool { return r.Settled() || p.Attempt > 0 && p.Attempt < r.Attempt }

// Step is what to do next with one reference.
type Step string

// The steps. The model and the simulation use the same names.
const (
	StepFinish Step = "finish" // it is recorded, or a person has dropped it
	StepIntend Step = "intend" // append INTENT of the next attempt
	StepSend   Step = "send"   // this worker's INTENT is the first one: send, once
	StepVoid   Step = "void"   // this worker's INTENT is too old to send: take it back
	StepWait   Step = "wait"   // somebody else may be sending, or a request may still be executed
	StepLookup Step = "lookup" // everything that could still happen has happened: search by reference, or for what the system has said about it
	StepPark   Step = "park"   // nobody can know: ask a person
	StepAsked  Step = "asked"  // a person is asked already
)

// How many attempts may end in doubt, the present one not counted, before a person is asked: many, because an outage in which every answer is lost
// is no question for a person. In mode A another attempt costs nothing; in
// mode B each one has waited until everything that could still happen had happened.
const (
	maxDoubtsA = 200
	maxDoubtsB = 20
)

// Own is what a worker remembers of its own INTENT; it is gone with the process.
type Own struct {
	Attempt int
	Nonce   string
	Sent    bool
	At      time.Time // monotonic time of the append
}

// Decide returns the next step, and for [StepWait] how long. It is a pure function: the same state, mode and time give the same step.
func Decide(r Ref, own Own, mode adapters.Mode, b adapters.Bounds, now time.Time) (Step, time.Duration) {
	switch {
	case r.Settled():
		return StepFinish, 0
	case r.Asked:
		return StepAsked, 0
	case !r.Lost.IsZero():
		if r.Lost.After(r.IntentAt) {
			r.IntentAt = r.Lost
		}
		return decideDoubt(r, Own{}, mode, b, now)
	case r.Attempt == 0 || r.Void || r.Ruled:
		return StepIntend, 0
	case r.Attempt == own.Attempt && r.Nonce == own.Nonce && !own.Sent:
		if now.Sub(own.At) > b.Send {
			return StepVoid, 0
		}
		return StepSend, 0
	default:
		return decideDoubt(r, own, mode, b, now)
	}
}

// decideDoubt handles an attempt whose outcome is open: another worker's, or an own one whose answer was lost.
func decideDoubt(r Ref, own Own, mode adapters.Mode, b adapters.Bounds, now time.Time) (Step, time.Duration) {
	age := now.Sub(r.IntentAt)
	switch mode {
	case adapters.ModeA:
		ours := r.Attempt == own.Attempt && r.Nonce == own.Nonce
		if wait := open(b) - age; wait > 0 && (!ours || b.Asynchronous()) {
			return StepWait, wait // not for safety: another worker, or the system itself, is probably about to answer
		}
		return orPark(r, maxDoubtsA), 0
	case adapters.ModeB:
		if wait := b.Settle() - age; wait > 0 {
			return StepWait, wait
		}
		return StepLookup, 0
	default:
		if wait := open(b) - age; wait > 0 {
			return StepWait, wait
		}
		if b.Asynchronous() {
			return StepLookup, 0 // what it has said may have come while nobody looked
		}
		return StepPark, 0
	}
}

// open is how long an attempt may still get its answer.
func open(b adapters.Bounds) time.Duration { return b.Send + b.Request + b.Answer + b.Margin }

// AfterEmptyLookup returns the step after a search, made when Decide said [StepLookup], has found nothing. In mode C that proves nothing: the system
// has not said what became of the entry.
func AfterEmptyLookup(r Ref, mode adapters.Mode) Step {
	if mode == adapters.ModeC {
		return StepPark
	}
	return orPark(r, maxDoubtsB)
}

func orPark(r Ref, most int) Step {
	if r.Doubts >= most {
		return StepPark
	}
	return StepIntend
}
