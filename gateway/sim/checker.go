package sim

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/go-json-experiment/json"
)

// place is a dossier, or the platform: where a message must stand.
type place struct {
	system handover.SystemID
	org    handover.OrganisationID
}

func (p place) String() string {
	return ledger.Destination{System: p.system, Organisation: p.org}.String()
}

// places returns where a message must be written, by the checker's own rule.
func (i item) places() []place {
	origin := place{i.from, i.sender}
	if i.from == casenet {
		origin.org = ""
	}
	var all []place
	if !i.nowhere {
		all = []place{{home(i.parties.Assigning), i.parties.Assigning}, {home(i.parties.Receiving), i.parties.Receiving}, {casenet, ""}}
		all = slices.DeleteFunc(all, func(p place) bool { return p == origin })
	}
	if i.answer != "" {
		all = append(all, origin) // the answer stands there
	}
	return all
}

// said is what the checker reads of a ledger record, with its own eyes.
type said struct {
	Kind string `json:"kind"`
	To   struct {
		System       handover.SystemID       `json:"system"`
		Organisation handover.OrganisationID `json:"organisation"`
	} `json:"to"`
	Case    handover.CaseID  `json:"case"`
	Ref     native.Reference `json:"ref"`
	Native  native.RecordID  `json:"native"`
	Parking struct {
		Place  ledger.Place `json:"place"`
		Reason struct {
			Code string `json:"code"`
			Text string `json:"text"`
		} `json:"reason"`
		Held    bool `json:"held"`
		Attempt int  `json:"attempt"`
	} `json:"parking"`
}

// parking is one PARK record.
type parking struct {
	mark string
	at   place
	code string
	text string
	held bool
	// attempt is the one whose outcome the person is asked about.
	attempt int
	// moved is how long ago a partition got another owner: what its former owner had announced, nobody else can know not to have been sent.
	moved time.Duration
}

// listen reads what is appended to the ledger: what was parked, why, and when.
func (w *world) listen(e entry) {
	if !bytes.Contains(e.value, []byte(`"PARK"`)) && !bytes.Contains(e.value, []byte(`"DONE"`)) {
		return
	}
	var s said
	if json.Unmarshal(e.value, &s) != nil {
		w.book.find("a ledger record cannot be read")
		return
	}
	at := place{s.To.System, s.To.Organisation}
	w.book.mu.Lock()
	defer w.book.mu.Unlock()
	if s.Kind == "DONE" {
		w.book.done = append(w.book.done, doneRecord{at, s.Ref, s.Native})
		return
	}
	if slices.ContainsFunc(w.book.done, func(d doneRecord) bool { return d.at == at && d.ref == s.Ref && d.ref != "" }) {
		return // whoever asks has not read yet that it is recorded: the question does not count
	}
	mark := w.markAt(ledger.Item{Case: s.Case, Place: s.Parking.Place})
	w.book.parkings = append(w.book.parkings, parking{mark, at, s.Parking.Reason.Code, s.Parking.Reason.Text, s.Parking.Held, s.Parking.Attempt, time.Since(time.Unix(0, w.book.moved.Load()))})
}

// explained reports whether a message waits or waited for a person at a place or at the gate, or a person dropped it.
func (b *book) explained(mark string, at place, withdrawn bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if withdrawn {
		return slices.ContainsFunc(b.verdicts, func(v verdict) bool {
			return v.mark == mark && v.what == ledger.Withdraw && (v.to == ledger.Gate || v.to == ledger.Destination{System: at.system, Organisation: at.org})
		})
	}
	return slices.ContainsFunc(b.parkings, func(p parking) bool { return p.mark == mark && (p.at == at || p.at == place{}) })
}

// committed is called when the group's offset of a partition moves: everything below is recorded, or waits for a person.
func (w *world) committed(partition int32, upTo int64) {
	come := map[string]bool{}
	for _, e := range w.bus[partition].all() {
		if e.offset >= upTo {
			return
		}
		mark := markIn(e.value)
		come[mark] = true
		i, ok := w.book.item(mark)
		if !ok {
			w.book.find("a message on the bus was never entered: %q", mark)
			continue
		}
		if slices.ContainsFunc(w.book.wordings(i)[1:], func(m string) bool { return !come[m] }) {
			continue // it came before what it recalls or corrects, which had sent nothing on yet; the evening tells
		}
		for _, at := range i.places() {
			if w.count(mark, at) == 0 && !w.book.explained(mark, at, false) && !w.dropped(mark, at) && !w.overtook(i, at) {
				w.book.find("offset %d of partition %d was committed although %s does not stand at %s and waits for nobody", upTo, partition, mark, at)
			}
		}
	}
}

