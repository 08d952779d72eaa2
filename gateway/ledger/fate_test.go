package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// told is what a view says of a message, place by place.
func told(v *View, m handover.MessageID) map[string]Outcome {
	all, _, _ := v.Fates(Query{})
	out := map[string]Outcome{}
	for _, f := range all {
		if f.Message == m {
			out[f.To.String()] = f.Outcome
		}
	}
	return out
}

func (p *pages) done(e Entry, number native.RecordID) {
	require.NoError(p.t, p.ledger().Done(p.t.Context(), e, native.Receipt{Record: number, Case: "k-1"}))
}

// What has become of a message is told place by place, and follows from the ledger alone: who reads it again, cleaned or not, says the same.
func TestI1_WhatBecameOfAMessageIsToldAtEveryPlace(t *testing.T) {
	const here, there = "klib/sd-kriens", "casenet"
	for name, test := range map[string]struct {
		play func(p *pages)
		want map[string]Outcome
	}{
		"it waits at the gate":             {func(p *pages) { p.park(at("m1", Gate)) }, map[string]Outcome{"gate": OutcomeParked}},
		"it waits behind another":          {func(p *pages) { p.hold(at("m1", Gate)) }, map[string]Outcome{"gate": OutcomeHeld}},
		"a person lets it go on":           {func(p *pages) { p.must(p.rule(p.park(at("m1", Gate)), Retry)) }, map[string]Outcome{"gate": OutcomePending}},
		"a person drops it at the gate":    {func(p *pages) { p.must(p.rule(p.park(at("m1", Gate)), Withdraw)) }, map[string]Outcome{"gate": OutcomeWithdrawn}},
		"it is admitted":                   {func(p *pages) { p.admit("m1", 1) }, map[string]Outcome{here: OutcomePending, there: OutcomePending}},
		"it is admitted after it waited":   {func(p *pages) { p.park(at("m1", Gate)); p.admit("m1", 1) }, map[string]Outcome{here: OutcomePending, there: OutcomePending}},
		"it stands":                        {func(p *pages) { p.admit("m1", 1); p.done(at("m1", dossier), "n-1") }, map[string]Outcome{here: OutcomeRecorded, there: OutcomePending}},
		"a person must look":               {func(p *pages) { p.admit("m1", 1); p.park(at("m1", dossier)) }, map[string]Outcome{here: OutcomeParked, there: OutcomePending}},
		"it waits there behind another":    {func(p *pages) { p.admit("m1", 1); p.hold(at("m1", dossier)) }, map[string]Outcome{here: OutcomeHeld, there: OutcomePending}},
		"a person has it sent once more":   {func(p *pages) { p.admit("m1", 1); p.must(p.rule(p.park(at("m1", dossier)), Retry)) }, map[string]Outcome{here: OutcomePending, there: OutcomePending}},
		"a person has found it":            {func(p *pages) { p.admit("m1", 1); p.must(p.rule(p.park(at("m1", dossier)), Found)) }, map[string]Outcome{here: OutcomeRecorded, there: OutcomePending}},
		"a person drops it at a place":     {func(p *pages) { p.admit("m1", 1); p.must(p.rule(p.park(at("m1", dossier)), Withdraw)) }, map[string]Outcome{here: OutcomeWithdrawn, there: OutcomePending}},
		"it stands although it was parked": {func(p *pages) { p.admit("m1", 1); p.park(at("m1", dossier)); p.done(at("m1", dossier), "n-1") }, map[string]Outcome{here: OutcomeRecorded, there: OutcomePending}},
		"it has gone and is sent again": {func(p *pages) {
			p.admit("m1", 1)
			p.intend(at("m1", dossier), 1, "a")
			p.done(at("m1", dossier), "n-1")
			p.must(p.rule(differ(p.t, p.ledger(), at("m1", dossier), missing("d-1")), Retry))
		}, map[string]Outcome{here: OutcomePending, there: OutcomePending}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPages(t)
			test.play(p)
			require.Equal(t, test.want, told(p.view, "m1"))
			for _, compact := range []bool{false, true} {
				require.Equal(t, test.want, told(p.again(compact), "m1"))
				require.Equal(t, p.fates(p.view, Query{}), p.fates(p.again(compact), Query{}), "also numbers, reasons and times")
			}
		})
	}
}

func (p *pages) must(err error) { require.NoError(p.t, err) }

