package ledger

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// begin is when every test of this package begins.
var begin = time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)

// pages is a ledger of one partition in memory, with a view that reads at once.
type pages struct {
	t       *testing.T
	view    *View
	records []page
	woken   []Lane
	fail    error // returned by Append, which writes all the same
}

type page struct {
	at    time.Time
	key   string
	value []byte
}

func newPages(t *testing.T) *pages {
	p := &pages{t: t}
	p.view = NewView(1, func(_ int32, l Lane) { p.woken = append(p.woken, l) })
	return p
}

func (p *pages) ledger() *Ledger { return New(p, p.view, func() time.Time { return begin }) }

func (p *pages) Append(_ context.Context, _ int32, key string, value []byte) (int64, error) {
	offset := int64(len(p.records))
	at := begin.Add(time.Duration(offset) * time.Second)
	p.records = append(p.records, page{at, key, value})
	p.view.Apply(0, offset, at, value)
	return offset, p.fail
}

func (p *pages) PartitionOf(handover.CaseID) int32 { return 0 }

func (p *pages) End(context.Context, int32) (int64, error) { return int64(len(p.records)), nil }

// add appends a record as it stands.
func (p *pages) add(r Record) int64 {
	value, err := encode(r)
	require.NoError(p.t, err)
	offset, err := p.Append(p.t.Context(), 0, r.key(), value)
	require.NoError(p.t, err)
	return offset
}

// again returns the view of somebody who reads everything from the beginning, after a cleaning of the log if so asked.
func (p *pages) again(compact bool) *View {
	last := map[string]int{}
	for i, r := range p.records {
		last[r.key] = i
	}
	v := NewView(1, nil)
	for i, r := range p.records {
		if !compact || last[r.key] == i {
			v.Apply(0, int64(i), r.at, r.value)
		}
	}
	return v
}

var (
	dossier  = Destination{System: "klib", Organisation: "sd-kriens"}
	other    = Destination{System: "avam", Organisation: "rav-luzern"}
	platform = Destination{System: "casenet"}
)

// admit appends an ADMIT for destinations dossier and platform.
func (p *pages) admit(m handover.MessageID, number uint64) bool {
	_, ok, err := p.ledger().Admit(p.t.Context(), "c1", m, Admission{
		Number: number, Place: Place{Topic: OnBus, Offset: int64(number)}, State: handover.UnderReview, To: []Destination{dossier, platform}, Origin: other, Sequence: number,
	})
	require.NoError(p.t, err)
	return ok
}

func at(m handover.MessageID, to Destination) Entry {
	e := Entry{Case: "c1", Message: m, To: to}
	if to != Gate {
		e.Ref = native.Reference(string(m) + "@" + to.String())
	}
	return e
}

// park appends a PARK and returns the item.
func (p *pages) park(e Entry) Item {
	require.NoError(p.t, p.ledger().Park(p.t.Context(), e, Parking{Reason: Reason{Code: "x", Text: "x"}}))
	return p.item(e)
}

func (p *pages) item(e Entry) Item {
	for _, it := range p.view.Parked() {
		if it.Message == e.Message && it.To == e.To {
			return it
		}
	}
	return Item{}
}

func (p *pages) rule(it Item, v Verdict) error {
	return p.ledger().Rule(p.t.Context(), it, Decision{Verdict: v, Person: "op", Why: "because"}, native.Receipt{Record: "n1", Case: "k1"})
}

// The first ADMIT with the next number counts; one that was decided on an older view does not.
func TestI3_TheFirstAdmissionWithTheNextNumberCounts(t *testing.T) {
	p := newPages(t)
	require.True(t, p.admit("m1", 1))
	require.False(t, p.admit("m2", 1), "the number is taken")
	require.False(t, p.admit("m2", 3), "a number was left out")
	require.True(t, p.admit("m2", 2))
	require.True(t, p.admit("m1", 3), "it has its place already")
	a, _ := p.view.Admission("m1")
	require.EqualValues(t, 1, a.Number)
	require.EqualValues(t, 2, p.view.Case("c1").Number)
	require.Len(t, p.view.OpenBelow(0, 2), 1)
	require.Len(t, p.view.OpenBelow(0, 3), 2)
}

