package shelf_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/shelf"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/einmal-hub/einmal/gateway/shelf_test.askForEver"))
}

var begin = time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)

const partitions = 2

// entry is a record of the ledger as a gateway reads it.
type entry struct {
	partition int32
	offset    int64
	at        time.Time
	value     []byte
}

// lives are two gateways on one ledger: one has read everything from the beginning, the other one is killed again and again and has a shelf.
type lives struct {
	t     *rapid.T
	path  string
	log   []entry
	ends  [partitions]int64
	whole *ledger.View
	wakes []ledger.Lane

	shelf   *shelf.Shelf
	shelved *ledger.View
	woken   []ledger.Lane
}

var name = shelf.Name{Build: "b", Cluster: "k", Topic: "t"}

// begin starts the one with the shelf: it reads what it has not put there, in the order in which it came.
func (l *lives) begin() {
	var err error
	l.shelf, err = shelf.Open(l.path, name)
	require.NoError(l.t, err)
	l.shelf.Unsynced()
	l.shelved = ledger.NewView(partitions, func(_ int32, at ledger.Lane) { l.woken = append(l.woken, at) })
	require.NoError(l.t, l.shelved.Resume(l.shelf, func(err error) { panic(err) }))
	var from [partitions]int64
	for p := range from {
		from[p] = l.shelved.Next(int32(p))
	}
	for _, e := range l.log {
		if e.offset >= from[e.partition] {
			l.shelved.Apply(e.partition, e.offset, e.at, e.value)
		}
	}
}

func (l *lives) append(partition int32, value []byte) {
	l.wakes, l.woken = nil, nil
	e := entry{partition, l.ends[partition], begin.Add(time.Duration(len(l.log)) * time.Minute), value}
	l.ends[partition]++
	l.log = append(l.log, e)
	l.whole.Apply(e.partition, e.offset, e.at, e.value)
	l.shelved.Apply(e.partition, e.offset, e.at, e.value)
	require.Equal(l.t, l.wakes, l.woken, "the same lanes are woken")
}

func (l *lives) draw(what string, below int) int {
	return rapid.IntRange(0, below-1).Draw(l.t, what)
}

var places = []ledger.Destination{{}, {System: "avam", Organisation: "rav"}, {System: "casenet"}}

// record is any record, likely or not, that a gateway, another one or one with an error might write.
func (l *lives) record() (partition int32, value []byte) {
	kinds := []ledger.Kind{
		ledger.Admit, ledger.Admit, ledger.Admit, ledger.Intent, ledger.Intent, ledger.Void, ledger.Done, ledger.Done, ledger.Park, ledger.Park, ledger.Ruling, ledger.Ruling, ledger.Bind, ledger.Differs,
		ledger.Cursor, ledger.SetBack, ledger.Install, ledger.Keyring, ledger.Layout, "LATER", "", "{",
	}
	number, n := l.draw("case", 5), l.draw("message", 6)
	m, to := handover.MessageID(fmt.Sprint("m", n)), rapid.SampledFrom(places).Draw(l.t, "to")
	r := ledger.Record{
		V: 1, Kind: rapid.SampledFrom(kinds).Draw(l.t, "kind"), Case: ids[number], Message: m, To: to, Ref: native.Reference(fmt.Sprintf("r%d-%s", n, to.System)), Nonce: fmt.Sprint("n", len(l.log)),
		Native: native.RecordID(fmt.Sprint("N-", l.draw("native", 3))), NativeCase: native.CaseKey(fmt.Sprint("K-", l.draw("native case", 3))),
	}
	if l.draw("own message", 4) > 0 { // mostly a message is of one case, as it should be
		r.Case, number = ids[n%4], n%4
	}
	switch r.Kind {
	case "":
		return int32(number % partitions), []byte(fmt.Sprintf(`{"v":2,"case":%q}`, r.Case))
	case "{":
		return int32(number % partitions), []byte("{")
	}
	l.fill(&r)
	value, err := json.Marshal(r)
	require.NoError(l.t, err)
	return int32(number % partitions), value
}