// hold lets a message wait behind another one.
func (p *pages) hold(e Entry) {
	p.must(p.ledger().Park(p.t.Context(), e, Parking{Held: true, Reason: Reason{Code: "held", Text: "behind m0"}}))
}

func (p *pages) fates(v *View, q Query) []Fate {
	all, _, more := v.Fates(q)
	require.False(p.t, more)
	return all
}

// A receipt says what its sender needs to find the entry, and what it stands as.
func TestAFateNamesTheRecordOnBothSides(t *testing.T) {
	p := newPages(t)
	l := p.ledger()
	entered := begin.Add(-time.Hour)
	p.must(l.Bind(t.Context(), "c1", other, "AV-1"))
	_, _, err := l.Admit(t.Context(), "c1", "m1", Admission{
		Number: 1, To: []Destination{dossier}, Origin: other, Sequence: 4, Name: "measure-ordered", Record: "AV-E-7", Entered: entered, Action: handover.ActionCorrection,
		Said: &handover.Said{ID: "m1", Sender: "rav-luzern"},
	})
	p.must(err)
	p.done(at("m1", dossier), "KL-9")
	require.Equal(t, []Fate{{
		Case: "c1", Message: "m1", Name: "measure-ordered", Action: handover.ActionCorrection, Sender: "rav-luzern", Origin: other, Sequence: 4, EnteredAt: entered,
		Entered: Entered{System: "avam", Case: "AV-1", Record: "AV-E-7"}, To: dossier, Outcome: OutcomeRecorded, Since: begin.Add(2 * time.Second), Offset: 2, Native: "KL-9", NativeCase: "k-1",
	}}, p.fates(p.view, Query{}))
	p.done(at("m1", dossier), "KL-9")
	require.EqualValues(t, 2, p.fates(p.view, Query{})[0].Offset, "another gateway has said the same once more: nothing has changed")
}

// What the rules do not admit is returned, once its answer stands; what concerns nobody else is settled with its place in the case.
func TestAFateOfWhatGoesNowhereElse(t *testing.T) {
	p := newPages(t)
	l := p.ledger()
	a := Admission{Number: 1, Origin: other, Sequence: 1, To: []Destination{other}, State: handover.ReturnedState, Opening: &Opening{Check: &Check{Outcome: handover.Returned}}}
	_, _, err := l.Admit(t.Context(), "c1", "m1", a)
	p.must(err)
	require.Equal(t, map[string]Outcome{"avam/rav-luzern": OutcomePending}, told(p.view, "m1"))
	p.done(at("m1", other), "AV-2")
	require.Equal(t, map[string]Outcome{"avam/rav-luzern": OutcomeReturned}, told(p.view, "m1"))
	_, _, err = l.Admit(t.Context(), "c1", "m2", Admission{Number: 2, Origin: other, Sequence: 2, State: handover.Withdrawn, Action: handover.ActionRecall, Revises: "m1"})
	p.must(err)
	require.Equal(t, map[string]Outcome{"gate": OutcomeRecorded}, told(p.view, "m2"))
	require.Empty(t, p.view.Unanswered())
}

// Only what nothing is known of is unanswered: what waits for a person has its receipt.
func TestUnansweredIsWhatNothingIsKnownOf(t *testing.T) {
	p := newPages(t)
	p.admit("m1", 1)
	p.admit("m2", 2)
	p.done(at("m1", dossier), "n-1")
	p.park(at("m1", platform))
	it := p.park(at("m3", Gate))
	p.must(p.rule(it, Retry))
	var got []string
	for _, f := range p.view.Unanswered() {
		got = append(got, string(f.Message)+" "+f.To.String())
	}
	require.Equal(t, []string{"m2 casenet", "m2 klib/sd-kriens", "m3 gate"}, got)
}

// Whoever asks for one sender or case gets that one only.
func TestFatesOfOneSenderOrCase(t *testing.T) {
	p := newPages(t)
	p.admit("m1", 1)
	p.park(Entry{Case: "c2", Message: "m2", To: Gate, Sender: "sd-kriens"})
	p.park(Entry{Case: "c3", Message: "m3", To: Gate, Origin: dossier})
	p.park(Entry{Case: "c4", Message: "m4", To: Gate})
	count := func(q Query) int { return len(p.fates(p.view, q)) }
	require.Equal(t, 5, count(Query{}))
	require.Equal(t, 2, count(Query{Sender: "rav-luzern"}))
	require.Equal(t, 2, count(Query{Sender: "sd-kriens"}), "by name, and by the dossier that it was entered in")
	require.Equal(t, 1, count(Query{Case: "c4"}))
	require.Zero(t, count(Query{Case: "c1", Sender: "sd-kriens"}))
}

