package parked_test

import (
	"context"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/parked"
)

// book is a ledger that remembers what it was told.
type book struct {
	waiting  []ledger.Item
	ruled    []ledger.Item
	decision ledger.Decision
	found    native.Receipt
	err      error
}

func (b *book) Parked() []ledger.Item { return b.waiting }

func (b *book) Rule(_ context.Context, it ledger.Item, d ledger.Decision, found native.Receipt) error {
	b.ruled, b.decision, b.found = append(b.ruled, it), d, found
	return b.err
}

// waiting are two messages of different partitions at the same ledger offset, and a held one.
func waiting() []ledger.Item {
	since := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	klib := ledger.Destination{System: "klib", Organisation: "sd-kriens"}
	return []ledger.Item{
		{Message: "m-1", Case: "c-1", Name: "measure-ordered", To: klib, Ref: "r-1", Status: ledger.StatusParked, Since: since, Partition: 3, Parking: 1042,
			Place: ledger.Place{Topic: ledger.OnBus, Offset: 17}, Reason: ledger.Reason{Code: "outcome-unknown", Text: "no answer", Next: "search"}},
		{Message: "m-2", Case: "c-2", To: ledger.Gate, Status: ledger.StatusParked, Since: since.Add(time.Minute), Partition: 4, Parking: 1042},
		{Message: "m-3", Case: "c-1", To: klib, Status: ledger.StatusHeld, Since: since.Add(time.Hour), Partition: 3, Parking: 1043},
	}
}

func TestEveryWaitingMessageHasANumberOfItsOwn(t *testing.T) {
	items := parked.New(&book{waiting: waiting()}).List()
	var ids, destinations []string
	for _, it := range items {
		ids, destinations = append(ids, it.ID), append(destinations, it.Destination)
	}
	require.Equal(t, []string{"3-1042", "4-1042", "3-1043"}, ids, "in the order of the ledger: the longest waiting first")
	require.Equal(t, []string{"klib/sd-kriens", "gate", "klib/sd-kriens"}, destinations)
}

func TestNothingWaitingIsAnEmptyListAndNotNothing(t *testing.T) {
	b, err := json.Marshal(parked.New(&book{}).List())
	require.NoError(t, err)
	require.Equal(t, "[]", string(b))
}

func TestAnOperatorSeesWhatWaitsAndWhyAndWhatToDo(t *testing.T) {
	b, err := json.Marshal(parked.New(&book{waiting: waiting()[:1]}).List())
	require.NoError(t, err)
	require.JSONEq(t, `[{
		"id":"3-1042","message":"m-1","name":"measure-ordered","case":"c-1","to":{"system":"klib","organisation":"sd-kriens"},"ref":"r-1",
		"place":{"topic":"handover","offset":17},"reason":{"code":"outcome-unknown","text":"no answer","next":"search"},
		"status":"parked","since":"2026-03-02T09:00:00Z","destination":"klib/sd-kriens"}]`, string(b))
}

func TestARulingReachesTheMessageThatItNames(t *testing.T) {
	for _, r := range []parked.Ruling{
		{Verdict: ledger.Retry, Person: "m.muster", Why: "the system is up again"},
		{Verdict: ledger.Withdraw, Person: "m.muster", Why: "entered twice"},
		{Verdict: ledger.Found, Person: "m.muster", Why: "seen in the dossier", Record: "4711", Case: "D-1"},
		{Verdict: ledger.Found, Person: "m.muster", Why: "seen in the dossier", Record: "4711"},
	} {
		b := &book{waiting: waiting()}
		require.NoError(t, parked.New(b).Rule(t.Context(), "3-1042", r))
		require.Equal(t, waiting()[:1], b.ruled)
		require.Equal(t, ledger.Decision{Verdict: r.Verdict, Person: r.Person, Why: r.Why}, b.decision)
		require.Equal(t, native.Receipt{Record: r.Record, Case: r.Case}, b.found)
	}
}