// dropped reports whether a person has dropped a message, at the gate or at a place, or one that it revises: what is said about something that is not there may come to nothing.
func (w *world) dropped(mark string, at place) bool {
	i, _ := w.book.item(mark)
	return slices.ContainsFunc(w.book.wordings(i), func(m string) bool { return w.book.explained(m, at, true) })
}

// overtook reports whether a message revises one with a wording that waited for a person meanwhile: what that was to send on, nobody had, and so it could not be taken back there.
func (w *world) overtook(i item, at place) bool {
	return slices.ContainsFunc(w.book.wordings(i)[1:], func(m string) bool { return w.book.explained(m, at, false) })
}

// count returns how often einmal has written a message, or the answer to it, at a place.
func (w *world) count(mark string, at place) (n int) {
	rows, _ := w.system(at.system).rows()
	for _, r := range rows {
		if r.mark == mark && r.org == at.org && !r.clerk {
			n++
		}
	}
	return n
}

// check is the independent checker. It reads the native journals and what the people know, and nothing that the product believes, except the list of what is
// parked now.
func (w *world) check(open string) Result {
	if open != "" {
		w.book.find("still open after a calm evening: %s", open)
	}
	if trouble := safely(func() {
		waiting := w.waiting()
		for _, i := range w.book.items {
			w.checkMessage(i, waiting)
		}
		for _, s := range w.systems {
			w.checkJournal(s)
			w.checkRevisions(s)
			w.checkRequests(s)
		}
		for n := range w.plan.cases {
			w.checkOrder(n + 1)
		}
		w.checkParkings()
		w.checkDone()
		if open == "" {
			w.checkReceipts(waiting)
		}
	}); trouble != "" {
		w.book.find("the checker failed: %s", trouble)
	}
	r := Result{
		Seed: w.o.Seed, Findings: w.book.findings, History: slices.Clone(w.journal), Messages: len(w.book.items), Rulings: len(w.book.verdicts),
		Lives: w.lives, Virtual: time.Since(w.began),
	}
	for _, s := range w.systems {
		r.Requests += len(s.requests())
	}
	return r
}

// waiting returns what is parked or held now, by mark and place.
func (w *world) waiting() map[string]bool {
	out := map[string]bool{}
	for _, p := range w.living() {
		if !p.ready.Load() {
			continue
		}
		for _, it := range p.desk.List() {
			if it.Reason.Code == "" || it.Reason.Text == "" {
				w.book.find("%s is parked without a reason", w.markAt(it.Item))
			}
			out[w.markAt(it.Item)+" "+place{it.To.System, it.To.Organisation}.String()] = true
		}
		break
	}
	return out
}

// missing returns a message that does not stand where it must and that nobody is asked about.
func (w *world) missing(waiting map[string]bool) (mark string, at place) {
	for _, i := range w.book.items {
		for _, at := range i.places() {
			if w.count(i.mark, at) == 0 && !w.excused(i.mark, at, waiting) {
				return i.mark, at
			}
		}
	}
	return "", place{}
}

// excused reports whether a message need not stand at a place: it waits there or at the gate, or a person has dropped it, or it is an answer that would take back what nobody has said yet.
func (w *world) excused(mark string, at place, waiting map[string]bool) bool {
	return waiting[mark+" "+at.String()] || waiting[mark+" gate"] || w.dropped(mark, at) || w.unsaid(mark, at, waiting)
}

// unsaid reports whether an application is fair whose earlier wording was not, and that one waits at the gate, where it came too late: nothing was said against it.
func (w *world) unsaid(mark string, at place, waiting map[string]bool) bool {
	i, _ := w.book.item(mark)
	return i.clears && at.system == i.from && slices.ContainsFunc(w.book.wordings(i)[1:], func(m string) bool { return waiting[m+" gate"] })
}