// fill makes a record fit to what has come before it, mostly.
func (l *lives) fill(r *ledger.Record) {
	at := begin.Add(time.Duration(len(l.log)) * time.Minute)
	ref, _ := l.whole.Ref(r.Ref)
	switch r.Kind {
	case ledger.Admit:
		r.Admission = &ledger.Admission{
			Number: l.whole.Case(r.Case).Number + 1 - uint64(l.draw("late", 8)/7), State: rapid.SampledFrom([]handover.State{handover.Active, handover.Closed}).Draw(l.t, "state"),
			To: places[1 : 1+l.draw("places", 3)], Origin: places[1], Sequence: uint64(l.draw("sequence", 4)), Name: "cost-approval-requested", Place: ledger.Place{Topic: ledger.OnBus, Offset: int64(len(l.log))},
		}
		a := r.Admission
		if l.draw("said", 3) > 0 {
			a.Said = &handover.Said{ID: r.Message, Name: a.Name, Sender: "rav", Approval: fmt.Sprint("a", l.draw("approval", 2)), To: a.State}
			a.Approval = handover.ApprovalRequested
		}
		if l.draw("expects", 2) == 0 {
			a.Expects = &ledger.Expected{By: handover.Date(fmt.Sprintf("2026-11-0%d", 1+l.draw("day", 9)))}
		}
	case ledger.Intent, ledger.Void:
		r.Attempt, r.Era = ref.Attempt, l.whole.Era()
		if r.Kind == ledger.Intent {
			r.Attempt++
		} else {
			r.Nonce, r.Searched = ref.Nonce, l.draw("searched", 2) == 0
		}
	case ledger.Park:
		r.Parking = &ledger.Parking{
			At: at, Held: l.draw("held", 3) == 0, Attempt: l.draw("asked", 2) * ref.Attempt, Origin: places[l.draw("origin", 3)], Sequence: uint64(l.draw("sequence", 4)),
			Entered: ledger.Entered{System: "avam", Case: native.CaseKey(fmt.Sprint("K-", l.draw("entered", 3)))}, Reason: ledger.Reason{Code: "x"},
		}
	case ledger.Differs:
		r.Difference = &ledger.Difference{ID: fmt.Sprint("d", l.draw("difference", 4)), Kind: ledger.DifferenceMissing, System: "avam", Announced: true, Found: at}
	case ledger.Ruling:
		r.Decision = &ledger.Decision{Parking: int64(l.draw("parking", 9)), Verdict: rapid.SampledFrom([]ledger.Verdict{ledger.Retry, ledger.Found, ledger.Withdraw}).Draw(l.t, "verdict"), Person: "p", At: at}
		if all := l.whole.Parked(); len(all) > 0 && l.draw("asked for", 6) > 0 {
			it := all[l.draw("item", len(all))]
			r.Case, r.Message, r.To, r.Ref, r.Decision.Parking = it.Case, it.Message, it.To, it.Ref, it.Parking
		}
	case ledger.Cursor:
		r.System, r.Position = "avam", native.Position(fmt.Sprint(len(l.log)))
	case ledger.SetBack:
		r.Era, r.Acceptance = l.whole.Era()+1, &ledger.Acceptance{Person: "p", Why: "w", At: at, Instead: []string{"other"}}
	case ledger.Keyring:
		r.Mark = r.Nonce
	case ledger.Layout:
		r.Partitions = int32(1 + l.draw("partitions", 2))
	}
}

var ids = []handover.CaseID{"c0", "c1", "c2", "c3", ""}

// questions are everything that can be asked of a view; each names one case, message and place.
var questions = []func(v *ledger.View, c handover.CaseID, m handover.MessageID, to ledger.Destination) any{
	func(v *ledger.View, c handover.CaseID, _ handover.MessageID, _ ledger.Destination) any {
		return v.Case(c)
	},
	func(v *ledger.View, _ handover.CaseID, m handover.MessageID, _ ledger.Destination) any {
		a, known := v.Admission(m)
		return []any{a, known}
	},
	func(v *ledger.View, _ handover.CaseID, m handover.MessageID, to ledger.Destination) any {
		r, known := v.Ref(native.Reference(string("r"+m[1:]) + "-" + string(to.System)))
		return []any{r, known, v.Doubt(r, 0, begin), v.Doubt(r, 1, begin)}
	},
	func(v *ledger.View, c handover.CaseID, _ handover.MessageID, to ledger.Destination) any {
		key, bound := v.NativeCase(c, to)
		at, known := v.Dossier(c, to.System, "K-1")
		return []any{key, bound, at, known}
	},
	func(v *ledger.View, c handover.CaseID, m handover.MessageID, to ledger.Destination) any {
		position, count, first := v.Waiting(ledger.Lane{Case: c, To: to}, m)
		before, stands := v.Before(ledger.Lane{Case: c, To: to}, places[1], 2)
		return []any{position, count, first.Message, first.Status, before.Message, stands}
	},
	func(v *ledger.View, c handover.CaseID, m handover.MessageID, to ledger.Destination) any {
		earlier, one := v.Earlier(m, to)
		open, two := v.OpenAt(ledger.Lane{Case: c, To: to})
		return []any{earlier, one, open, two}
	},
	func(v *ledger.View, c handover.CaseID, _ handover.MessageID, _ ledger.Destination) any {
		return []any{v.Newer(c), v.Stats(), v.Installation(), v.Era(), v.Cursor("avam"), v.Instead("other"), v.Next(0), v.Next(1)}
	},
	func(v *ledger.View, _ handover.CaseID, _ handover.MessageID, _ ledger.Destination) any {
		var out []any
		for _, it := range v.Parked() {
			out = append(out, []any{it.Message, it.Case, it.To, it.Ref, it.Status, it.Since, it.Origin, it.Sequence, it.Entered, it.Parking, it.Attempt, it.Difference})
		}
		return out
	},
	func(v *ledger.View, _ handover.CaseID, _ handover.MessageID, _ ledger.Destination) any {
		return []any{v.Unended(), v.Late("2026-11-05"), v.Unanswered(), v.OpenBelow(0, 20), v.OpenBelow(1, 20)}
	},
	func(v *ledger.View, _ handover.CaseID, _ handover.MessageID, _ ledger.Destination) any {
		lanes := v.Runnable(func(handover.CaseID) bool { return true })
		slices.SortFunc(lanes, func(a, b ledger.Lane) int { return cmp.Compare(a.String(), b.String()) })
		return lanes
	},
	func(v *ledger.View, c handover.CaseID, _ handover.MessageID, _ ledger.Destination) any {
		all, next, more := v.Fates(ledger.Query{Case: c})
		return []any{inOrder(all), next, more}
	},
}

