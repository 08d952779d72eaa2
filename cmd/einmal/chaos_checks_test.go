package main_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/reconcile"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// check is one of the eleven: its number, what must be so, and what is found against it.
type check struct {
	number int
	rule   string
	find   func(evidence) []string
}

// checks are the eleven checks. Number 8 asks for proofs of an audit log; einmal has none yet, so it holds the ledger alone to what such a log would have to show.
func checks() []check {
	return []check{
		{1, "every accepted message ends in exactly one of recorded, asked, withdrawn at each place", evidence.ends},
		{2, "a reference stands at most once, in mode C at most as often as it was sent", evidence.once},
		{3, "what is called done stands exactly once, under the number that is named", evidence.done},
		{4, "nothing stands that was not accepted", evidence.reasons},
		{5, "the order of a case is kept", evidence.order},
		{6, "everything that waits for a person is on the list, with its age and its reason", evidence.listed},
		{7, "nothing lags after the quiet", evidence.still},
		{8, "the ledger covers every step, in the order in which they were taken", evidence.covered},
		{9, "nothing personal stands outside the sealed payload", evidence.silent},
		{10, "no process has grown", evidence.grown},
		{11, "the reconciliation finds what the checks find, and nothing else", evidence.compared},
	}
}

// check returns everything that is wrong, each with the number of its check.
func (e evidence) check() (found []string) {
	for _, c := range checks() {
		for i, text := range c.find(e) {
			if i == 20 {
				found = append(found, fmt.Sprintf("%d: ... (%s)", c.number, c.rule))
				break
			}
			found = append(found, fmt.Sprintf("%d: %s (%s)", c.number, text, c.rule))
		}
	}
	return found
}

// at is a message at a place.
type at struct {
	message handover.MessageID
	to      target
}

func (a at) String() string {
	return fmt.Sprintf("%s at %s/%s", a.message, a.to.System, a.to.Organisation)
}

// of returns the finding of the clerks' own check that is of these kinds.
func (e evidence) of(kinds ...string) (found []string) {
	for _, f := range e.proof.Findings {
		if slices.Contains(kinds, f.What) {
			found = append(found, f.String())
		}
	}
	return found
}

// places returns where each admitted message must be recorded; a message without a place is one that stays where it was entered.
func (e evidence) places() map[handover.MessageID][]target {
	all := map[handover.MessageID][]target{}
	for _, r := range e.ledger {
		if r.Kind == "ADMIT" {
			all[r.Message] = append(all[r.Message], r.Admission.To...)
		}
	}
	for id := range all {
		slices.SortFunc(all[id], func(a, b target) int {
			return cmp.Or(cmp.Compare(a.System, b.System), cmp.Compare(a.Organisation, b.Organisation))
		})
		all[id] = slices.Compact(all[id])
	}
	return all
}

// parking is the last PARK of a message at a place, and whether a person has decided about it.
type parking struct {
	entry
	ruled bool
}

// fate is what the ledger says became of a message at a place.
type fate struct {
	done, withdrawn bool
	parked          *parking
}

func (e evidence) fates() map[at]*fate {
	all := map[at]*fate{}
	one := func(r entry) *fate {
		k := at{r.Message, r.To}
		if all[k] == nil {
			all[k] = &fate{}
		}
		return all[k]
	}
	for _, r := range e.ledger {
		switch r.Kind {
		case "DONE":
			one(r).done = true
		case "PARK":
			one(r).parked = &parking{entry: r}
		case "RULING":
			f := one(r)
			if f.parked == nil || f.parked.offset != r.Decision.Parking {
				continue // about a difference, or a second one, which counts nothing
			}
			f.parked.ruled = true
			f.done = f.done || r.Decision.Verdict == "FOUND"
			f.withdrawn = f.withdrawn || r.Decision.Verdict == "WITHDRAW"
		}
	}
	return all
}

// ends is check 1. What was accepted is what is on the bus; that what the clerks entered came there is what the clerks' own check says.
func (e evidence) ends() []string {
	found := e.of(clerks.Lost)
	places, fates := e.places(), e.fates()
	for _, a := range e.accepted {
		gate := fates[at{a.id, target{}}]
		to, admitted := places[a.id]
		if !admitted && (gate == nil || gate.parked == nil) {
			found = append(found, fmt.Sprintf("%s was accepted, and nobody knows it", a.id))
		}
		for _, p := range to {
			k := at{a.id, p}
			f := fates[k]
			switch {
			case f == nil || !f.done && !f.withdrawn && f.parked == nil:
				found = append(found, fmt.Sprintf("%s has no end", k))
			case f.done && f.withdrawn:
				found = append(found, fmt.Sprintf("%s is recorded and withdrawn", k))
			case !f.done && !f.withdrawn && f.parked.ruled:
				found = append(found, fmt.Sprintf("%s was let go on, and has no end", k))
			}
		}
	}
	return found
}