// checkMessage: recorded once at every place, with its content, unless it waits there or a person has dropped it.
func (w *world) checkMessage(i item, waiting map[string]bool) {
	for _, at := range i.places() {
		n := w.count(i.mark, at)
		switch {
		case n > 1:
			w.book.find("%s stands %d times at %s", i.mark, n, at)
		case n == 0 && !w.excused(i.mark, at, waiting):
			w.book.find("%s is lost: it does not stand at %s, and nobody is asked about it", i.mark, at)
		}
	}
}

// checkJournal: nothing stands where nobody sent it, with another content, or in another case than its case.
func (w *world) checkJournal(s *system) {
	rows, _ := s.rows()
	dossiers := map[string]native.CaseKey{}
	for _, r := range rows {
		i, known := w.book.item(r.mark)
		if !known || (!r.clerk && !slices.Contains(i.places(), place{s.id, r.org}) && !w.clearsAfterAll(i, r)) {
			w.book.find("%s stands at %s without reason", r.mark, place{s.id, r.org})
			continue
		}
		if body := bytes.Replace(r.Body, []byte(mayBeTwice+" "), nil, 1); len(body) != len(r.Body) {
			r.Body = body
			if at := (place{s.id, r.org}); !w.book.ordered(r.mark, at) {
				w.book.find("%s says at %s that it may be a duplicate, and nobody had it sent once more", r.mark, at)
			}
		}
		if r.Kind == answerKind {
			want := i.answer
			if i.clears {
				want = goalCleared
			}
			if want == "" || !answers(r.Body, want) {
				w.book.find("%s has another answer at %s than the rules give", r.mark, place{s.id, r.org})
			}
		} else if !bytes.Equal(r.Body, i.body) {
			w.book.find("%s stands at %s with another content", r.mark, place{s.id, r.org})
		}
		key := fmt.Sprint(i.dialogue, " ", r.org)
		if dossiers[key] == "" {
			dossiers[key] = r.Case
		}
		if dossiers[key] != r.Case {
			w.book.find("case %d has two dossiers at %s", i.dialogue, place{s.id, r.org})
		}
	}
}

// clearsAfterAll reports whether a record is the answer to a fair application that had no last wording to take back, unless a person has dropped the fair one before it.
func (w *world) clearsAfterAll(i item, r row) bool {
	return r.Kind == answerKind && i.clears && w.dropped(i.mark, place{i.from, r.org})
}

// answers reports whether a body is the rules' answer.
func answers(body []byte, outcome handover.Code) bool {
	rule := "GOAL"
	if outcome == goalCleared {
		rule, outcome = goalCleared, handover.Forward
	}
	return bytes.HasPrefix(body, []byte("application-checked\neinmal\n")) && bytes.Contains(body, []byte(`"outcome":"`+string(outcome)+`"`)) && bytes.Contains(body, []byte(`"rule":"`+rule+`"`))
}

// checkRevisions: what einmal wrote of a recall or a correction names a record of what it is about, in the same dossier and before it; only a correction of what does not stand there is new.
func (w *world) checkRevisions(s *system) {
	rows, _ := s.rows()
	for n, r := range rows {
		i, known := w.book.item(r.mark)
		if !known || r.clerk || r.Kind == answerKind {
			continue
		}
		at, before := place{s.id, r.org}, map[native.RecordID]bool{}
		for _, e := range rows[:n] {
			if e.org == r.org && e.Kind != answerKind && slices.Contains(w.book.wordings(i)[1:], e.mark) {
				before[e.ID] = true
			}
		}
		switch {
		case r.Action != i.action && (r.Action != "" || i.action != handover.ActionCorrection):
			w.book.find("%s stands at %s as something else than what was entered: %q for %q", r.mark, at, r.Action, i.action)
		case r.Action == "" && len(before) > 0:
			w.book.find("%s stands at %s as new, beside what it corrects", r.mark, at)
		case r.Action != "" && !before[r.Refers]:
			w.book.find("%s stands at %s as about a record that it is not about", r.mark, at)
		}
	}
}

