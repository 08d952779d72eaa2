package receipts

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// Ledger is what receipts are read from.
type Ledger interface {
	Fates(q ledger.Query) (fates []ledger.Fate, next []int64, more bool)
	Unanswered() []ledger.Fate
	// Era returns how often the ledger was set back: positions of another era mean nothing.
	Era() int
	// SyncAll returns when everything that was in the ledger is read.
	SyncAll(ctx context.Context) error
}

// Receipt says what has become of one message at one place.
type Receipt struct {
	// Position is where the ledger says it: "3-1042". A receipt that has changed has another one; of one case the later one is the larger one.
	Position string             `json:"position"`
	Case     handover.CaseID    `json:"case"`
	Message  handover.MessageID `json:"message"`
	Name     handover.Name      `json:"name,omitzero"`   // empty: the record could not be translated
	Action   handover.Action    `json:"action,omitzero"` // recall or correction
	Test     bool               `json:"test,omitzero"`
	// Sender is who says the message; empty when that is not known, because nothing could be read of it.
	Sender handover.OrganisationID `json:"sender,omitzero"`
	// Entered are its numbers in the native system that it was entered in, as far as they are known, Entry its place in its case there, EnteredAt when, as that system dates it.
	Entered   ledger.Entered `json:"entered,omitzero"`
	Entry     uint64         `json:"entry,omitzero"`
	EnteredAt time.Time      `json:"enteredAt,omitzero"`
	// At is where it is to stand: "klib/sd-kriens", "casenet"; "gate" while it has no place in its case yet, or when it is to stand nowhere else.
	At      string         `json:"at"`
	Outcome ledger.Outcome `json:"outcome"`
	Since   time.Time      `json:"since"` // UTC
	// Record and RecordCase are its numbers there; RECORDED, RETURNED.
	Record     native.RecordID `json:"record,omitzero"`
	RecordCase native.CaseKey  `json:"recordCase,omitzero"`
	// Reason is the question that a person is asked (PARKED), or what it waits behind (HELD).
	Reason *ledger.Reason `json:"reason,omitzero"`
	// By is who has decided and why, if what is so now follows from a person's decision.
	By *By `json:"by,omitzero"`
	// Ask is whom to ask about what waits or was dropped, if the configuration says so.
	Ask string `json:"ask,omitzero"`

	to, origin ledger.Destination
}

// By is a person's decision.
type By struct {
	Person  string         `json:"person"`
	Verdict ledger.Verdict `json:"verdict"`
	Why     string         `json:"why"`
	At      time.Time      `json:"at"` // UTC
}

// Query says which receipts are asked for. The zero Query asks for all.
type Query struct {
	Case     handover.CaseID
	Sender   handover.OrganisationID
	Since    time.Time        // those that have become so since then
	Outcomes []ledger.Outcome // empty: all
	// Number is a native system's own number of a record or of a case, on either side: what a clerk has before her.
	Number string
	// After is the Next of an earlier page: what was told there is left out.
	After string
	// Limit is the most that a page holds; 0, and everything above [MostPerPage]: MostPerPage.
	Limit int
}

// MostPerPage is the most that a page holds.
const MostPerPage = 1000

// Page is an answer.
type Page struct {
	// Receipts in the order of the ledger: by case, each case in its order.
	Receipts []Receipt `json:"receipts"`
	// Next is what to ask for as After to go on from here, now or later.
	Next string `json:"next"`
	More bool   `json:"more"` // there is more already
}

// Book tells receipts. It is safe for concurrent use.
type Book struct {
	// Ledger is where they are read.
	Ledger Ledger
	// Within is the bound, and Answer how long a system may take on top of it until every doubt about an entry has settled.
	Within time.Duration
	Answer func(handover.SystemID) time.Duration
	// Contact is whom a sender asks; it may be empty.
	Contact string
}