// standing returns what the interface has written into each system, by reference.
func (e evidence) standing() map[handover.SystemID]map[native.Reference][]core.Entry {
	all := map[handover.SystemID]map[native.Reference][]core.Entry{}
	for id, j := range e.journals {
		all[id] = map[native.Reference][]core.Entry{}
		for _, r := range j {
			if r.By == core.ByInterface {
				all[id][r.Reference] = append(all[id][r.Reference], r)
			}
		}
	}
	return all
}

// once is check 2.
func (e evidence) once() []string {
	found := e.of(clerks.Double)
	again := map[native.Reference]int{} // how often a person has had it sent once more
	voids := map[native.Reference]map[int]bool{}
	sends := map[native.Reference]map[int]bool{}
	names := map[at]native.Reference{}
	for _, r := range e.ledger {
		switch r.Kind {
		case "INTENT":
			if sends[r.Ref] == nil {
				sends[r.Ref] = map[int]bool{}
			}
			sends[r.Ref][r.Attempt] = true
			k := at{r.Message, r.To}
			if names[k] != "" && names[k] != r.Ref {
				found = append(found, fmt.Sprintf("%s was sent under two references", k))
			}
			names[k] = r.Ref
		case "VOID":
			if voids[r.Ref] == nil {
				voids[r.Ref] = map[int]bool{}
			}
			voids[r.Ref][r.Attempt] = true
		case "RULING":
			if r.Decision.Verdict == "RETRY" {
				again[r.Ref]++
			}
		}
	}
	for id, refs := range e.standing() {
		for ref, entries := range refs {
			most := 1
			if e.modes[id] == "C" {
				most += again[ref]
			}
			if len(entries) > most {
				found = append(found, fmt.Sprintf("%s stands %d times in %s (mode %s)", ref, len(entries), id, e.modes[id]))
			}
		}
	}
	for k, ref := range names {
		if most := 1 + again[ref] + len(voids[ref]); e.modes[k.to.System] == "C" && len(sends[ref]) > most {
			found = append(found, fmt.Sprintf("%s was sent %d times without anybody's order in mode C", k, len(sends[ref])))
		}
	}
	return found
}

// done is check 3.
func (e evidence) done() (found []string) {
	standing := e.standing()
	for _, r := range e.ledger {
		if r.Kind != "DONE" && (r.Kind != "RULING" || r.Decision.Verdict != "FOUND") {
			continue
		}
		entries := standing[r.To.System][r.Ref]
		if len(entries) != 1 || entries[0].ID != r.Native {
			found = append(found, fmt.Sprintf("%s is called done in %s as %s; there are %d of it", r.Ref, r.To.System, r.Native, len(entries)))
		}
	}
	return found
}

// reasons is check 4.
func (e evidence) reasons() []string {
	found := e.of(clerks.Unexplained, clerks.Leaked, clerks.Misplaced, clerks.Altered, clerks.WrongKind, clerks.WrongReference, clerks.WrongDocuments, clerks.WrongAnswer)
	onBus := map[handover.MessageID]bool{}
	for _, a := range e.accepted {
		onBus[a.id] = true
	}
	announced := map[handover.SystemID]map[native.Reference]bool{}
	for _, r := range e.ledger {
		if r.Kind == "INTENT" && onBus[r.Message] {
			if announced[r.To.System] == nil {
				announced[r.To.System] = map[native.Reference]bool{}
			}
			announced[r.To.System][r.Ref] = true
		}
	}
	for id, refs := range e.standing() {
		for ref := range refs {
			if !announced[id][ref] {
				found = append(found, fmt.Sprintf("%s stands in %s and was never accepted", ref, id))
			}
		}
	}
	return found
}