// What is not meant takes no place on a page: whoever looks for one of many does not turn thousands of empty pages.
func TestAPageIsFullOfWhatIsMeant(t *testing.T) {
	p := newPages(t)
	for n := range 9 {
		m := handover.MessageID(fmt.Sprint("m", n))
		p.admit(m, uint64(n+1)) //nolint:gosec // small
		if n%4 == 0 {
			p.done(at(m, dossier), "n-1")
		}
	}
	recorded := func(f Fate) bool { return f.Outcome == OutcomeRecorded }
	first, after, more := p.view.Fates(Query{Match: recorded, Limit: 2})
	require.Len(t, first, 2)
	require.True(t, more)
	second, after, more := p.view.Fates(Query{Match: recorded, Limit: 2, After: after})
	require.Len(t, second, 1)
	require.False(t, more)
	none, _, more := p.view.Fates(Query{Match: recorded, Limit: 2, After: after})
	require.Empty(t, none)
	require.False(t, more)
	for _, f := range append(first, second...) {
		require.True(t, recorded(f))
	}
}

// Whoever goes on from where the last answer ended misses nothing: at the end she knows of each message at each place what the ledger knows, whatever the size of a page, and hears of a case in its order.
func TestI1_WhoReadsOnMissesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := newPages(t)
		known, lastOf := map[string]Fate{}, map[handover.CaseID]int64{}
		var after []int64
		read := func() {
			for more := true; more; {
				var all []Fate
				all, after, more = p.view.Fates(Query{After: after, Limit: rapid.IntRange(1, 4).Draw(rt, "limit")})
				for _, f := range all {
					require.GreaterOrEqual(rt, f.Offset, lastOf[f.Case], "in the order of the case")
					lastOf[f.Case], known[string(f.Message)+f.To.String()] = f.Offset, f
				}
			}
		}
		number := uint64(0)
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			m := handover.MessageID(fmt.Sprintf("m%d", rapid.IntRange(1, 5).Draw(rt, "message")))
			e := at(m, rapid.SampledFrom([]Destination{dossier, platform}).Draw(rt, "place"))
			_, admitted := p.view.Admission(m)
			switch rapid.IntRange(0, 4).Draw(rt, "what") {
			case 0:
				if !admitted && p.admit(m, number+1) {
					number++
				}
			case 1:
				if admitted {
					p.done(e, "n-1")
				}
			case 2:
				if admitted {
					p.park(e)
				} else {
					p.park(at(m, Gate))
				}
			case 3:
				for _, it := range p.view.Parked() {
					if it.Status == StatusParked {
						_ = p.rule(it, rapid.SampledFrom([]Verdict{Retry, Withdraw}).Draw(rt, "verdict"))
						break
					}
				}
			default:
				read()
			}
		}
		read()
		for _, f := range p.fates(p.view, Query{}) {
			require.Equal(rt, f, known[string(f.Message)+f.To.String()])
		}
	})
}

// I1: whoever reads on while the ledger grows, over more messages than are looked at in one go, misses nothing either.
func TestI1_WhoReadsOnWhileTheLedgerGrowsMissesNothing(t *testing.T) {
	p := newPages(t)
	const messages = 3 * batch / 2
	written := make(chan struct{})
	go func() {
		defer close(written)
		l := p.ledger()
		for n := range messages {
			m := handover.MessageID(fmt.Sprint("m", n))
			_, _, _ = l.Admit(t.Context(), handover.CaseID(m), m, Admission{Number: 1, To: []Destination{dossier}, Origin: other, Sequence: 1})
			_ = l.Done(t.Context(), Entry{Case: handover.CaseID(m), Message: m, To: dossier, Ref: native.Reference(m)}, native.Receipt{Record: "n"})
		}
	}()
	known := map[handover.MessageID]Outcome{}
	var after []int64
	for ended, more := false, true; !ended || more; {
		select {
		case <-written:
			ended = true
		default:
		}
		var all []Fate
		all, after, more = p.view.Fates(Query{After: after, Limit: 200})
		for _, f := range all {
			known[f.Message] = f.Outcome
		}
	}
	require.Len(t, known, messages)
	for m, o := range known {
		require.Equal(t, OutcomeRecorded, o, m)
	}
}