// inOrder puts fates into one order: who mixes up cases of two partitions may give two fates the same place in the ledger.
func inOrder(all []ledger.Fate) []ledger.Fate {
	slices.SortFunc(all, func(a, b ledger.Fate) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return all
}

// all are the questions that go through everything on the shelf.
var all = append(slices.Clone(questions),
	func(v *ledger.View, _ handover.CaseID, m handover.MessageID, to ledger.Destination) any {
		after := []int64{v.Next(0) - int64(m[1]-'0'), v.Next(1) - int64(len(to.System)/2)}
		fates, next, more := v.Fates(ledger.Query{After: after})
		return []any{inOrder(fates), next, more}
	},
	func(v *ledger.View, _ handover.CaseID, _ handover.MessageID, _ ledger.Destination) any {
		fates, next, more := v.Fates(ledger.Query{Open: true})
		return []any{inOrder(fates), next, more}
	},
	func(v *ledger.View, _ handover.CaseID, m handover.MessageID, _ ledger.Destination) any {
		var pages []any
		for after, more := []int64(nil), true; more; {
			var fates []ledger.Fate
			fates, after, more = v.Fates(ledger.Query{After: after, Limit: 1 + int(m[1]-'0')})
			pages = append(pages, inOrder(fates), after, more)
		}
		return pages
	},
	func(v *ledger.View, _ handover.CaseID, _ handover.MessageID, _ ledger.Destination) any {
		fates, next, more := v.Fates(ledger.Query{})
		return []any{inOrder(fates), next, more}
	},
	func(v *ledger.View, _ handover.CaseID, _ handover.MessageID, _ ledger.Destination) any {
		found := map[ledger.Recorded]bool{}
		_ = v.Recorded(begin, func(part []ledger.Recorded) error {
			for _, r := range part {
				found[r] = true
			}
			return nil
		})
		return found
	})

// ask lets both answer.
func (l *lives) ask(among []func(*ledger.View, handover.CaseID, handover.MessageID, ledger.Destination) any) {
	n := l.draw("question", len(among))
	c, m, to := ids[l.draw("of case", len(ids))], handover.MessageID(fmt.Sprint("m", l.draw("of message", 6))), places[l.draw("at", len(places))]
	require.Equal(l.t, among[n](l.whole, c, m, to), among[n](l.shelved, c, m, to), "question %d about %s, %s at %s", n, c, m, to)
}

// I1, I2, I3: whatever a gateway has on its shelf, and whenever it was killed, it knows what the whole ledger says: each case, message and reference, what waits and what is open, and wakes the same lanes.
func TestI2_WhoStartsFromTheShelfKnowsWhatTheWholeLedgerSays(t *testing.T) {
	folder := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		l := &lives{t: t, path: filepath.Join(folder, "shelf")}
		l.whole = ledger.NewView(partitions, func(_ int32, at ledger.Lane) { l.wakes = append(l.wakes, at) })
		l.begin()
		defer func() {
			require.NoError(t, l.shelf.Close())
			require.NoError(t, os.Remove(l.path))
		}()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch l.draw("step", 13) {
			case 0, 1:
				require.NoError(t, l.shelved.Shelve())
			case 2:
				require.NoError(t, l.shelf.Close())
				l.begin()
			case 3:
				l.ask(questions)
			case 12:
				require.NoError(t, l.shelved.Rest())
			case 4:
				if l.draw("rarely", 5) == 0 {
					l.ask(all)
				}
			default:
				l.append(l.record())
			}
		}
		for range 20 {
			l.ask(questions)
		}
		for range 4 {
			l.ask(all)
		}
	})
}