// order is check 5: beside the clerks' own order, two messages of a case that einmal wrote at two places stand in the same order at both.
func (e evidence) order() []string {
	found := e.of(clerks.Disorder)
	owner := map[native.Reference]entry{}
	for _, r := range e.ledger {
		if r.Kind == "INTENT" {
			owner[r.Ref] = r
		}
	}
	type pair struct{ first, second handover.MessageID }
	before := map[pair]target{}
	dossiers := map[handover.CaseID]map[target][]handover.MessageID{}
	for id, j := range e.journals {
		for _, r := range j {
			o, ours := owner[r.Reference]
			if !ours || r.By != core.ByInterface || o.To.System != id {
				continue
			}
			if dossiers[o.Case] == nil {
				dossiers[o.Case] = map[target][]handover.MessageID{}
			}
			dossiers[o.Case][o.To] = append(dossiers[o.Case][o.To], o.Message)
		}
	}
	for _, places := range dossiers {
		for to, messages := range places {
			for i, later := range messages {
				for _, earlier := range messages[:i] {
					if other, wrong := before[pair{later, earlier}]; wrong && later != earlier {
						found = append(found, fmt.Sprintf("%s stands before %s at %s, and after it at %s", earlier, later, to, other))
					}
					before[pair{earlier, later}] = to
				}
			}
		}
	}
	return found
}

// listed is check 6.
func (e evidence) listed() (found []string) {
	admitted, open := e.places(), map[at]parking{}
	for k, f := range e.fates() {
		_, through := admitted[k.message]
		if f.parked != nil && !f.parked.ruled && !f.done && !f.withdrawn && (k.to != target{} || !through) {
			open[k] = *f.parked
		}
	}
	for name, list := range e.waiting {
		shown := map[at]bool{}
		for _, it := range list {
			k := at{it.Message, target{handover.SystemID(it.To.System), handover.OrganisationID(it.To.Organisation)}}
			shown[k] = true
			p, waits := open[k]
			switch {
			case it.Difference != nil:
			case !waits:
				found = append(found, fmt.Sprintf("%s shows %s, which the ledger does not know to wait", name, k))
			case !it.Since.Equal(p.Parking.At) || it.Reason.Code == "" || it.Reason.Text == "":
				found = append(found, fmt.Sprintf("%s shows %s without its age or its reason", name, k))
			}
		}
		for k := range open {
			if !shown[k] {
				found = append(found, fmt.Sprintf("%s waits for a person and is not on the list of %s", k, name))
			}
		}
	}
	return found
}

// still is check 7.
func (e evidence) still() (found []string) {
	if len(e.lags) == 0 {
		found = append(found, "nobody has said how much is open")
	}
	for who, n := range e.lags {
		if n != 0 {
			found = append(found, fmt.Sprintf("%s: %d", who, n))
		}
	}
	return found
}

// clocks is how much earlier than its INTENT's record an entry may seem to be written: the broker's clock and the native systems' are one here.
const clocks = 50 * time.Millisecond

// covered is check 8.
func (e evidence) covered() (found []string) {
	type place struct {
		partition int32
		offset    int64
	}
	announced, asked := map[native.Reference]time.Time{}, map[place]bool{}
	lies := map[place]handover.MessageID{}
	for _, a := range e.accepted {
		lies[place{a.partition, a.offset}] = a.id
	}
	for _, r := range e.ledger {
		_, known := announced[r.Ref]
		switch r.Kind {
		case "INTENT":
			if !known {
				announced[r.Ref] = r.at
			}
		case "VOID", "DONE":
			if !known {
				found = append(found, fmt.Sprintf("%s of %s comes before anything was announced", r.Kind, r.Ref))
			}
		case "PARK", "DIFFERENCE":
			asked[place{r.partition, r.offset}] = true
		case "RULING":
			if !asked[place{r.partition, r.Decision.Parking}] || r.Decision.Person == "" || r.Decision.Why == "" {
				found = append(found, fmt.Sprintf("a ruling on %s without a question, a person or a reason", r.Message))
			}
		case "ADMIT":
			if id := lies[place{r.partition, r.Admission.Place.Offset}]; id != r.Message {
				found = append(found, fmt.Sprintf("%s was admitted from a place on the bus where it does not lie", r.Message))
			}
		}
	}
	for id, refs := range e.standing() {
		for ref, entries := range refs {
			if at, known := announced[ref]; known && entries[0].At.Before(at.Add(-clocks)) {
				found = append(found, fmt.Sprintf("%s was written into %s before it was announced", ref, id))
			}
		}
	}
	return found
}

