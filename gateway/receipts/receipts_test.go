package receipts_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/receipts"
)

// book is a ledger that says what it was told to.
type book struct {
	fates []ledger.Fate
	next  []int64
	more  bool
	era   int
	asked ledger.Query
	away  error
}

func (b *book) Fates(q ledger.Query) ([]ledger.Fate, []int64, bool) {
	b.asked = q
	return slices.DeleteFunc(slices.Clone(b.fates), func(f ledger.Fate) bool { return q.Match != nil && !q.Match(f) }), b.next, b.more
}
func (b *book) Unanswered() []ledger.Fate     { return b.fates }
func (b *book) Era() int                      { return b.era }
func (b *book) SyncAll(context.Context) error { return b.away }

var (
	since = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	klib  = ledger.Destination{System: "klib", Organisation: "sd-kriens"}
	avam  = ledger.Destination{System: "avam", Organisation: "rav-luzern"}
)

func fate(o ledger.Outcome, to ledger.Destination) ledger.Fate {
	return ledger.Fate{
		Case: "c-1", Message: "m-1", Name: "measure-ordered", Sender: "rav-luzern", Origin: avam, Entered: ledger.Entered{System: "avam", Case: "AV-1", Record: "AV-E-7"}, Sequence: 4,
		EnteredAt: since.Add(-time.Minute), To: to, Outcome: o, Since: since, Partition: 3, Offset: 1042,
	}
}

func page(t *testing.T, l *book, q receipts.Query) receipts.Page {
	t.Helper()
	p, err := (&receipts.Book{Ledger: l, Contact: "041 000 00 00"}).Page(t.Context(), q)
	require.NoError(t, err)
	return p
}

func TestAReceiptSaysWhatStandsWhereUnderWhichNumber(t *testing.T) {
	f := fate(ledger.OutcomeRecorded, klib)
	f.Native, f.NativeCase = "KL-9", "D-1"
	b, err := json.Marshal(page(t, &book{fates: []ledger.Fate{f}, next: []int64{0, 0, 0, 1043}}, receipts.Query{}))
	require.NoError(t, err)
	require.JSONEq(t, `{"receipts":[{"position":"3-1042","case":"c-1","message":"m-1","name":"measure-ordered","sender":"rav-luzern",
		"entered":{"system":"avam","case":"AV-1","record":"AV-E-7"},"entry":4,"enteredAt":"2026-03-02T08:59:00Z",
		"at":"klib/sd-kriens","outcome":"RECORDED","since":"2026-03-02T09:00:00Z","record":"KL-9","recordCase":"D-1"}],"next":"0.0.0.0.1043","more":false}`, string(b))
}

func TestNoReceiptIsAnEmptyListAndNotNothing(t *testing.T) {
	b, err := json.Marshal(page(t, &book{next: []int64{5}, era: 2, more: true}, receipts.Query{}))
	require.NoError(t, err)
	require.JSONEq(t, `{"receipts":[],"next":"2.5","more":true}`, string(b))
}

func TestAReceiptSaysWhoDecidedAndWhomToAsk(t *testing.T) {
	f := fate(ledger.OutcomeWithdrawn, klib)
	f.Decision = &ledger.Decision{Verdict: ledger.Withdraw, Person: "m.muster", Why: "entered twice", At: since}
	got := page(t, &book{fates: []ledger.Fate{f, fate(ledger.OutcomePending, klib)}}, receipts.Query{}).Receipts
	require.Equal(t, &receipts.By{Person: "m.muster", Verdict: ledger.Withdraw, Why: "entered twice", At: since}, got[0].By)
	require.Equal(t, "041 000 00 00", got[0].Ask)
	require.Empty(t, got[1].Ask, "nobody needs to ask about what is on its way")
}

func TestAPositionIsReadAgainAndAnythingElseIsRefused(t *testing.T) {
	l := &book{next: []int64{7, 8}, era: 1}
	b := &receipts.Book{Ledger: l}
	for after, code := range map[string]string{
		"1.7.8": "", "0.7.8": "outdated-position", "2.7.8": "outdated-position", "1": "malformed-position", "1.7": "malformed-position", "1.7.8.9": "malformed-position",
		"1.7.-8": "malformed-position", "1.07.8": "malformed-position", "1.7.x": "malformed-position", ".": "malformed-position", "1.7.99999999999999999999": "malformed-position",
	} {
		_, err := b.Page(t.Context(), receipts.Query{After: after})
		if code == "" {
			require.NoError(t, err)
			require.Equal(t, []int64{7, 8}, l.asked.After)
			continue
		}
		require.Equal(t, code, fault.CodeOf(err), after)
		require.Equal(t, fault.Refuse, fault.KindOf(err), after)
	}
}