func TestARulingOnWhatDoesNotWaitIsRefused(t *testing.T) {
	for _, id := range []string{"", "9-9", "3-1042 ", "03-1042", "3-10421", "../3-1042"} {
		b := &book{waiting: waiting()}
		err := parked.New(b).Rule(t.Context(), id, parked.Ruling{Verdict: ledger.Retry, Person: "m.muster", Why: "again"})
		require.Equal(t, "no-such-item", fault.CodeOf(err), id)
		require.Equal(t, fault.Refuse, fault.KindOf(err), id)
		require.Empty(t, b.ruled, id)
	}
}

func TestARulingSaysWhoAndWhyAndWhatWasFound(t *testing.T) {
	for name, c := range map[string]struct {
		ruling parked.Ruling
		lacks  string
	}{
		"nothing":               {parked.Ruling{}, "verdict (RETRY, FOUND, WITHDRAW or ACCEPT), person, why"},
		"no verdict":            {parked.Ruling{Person: "m", Why: "w"}, "verdict (RETRY, FOUND, WITHDRAW or ACCEPT)"},
		"small letters":         {parked.Ruling{Verdict: "retry", Person: "m", Why: "w"}, "verdict (RETRY, FOUND, WITHDRAW or ACCEPT)"},
		"no person":             {parked.Ruling{Verdict: ledger.Retry, Why: "w"}, "person"},
		"a blank person":        {parked.Ruling{Verdict: ledger.Retry, Person: " \t", Why: "w"}, "person"},
		"no reason":             {parked.Ruling{Verdict: ledger.Withdraw, Person: "m"}, "why"},
		"a blank reason":        {parked.Ruling{Verdict: ledger.Withdraw, Person: "m", Why: "\n"}, "why"},
		"found without record":  {parked.Ruling{Verdict: ledger.Found, Person: "m", Why: "w"}, "record (the number in the native system)"},
		"found without anybody": {parked.Ruling{Verdict: ledger.Found}, "record (the number in the native system), person, why"},
	} {
		b := &book{waiting: waiting()}
		err := parked.New(b).Rule(t.Context(), "3-1042", c.ruling)
		require.Equal(t, "incomplete-ruling", fault.CodeOf(err), name)
		require.EqualError(t, err, "parked.rule: the ruling lacks "+c.lacks+" (incomplete-ruling)", name)
		require.Empty(t, b.ruled, name)
	}
}

func TestWhatWaitsAtTheGateCannotHaveBeenFound(t *testing.T) {
	b := &book{waiting: waiting()}
	err := parked.New(b).Rule(t.Context(), "4-1042", parked.Ruling{Verdict: ledger.Found, Person: "m", Why: "w", Record: "4711"})
	require.Equal(t, "impossible-ruling", fault.CodeOf(err))
	require.Empty(t, b.ruled)
}

func TestWhoeverFindsTheOpeningOfACaseSaysWhichCase(t *testing.T) {
	b := &book{waiting: waiting()}
	b.waiting[0].Name = handover.ApplicationSubmitted{}.Name()
	found := parked.Ruling{Verdict: ledger.Found, Person: "m", Why: "w", Record: "4711"}
	require.Equal(t, "incomplete-ruling", fault.CodeOf(parked.New(b).Rule(t.Context(), "3-1042", found)))
	require.Empty(t, b.ruled)
	found.Case = "D-1"
	require.NoError(t, parked.New(b).Rule(t.Context(), "3-1042", found))
}

// Fault 76.
func TestWhatTheLedgerRefusesIsPassedOn(t *testing.T) {
	b := &book{waiting: waiting(), err: fault.New(fault.Refuse, "ledger.rule", "already-ruled", "somebody else was first")}
	err := parked.New(b).Rule(t.Context(), "3-1043", parked.Ruling{Verdict: ledger.Retry, Person: "m", Why: "w"})
	require.Equal(t, "already-ruled", fault.CodeOf(err))
}