// silent is check 9.
func (e evidence) silent() (found []string) {
	if len(e.canaries) == 0 || len(e.outside) == 0 {
		return []string{"there was nothing to look for, or nowhere to look"}
	}
	numbers := map[string]bool{}
	words := slices.DeleteFunc(slices.Clone(e.canaries), func(c string) bool {
		if len(c) == ahvLength && strings.HasPrefix(c, ahvBegins) {
			numbers[c] = true
		}
		return numbers[c]
	})
	for where, text := range e.outside {
		for _, c := range words {
			if strings.Contains(text, c) {
				found = append(found, fmt.Sprintf("%q stands in %s", c, where))
			}
		}
		for _, n := range ahvNumbers(text) {
			if numbers[n] {
				found = append(found, fmt.Sprintf("%q stands in %s", n, where))
			}
		}
	}
	return found
}

// Every AHV number has 13 digits and begins with that of its country.
const (
	ahvLength = 13
	ahvBegins = "756"
)

// ahvNumbers returns what may be an AHV number in a text, with or without dots, in one pass: there are too many numbers to look for each.
func ahvNumbers(text string) (all []string) {
	for i := strings.Index(text, ahvBegins); i >= 0; {
		digits := strings.ReplaceAll(text[i:min(len(text), i+ahvLength+3)], ".", "")
		if len(digits) >= ahvLength {
			all = append(all, digits[:ahvLength])
		}
		next := strings.Index(text[i+1:], ahvBegins)
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return all
}

// What a process may have more than at its beginning: connections that come and go, and what it remembers of each message.
const (
	moreGoroutines = 60
	moreFiles      = 30
	moreMemory     = 96 << 20
	eachMessage    = 24 << 10
)

// grown is check 10.
func (e evidence) grown() (found []string) {
	for name, now := range e.after {
		was, known := e.before[name]
		switch {
		case !known || now.goroutines <= 0 || now.files <= 0 || now.resident <= 0:
			found = append(found, fmt.Sprintf("nobody knows how %s was", name))
		case now.goroutines > was.goroutines+moreGoroutines, now.files > was.files+moreFiles:
			found = append(found, fmt.Sprintf("%s had %d goroutines and %d open files, and has %d and %d", name, was.goroutines, was.files, now.goroutines, now.files))
		case now.resident > was.resident+moreMemory+eachMessage*int64(now.messages):
			found = append(found, fmt.Sprintf("%s had %d MB and has %d MB, with %d messages", name, was.resident>>20, now.resident>>20, now.messages))
		}
	}
	return found
}

// compared is check 11.
func (e evidence) compared() (found []string) {
	ours, theirs := map[string]bool{}, map[string]bool{}
	note := func(into map[string]bool, kind reconcile.Kind, system handover.SystemID, ref native.Reference) {
		into[fmt.Sprintf("%s in %s: %s", kind, system, ref)] = true
	}
	standing := e.standing()
	announced := map[native.Reference]bool{}
	for _, r := range e.ledger {
		switch r.Kind {
		case "INTENT":
			announced[r.Ref] = true
		case "DONE":
			switch entries := standing[r.To.System][r.Ref]; {
			case len(entries) == 0:
				note(ours, reconcile.Missing, r.To.System, r.Ref)
			case len(entries) == 1 && entries[0].ID != r.Native:
				note(ours, reconcile.Drifted, r.To.System, r.Ref)
			}
		}
	}
	for id, refs := range standing {
		for ref, entries := range refs {
			if len(entries) > 1 {
				note(ours, reconcile.Double, id, ref)
			}
			if !announced[ref] {
				note(ours, reconcile.Extra, id, ref)
			}
		}
	}
	compared := map[handover.SystemID]bool{}
	for _, s := range e.reconciled.Systems {
		compared[s.System] = s.Status == reconcile.Compared
	}
	for _, f := range e.reconciled.Findings {
		note(theirs, f.Kind, f.System, f.Reference)
	}
	for d := range ours {
		system := handover.SystemID(strings.TrimSuffix(strings.Fields(d)[2], ":"))
		if !theirs[d] && compared[system] {
			found = append(found, "the reconciliation does not find "+d)
		}
	}
	for _, d := range slices.Sorted(maps.Keys(theirs)) {
		if !ours[d] {
			found = append(found, "the reconciliation alone finds "+d)
		}
	}
	for system := range e.modes {
		if later := system == world.OSIV || system == world.Tutoris; !later && !compared[system] { // those show no list of what stands in them
			found = append(found, fmt.Sprintf("%s was not compared", system))
		}
	}
	return found
}