func FuzzPosition(f *testing.F) {
	for _, s := range []string{"", "0", "0.1.2", "0.01", "-1", "1e3", "0..1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, after string) {
		l := &book{next: []int64{1, 2}}
		_, err := (&receipts.Book{Ledger: l}).Page(context.Background(), receipts.Query{After: after})
		if err == nil && after != "" {
			require.Len(t, l.asked.After, len(l.next))
			l.next = l.asked.After
			again, err := (&receipts.Book{Ledger: l}).Page(context.Background(), receipts.Query{})
			require.NoError(t, err)
			require.Equal(t, after, again.Next, "what was read is what would be written")
		}
	})
}

func TestAPageIsBoundedAndFilteredByWhatWasAskedFor(t *testing.T) {
	l := &book{fates: []ledger.Fate{fate(ledger.OutcomePending, klib), fate(ledger.OutcomeParked, klib)}}
	for asked, given := range map[int]int{0: receipts.MostPerPage, 1 << 20: receipts.MostPerPage, -1: receipts.MostPerPage, 7: 7} {
		page(t, l, receipts.Query{Limit: asked, Case: "c-1", Sender: "rav-luzern"})
		require.Equal(t, ledger.Query{Limit: given, Case: "c-1", Sender: "rav-luzern"}, l.asked)
	}
	require.Len(t, page(t, l, receipts.Query{Outcomes: []ledger.Outcome{ledger.OutcomeParked}}).Receipts, 1)
	require.Len(t, page(t, l, receipts.Query{Since: since}).Receipts, 2)
	require.Empty(t, page(t, l, receipts.Query{Since: since.Add(1)}).Receipts)
	l.fates[0].Native, l.fates[0].NativeCase = "KL-9", "D-1"
	for number, n := range map[string]int{"AV-E-7": 2, "AV-1": 2, "KL-9": 1, "D-1": 1, "KL": 0, "c-1": 0} {
		require.Len(t, page(t, l, receipts.Query{Number: number}).Receipts, n, number)
	}
}

// A ledger that cannot be read to its end is not answered from: what it says might be old.
func TestNothingIsToldFromALedgerThatIsNotRead(t *testing.T) {
	_, err := (&receipts.Book{Ledger: &book{away: fault.New(fault.Retry, "test", "away", "the log does not answer")}}).Page(t.Context(), receipts.Query{})
	require.Equal(t, "away", fault.CodeOf(err))
}

func TestLateIsWhatHasNoReceiptAfterTheBoundAndTheSystemsOwnTime(t *testing.T) {
	b := &receipts.Book{
		Ledger: &book{fates: []ledger.Fate{fate(ledger.OutcomePending, avam), fate(ledger.OutcomePending, klib)}}, Within: 15 * time.Minute,
		Answer: func(id handover.SystemID) time.Duration {
			return map[handover.SystemID]time.Duration{"klib": 60 * time.Hour}[id]
		},
	}
	require.Empty(t, b.Late(since.Add(15*time.Minute)))
	late := b.Late(since.Add(15*time.Minute + time.Second))
	require.Len(t, late, 1)
	require.Equal(t, "avam/rav-luzern", late[0].At)
	require.Len(t, b.Late(since.Add(61*time.Hour)), 2)
	require.NotNil(t, b.Late(since), "nothing is an empty list")
}

// The sender is told what is about her own message, and what a machine could not find out; not what another agency's system says about the person, nor of other cases.
func TestI5ASenderIsToldNoReasonThatIsAnotherAgencysBusiness(t *testing.T) {
	reason := func(code string) ledger.Reason {
		return ledger.Reason{Code: code, Text: "the person has no IV registration", Path: "/p", Next: "do this"}
	}
	for name, test := range map[string]struct {
		to   ledger.Destination
		code string
		want ledger.Reason
	}{
		"her own entry":          {ledger.Gate, "unknown-code", ledger.Reason{Code: "unknown-code", Text: "the person has no IV registration", Path: "/p", Next: "do this"}},
		"another case":           {ledger.Gate, "second-claim", ledger.Reason{Code: "not-told", Text: "a person must decide; the reason concerns others than the sender"}},
		"an answer in her own":   {avam, "unknown-kind", ledger.Reason{Code: "unknown-kind", Text: "the person has no IV registration", Path: "/p"}},
		"a refusal of another's": {klib, "person-unknown", ledger.Reason{Code: "not-told", Text: "a person must decide; the reason concerns others than the sender"}},
		"a doubt":                {klib, "outcome-unknown", ledger.Reason{Code: "outcome-unknown", Text: "the person has no IV registration", Path: "/p"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := fate(ledger.OutcomeParked, test.to)
			f.Reason = reason(test.code)
			all := page(t, &book{fates: []ledger.Fate{f}}, receipts.Query{}).Receipts
			require.Equal(t, &test.want, receipts.ForSender(all)[0].Reason)
			require.Equal(t, reason(test.code), *all[0].Reason, "operators still see it whole")
		})
	}
	require.Nil(t, receipts.ForSender(page(t, &book{fates: []ledger.Fate{fate(ledger.OutcomeRecorded, klib)}}, receipts.Query{}).Receipts)[0].Reason)
}