// An ADMIT does not count while another message of the case stands before it at the gate: whoever wrote it had not read that yet.
func TestI3_NothingIsAdmittedBeforeWhatWaitsAtTheGate(t *testing.T) {
	p := newPages(t)
	first := p.park(Entry{Case: "c1", Message: "m1", To: Gate, Origin: other, Sequence: 1})
	require.False(t, p.admit("m2", 1), "m1 stands before it")
	require.True(t, p.admit("m1", 1), "itself it does not hold back")
	require.Empty(t, p.view.Parked())
	require.Equal(t, "gate", first.To.String())

	p.park(Entry{Case: "c1", Message: "m9", To: Gate, Origin: other, Sequence: 9})
	require.True(t, p.admit("m2", 2), "what was entered later in the same dossier does not stand before it")
	require.Error(t, errors.Join(p.rule(first, Retry)), "m1 waits no longer")
}

// I3: a record that could not be translated does not say whose it is, so everything after it waits behind it. Once its dossier is known, what was entered before it in that dossier goes before it; the rest
// stays where it was. Simulation, seed 1003589.
func TestI3_WhatWaitsTakesItsPlaceInItsDossierOnceThatIsKnown(t *testing.T) {
	for name, known := range map[string]func(p *pages){
		"a record was published from it": func(p *pages) {
			p.add(Record{Kind: Bind, Case: "c1", To: other, NativeCase: "AV-1", Nonce: Nonce()})
		},
		"its application was recorded": func(p *pages) {
			p.must(p.ledger().Done(p.t.Context(), at("m1", other), native.Receipt{Record: "AV-E-1", Case: "AV-1"}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPages(t)
			require.True(t, p.admit("m1", 1))
			p.park(Entry{Case: "c1", Message: "m4", To: Gate, Sequence: 4, Entered: Entered{System: "avam", Case: "AV-1", Record: "AV-E-4"}})
			p.hold(Entry{Case: "c1", Message: "foreign", To: Gate, Origin: dossier, Sequence: 2})
			p.hold(Entry{Case: "c1", Message: "m3", To: Gate, Origin: other, Sequence: 3})
			require.Equal(t, []handover.MessageID{"m4", "foreign", "m3"}, p.waiting(p.view))
			require.False(t, p.admit("m3", 2), "perhaps m4 was entered before it")
			p.woken = nil
			known(p)
			require.Contains(t, p.woken, Lane{Case: "c1", To: Gate}, "m3 can go on")
			for _, v := range []*View{p.view, p.again(false), p.again(true)} {
				require.Equal(t, []handover.MessageID{"m3", "m4", "foreign"}, p.waiting(v))
			}
			_, ok, err := p.ledger().Admit(t.Context(), "c1", "m4", Admission{Number: 2, To: []Destination{dossier}, Origin: other, Sequence: 4})
			p.must(err)
			require.False(t, ok, "m3 was entered before it")
			require.True(t, p.admit("m3", 2))
			known(p) // two gateways have said it, or it was sent once more: which came first decides after compaction, too
			for _, v := range []*View{p.view, p.again(false), p.again(true)} {
				require.EqualValues(t, 2, v.Case("c1").Number)
				require.Equal(t, []handover.MessageID{"m4", "foreign"}, p.waiting(v))
			}
		})
	}
}

// waiting is what waits at the gate of the case, in order.
func (p *pages) waiting(v *View) []handover.MessageID {
	var all []handover.MessageID
	for _, it := range v.lanes[Lane{Case: "c1", To: Gate}].items {
		all = append(all, it.Message)
	}
	return all
}

// Whoever owns the partition hears of a message that another gateway admitted from among those that waited: that gateway may be dead by now.
func TestI1_TheLanesOfAnAdmittedMessageThatWaitedAreWoken(t *testing.T) {
	p := newPages(t)
	p.park(at("m1", Gate))
	p.woken = nil
	require.True(t, p.admit("m1", 1))
	require.Equal(t, []Lane{{"c1", dossier}, {"c1", platform}}, p.woken)
	p.woken = nil
	require.True(t, p.admit("m2", 2))
	require.Empty(t, p.woken, "who admits a message that did not wait has just read it from the bus, as every owner does")
	first, open := p.view.OpenAt(Lane{"c1", dossier})
	require.True(t, open)
	require.EqualValues(t, "m1", first.Message)
	p.park(at("m1", dossier))
	first, open = p.view.OpenAt(Lane{"c1", dossier})
	require.True(t, open)
	require.EqualValues(t, "m2", first.Message, "m1 waits")
	_, open = p.view.OpenAt(Lane{"c1", other})
	require.False(t, open)
}

// A person is told where a message was entered by what is known when she looks, not when it was parked.
func TestWhatWaitsNamesItsDossierOnceItIsKnown(t *testing.T) {
	p := newPages(t)
	e := Entry{Case: "c1", Message: "m1", To: Gate, Origin: other, Sequence: 1, Entered: Entered{Record: "AV-E-7"}}
	require.Equal(t, Entered{System: "avam", Record: "AV-E-7"}, p.park(e).Entered)
	p.must(p.ledger().Bind(t.Context(), "c1", other, "AV-1"))
	want := Entered{System: "avam", Case: "AV-1", Record: "AV-E-7"}
	require.Equal(t, want, p.item(e).Entered)
	require.Equal(t, want, p.fates(p.view, Query{})[0].Entered)
}

// A person who has found an entry knows where the case stands, whatever was entered elsewhere meanwhile.
func TestARulingNamesTheDossier(t *testing.T) {
	p := newPages(t)
	require.True(t, p.admit("m1", 1))
	it := p.park(at("m1", dossier))
	p.must(p.ledger().Bind(t.Context(), "c1", dossier, "k-0"))
	p.must(p.rule(it, Found))
	key, _ := p.view.NativeCase("c1", dossier)
	require.EqualValues(t, "k1", key)
}

func (p *pages) intend(e Entry, attempt int, nonce string) Ref {
	require.NoError(p.t, p.ledger().Intend(p.t.Context(), e, attempt, nonce))
	ref, _ := p.view.Ref(e.Ref)
	return ref
}

// I2: while a person decides, nobody sends: an INTENT does not count between the parking and the ruling.
// Fault 76.
func TestI2_NobodySendsWhileAPersonDecides(t *testing.T) {
	p := newPages(t)
	e := at("m1", dossier)
	p.intend(e, 1, "a")
	require.NoError(t, p.ledger().Void(t.Context(), e, 1, "a", false))
	it := p.park(e)
	require.Equal(t, "a", p.intend(e, 2, "b").Nonce, "another owner, who has not read the parking yet")
	ref, _ := p.view.Ref(e.Ref)
	step, _ := Decide(ref, Own{Attempt: 2, Nonce: "b", At: begin}, "A", bounds, begin)
	require.Equal(t, StepAsked, step)
	require.NoError(t, p.rule(it, Retry))
	require.Equal(t, "c", p.intend(e, 2, "c").Nonce)
}

// I2: a person who says "once more" has judged the attempt that was put before her, and no other one.
func TestI2_ARulingSettlesTheDoubtThatItIsAbout(t *testing.T) {
	for name, tc := range map[string]struct {
		judged int
		want   Step
	}{"that attempt": {2, StepIntend}, "none: it could not be translated": {0, StepPark}} {
		t.Run(name, func(t *testing.T) {
			p := newPages(t)
			e := at("m1", dossier)
			p.intend(e, 1, "a")
			p.intend(e, 2, "b")
			require.NoError(t, p.ledger().Park(t.Context(), e, Parking{Attempt: tc.judged, Reason: Reason{Code: "x", Text: "x"}}))
			require.NoError(t, p.rule(p.item(e), Retry))
			ref, _ := p.view.Ref(e.Ref)
			step, _ := Decide(ref, Own{}, "C", bounds, begin.Add(time.Hour))
			require.Equal(t, tc.want, step)
		})
	}
}

// A person is asked about the last attempt only: of a question about an attempt and the INTENT of the next one, the first in the ledger counts.
func TestNobodyIsAskedAboutAnAttemptAfterWhichAnotherOneWasAnnounced(t *testing.T) {
	p := newPages(t)
	e := at("m1", dossier)
	about := func(attempt int) {
		require.NoError(t, p.ledger().Park(t.Context(), e, Parking{Attempt: attempt, Reason: Reason{Code: "x", Text: "x"}}))
	}
	p.intend(e, 1, "a")
	require.NoError(t, p.ledger().Void(t.Context(), e, 1, "a", false))
	require.Equal(t, "b", p.intend(e, 2, "b").Nonce)
	about(1)
	require.Empty(t, p.view.Parked(), "what becomes of the second attempt decides")
	ref, _ := p.view.Ref(e.Ref)
	require.False(t, ref.Asked)
	about(2)
	require.Len(t, p.view.Parked(), 1)
	require.Equal(t, "b", p.intend(e, 3, "c").Nonce, "she is asked: nobody sends")
	require.Equal(t, p.view.Parked(), p.again(true).Parked())
}

var bounds = adapters.Bounds{Send: time.Second, Request: time.Second, Processing: 3 * time.Second, Lookup: time.Second, Margin: time.Second}