// Page returns receipts, of everything that the ledger holds when it is called. A position that is not one of this ledger's is an error of kind Refuse with the code malformed-position, one from before the ledger was
// set back one with the code outdated-position: whoever gets that begins anew, without one.
func (b *Book) Page(ctx context.Context, q Query) (Page, error) {
	if err := b.Ledger.SyncAll(ctx); err != nil {
		return Page{}, err
	}
	era := b.Ledger.Era()
	after, err := parse(q.After, era)
	if err != nil {
		return Page{}, err
	}
	if q.Limit <= 0 || q.Limit > MostPerPage {
		q.Limit = MostPerPage
	}
	fates, next, more := b.Ledger.Fates(ledger.Query{Case: q.Case, Sender: q.Sender, Match: q.match(), Open: q.open(), After: after, Limit: q.Limit})
	if after != nil && len(after) != len(next) {
		return Page{}, malformed()
	}
	p := Page{Receipts: []Receipt{}, Next: position(era, next), More: more}
	for _, f := range fates {
		p.Receipts = append(p.Receipts, b.receipt(f))
	}
	return p, nil
}

// open reports whether nothing is asked for that is over.
func (q Query) open() bool {
	return len(q.Outcomes) > 0 && !slices.ContainsFunc(q.Outcomes, func(o ledger.Outcome) bool {
		return o != ledger.OutcomePending && o != ledger.OutcomeParked && o != ledger.OutcomeHeld
	})
}

// match returns what a fate must be like, nil if nothing is said about that.
func (q Query) match() func(ledger.Fate) bool {
	if q.Since.IsZero() && len(q.Outcomes) == 0 && q.Number == "" {
		return nil
	}
	return func(f ledger.Fate) bool {
		return !f.Since.Before(q.Since) && (len(q.Outcomes) == 0 || slices.Contains(q.Outcomes, f.Outcome)) && q.numbers(f)
	}
}

// numbers reports whether a fate has the number that is asked for, if one is.
func (q Query) numbers(f ledger.Fate) bool {
	return q.Number == "" || slices.Contains([]string{string(f.Entered.Record), string(f.Entered.Case), string(f.Native), string(f.NativeCase)}, q.Number)
}

// Late returns the receipts that are PENDING for longer than the bound, the oldest first.
func (b *Book) Late(now time.Time) []Receipt {
	late := []Receipt{}
	for _, f := range b.Ledger.Unanswered() {
		if now.Sub(f.Since) > b.Within+b.Answer(f.To.System) {
			late = append(late, b.receipt(f))
		}
	}
	return late
}

func (b *Book) receipt(f ledger.Fate) Receipt {
	r := Receipt{
		Position: fmt.Sprintf("%d-%d", f.Partition, f.Offset), Case: f.Case, Message: f.Message, Name: f.Name, Action: f.Action, Test: f.Test, Sender: f.Sender,
		Entered: f.Entered, Entry: f.Sequence, EnteredAt: f.EnteredAt, At: f.To.String(), Outcome: f.Outcome, Since: f.Since, Record: f.Native, RecordCase: f.NativeCase,
		to: f.To, origin: f.Origin,
	}
	if f.Reason != (ledger.Reason{}) {
		r.Reason = &f.Reason
	}
	if d := f.Decision; d != nil {
		r.By = &By{Person: d.Person, Verdict: d.Verdict, Why: d.Why, At: d.At}
	}
	switch f.Outcome {
	case ledger.OutcomeParked, ledger.OutcomeHeld, ledger.OutcomeWithdrawn:
		r.Ask = b.Contact
	case ledger.OutcomePending, ledger.OutcomeRecorded, ledger.OutcomeReturned:
	}
	return r
}

// position writes how far a page has come: "1.0.17.4", the era and an offset for each partition.
func position(era int, next []int64) string {
	words := []string{strconv.Itoa(era)}
	for _, o := range next {
		words = append(words, strconv.FormatInt(o, 10))
	}
	return strings.Join(words, ".")
}

// parse reads it; nil for an empty one.
func parse(s string, era int) ([]int64, error) {
	if s == "" {
		return nil, nil
	}
	var all []int64
	for word := range strings.SplitSeq(s, ".") {
		n, err := strconv.ParseUint(word, 10, 62)
		if err != nil || strconv.FormatUint(n, 10) != word {
			return nil, malformed()
		}
		all = append(all, int64(n)) //nolint:gosec // 62 bits
	}
	if all[0] != int64(era) {
		return nil, fault.New(fault.Refuse, "receipts.page", "outdated-position", "the ledger was set back since this position was given").At("after").
			Hint("leave it out, read everything anew, and take for each message and place what is said now")
	}
	return all[1:], nil
}

func malformed() error {
	return fault.New(fault.Refuse, "receipts.page", "malformed-position", "this is not a position that einmal has given").At("after").Hint("use the member next of an earlier answer, or leave it out")
}