// checkRequests: one reference for each message and place, and no request after a person has dropped the message.
func (w *world) checkRequests(s *system) {
	refs, owners := map[string]native.Reference{}, map[native.Reference]string{}
	for _, q := range s.requests() {
		key := q.mark + " " + string(q.org)
		if refs[key] == "" {
			refs[key] = q.ref
		}
		if owners[q.ref] == "" {
			owners[q.ref] = key
		}
		if refs[key] != q.ref || owners[q.ref] != key {
			w.book.find("%s was sent to %s under two references, or two messages under one", q.mark, s.id)
		}
		for _, v := range w.book.verdicts {
			here := v.to == ledger.Gate || v.to == ledger.Destination{System: s.id, Organisation: q.org}
			if v.sure && v.mark == q.mark && here && v.what == ledger.Withdraw && q.at.After(v.taken) {
				w.book.find("%s was sent to %s after a person had dropped it", q.mark, place{s.id, q.org})
			}
		}
	}
}

// checkOrder: two messages that einmal wrote at one place stand in the same order wherever einmal wrote both, and after whatever stood at the place where
// they were entered when they were entered.
func (w *world) checkOrder(dialogue int) {
	dossiers := map[place][]row{}
	for _, s := range w.systems {
		rows, _ := s.rows()
		for _, r := range rows {
			if i, ok := w.book.item(r.mark); ok && i.dialogue == dialogue {
				dossiers[place{s.id, r.org}] = append(dossiers[place{s.id, r.org}], r)
			}
		}
	}
	places := slices.SortedFunc(maps.Keys(dossiers), func(a, b place) int { return strings.Compare(a.String(), b.String()) })
	before := map[[2]string]place{}
	for _, at := range places {
		rows := dossiers[at]
		for n, b := range rows {
			for _, a := range rows[:n] {
				if b.clerk || !a.clerk {
					before[[2]string{a.mark, b.mark}] = at
				}
			}
		}
	}
	for _, at := range places {
		rows := dossiers[at]
		for n, b := range rows {
			for _, a := range rows[:n] {
				if other, wrong := before[[2]string{b.mark, a.mark}]; wrong && !a.clerk && !b.clerk {
					w.book.find("%s stands before %s at %s, but after it at %s", a.mark, b.mark, at, other)
				}
			}
		}
	}
}

// checkDone: what the ledger calls done stands in the native system under the number that the ledger has.
func (w *world) checkDone() {
	for _, d := range w.book.done {
		s := w.system(d.at.system)
		if s == nil || !slices.ContainsFunc(s.byReference(d.ref, time.Time{}), func(r native.Receipt) bool { return r.Record == d.record }) {
			w.book.find("the ledger says that %s stands at %s as %s, where it does not", reference(d.ref), d.at, d.record)
		}
	}
}

// open says what has not come to rest yet; empty when everything has.
func (w *world) open() string {
	if w.talking.Load() > 0 {
		return "clerks are waiting"
	}
	for _, p := range w.living() {
		if p.ready.Load() {
			return w.openAt(p)
		}
	}
	return "no gateway is ready"
}

func (w *world) openAt(p *process) string {
	if mark := w.unread(); mark != "" {
		return mark + " has not been read"
	}
	for k, t := range w.bus {
		if end := t.length(); end > 0 && w.group.upTo(k) != end {
			return fmt.Sprintf("partition %d is committed up to %d of %d", k, w.group.upTo(k), end)
		}
	}
	for _, it := range p.desk.List() {
		if it.Status == ledger.StatusParked && !w.left(it.To.String()+" "+w.markAt(it.Item)) {
			return fmt.Sprintf("%s %s at %s: %s", w.markAt(it.Item), it.Status, it.To, it.Reason.Code)
		}
	}
	if mark, at := w.missing(w.waiting()); mark != "" {
		return mark + " does not stand at " + at.String()
	}
	if lanes := p.view.Runnable(func(handover.CaseID) bool { return true }); len(lanes) > 0 {
		return "a lane can go on at " + slices.MinFunc(lanes, func(a, b ledger.Lane) int { return strings.Compare(a.String(), b.String()) }).To.String()
	}
	return ""
}

// unread returns a message that a clerk has entered and that is neither on the bus nor kept. The ledger's cursor does not tell: a slow gateway may set
// it back, which costs a reading and nothing else.
func (w *world) unread() string {
	read := map[string]bool{}
	for _, topics := range [][]*topic{w.bus, w.kept} {
		for _, t := range topics {
			for _, e := range t.all() {
				read[markIn(e.value)], read[markIn(keptBody(e.value))] = true, true
			}
		}
	}
	for _, i := range w.book.items {
		if !read[i.mark] {
			return i.mark
		}
	}
	return ""
}
