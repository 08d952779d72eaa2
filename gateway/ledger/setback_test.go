package ledger

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// accept lets a person accept a loss and returns when it was accepted.
func (p *pages) accept() time.Time {
	require.NoError(p.t, p.ledger().Accept(p.t.Context(), 0, Acceptance{Person: "op", Why: "restored from Tuesday's backup"}))
	return p.records[len(p.records)-1].at
}

// step is what is decided about a reference by somebody who remembers nothing, for a message that was entered at a time.
func (p *pages) step(ref native.Reference, mode adapters.Mode, entered, now time.Time) Step {
	r, _ := p.view.Ref(ref)
	s, _ := Decide(p.view.Doubt(r, 0, entered), Own{}, mode, bounds, now)
	return s
}

// Fault 33: after a loss, what the ledger does not say may have happened all the same. In mode B it is searched, in mode C a person is asked, in mode A it is sent under the same reference.
func TestI2_AfterALossNothingIsTakenForUnsent(t *testing.T) {
	states := map[string]func(*pages, Entry){
		"nothing is known": func(*pages, Entry) {},
		"announced":        func(p *pages, e Entry) { p.intend(e, 1, "a") },
		"taken back": func(p *pages, e Entry) {
			p.intend(e, 1, "a")
			require.NoError(p.t, p.ledger().Void(p.t.Context(), e, 1, "a", false))
		},
		"searched before": func(p *pages, e Entry) {
			p.intend(e, 1, "a")
			require.NoError(p.t, p.ledger().Void(p.t.Context(), e, 1, "a", true))
		},
		"a person had it sent once more": func(p *pages, e Entry) {
			p.intend(e, 1, "a")
			require.NoError(p.t, p.ledger().Park(p.t.Context(), e, Parking{Attempt: 1}))
			require.NoError(p.t, p.rule(p.item(e), Retry))
		},
	}
	for name, before := range states {
		for mode, want := range map[adapters.Mode]Step{"A": StepIntend, "B": StepLookup, "C": StepPark} {
			t.Run(name+"/"+string(mode), func(t *testing.T) {
				p := newPages(t)
				e := at("m1", dossier)
				before(p, e)
				accepted := p.accept()
				if mode != adapters.ModeA {
					require.Equal(t, StepWait, p.step(e.Ref, mode, begin, accepted.Add(time.Second)), "somebody's request may still be carried out")
				}
				require.Equal(t, want, p.step(e.Ref, mode, begin, accepted.Add(time.Minute)))
				require.Equal(t, want, p.step(e.Ref, mode, accepted.Add(clockMargin-time.Second), accepted.Add(clockMargin)), "the native system's clock may be ahead")
			})
		}
	}
}

func TestWhatWasEnteredLongAfterALossIsSentAtOnce(t *testing.T) {
	p := newPages(t)
	accepted := p.accept()
	later := accepted.Add(clockMargin)
	for _, mode := range []adapters.Mode{"A", "B", "C"} {
		require.Equal(t, StepIntend, p.step("r", mode, later, later))
	}
}

func TestWhatIsRecordedOrWithdrawnStaysSoAfterALoss(t *testing.T) {
	p := newPages(t)
	require.True(t, p.admit("m1", 1))
	e, w := at("m1", dossier), at("m1", platform)
	p.intend(e, 1, "a")
	require.NoError(t, p.ledger().Done(t.Context(), e, native.Receipt{Record: "n1"}))
	require.NoError(t, p.rule(p.park(w), Withdraw))
	accepted := p.accept()
	for _, ref := range []native.Reference{e.Ref, w.Ref} {
		require.Equal(t, StepFinish, p.step(ref, "C", begin, accepted))
	}
}

// The doubt ends with a search that was made after the loss, with an attempt that was announced after it, or with a person's word.
func TestTheDoubtOfALossEndsOnce(t *testing.T) {
	now := begin.Add(time.Hour)
	t.Run("search", func(t *testing.T) {
		for _, known := range []bool{false, true} {
			p := newPages(t)
			e := at("m1", dossier)
			attempt, nonce := 0, ""
			if known {
				p.intend(e, 1, "a")
				attempt, nonce = 1, "a"
			}
			p.accept()
			require.Equal(t, StepLookup, p.step(e.Ref, "B", begin, now))
			require.NoError(t, p.ledger().Void(t.Context(), e, attempt, nonce, true))
			require.Equal(t, StepIntend, p.step(e.Ref, "B", begin, now))
			require.Equal(t, attempt+1, p.intend(e, attempt+1, "b").Attempt)
			require.Equal(t, StepLookup, p.step(e.Ref, "B", begin, now), "as for every attempt")
		}
	})
	t.Run("attempt", func(t *testing.T) {
		p := newPages(t)
		e := at("m1", dossier)
		p.accept()
		p.intend(e, 1, "a")
		r, _ := p.view.Ref(e.Ref)
		require.Zero(t, p.view.Doubt(r, 0, begin).Lost)
	})
	t.Run("person", func(t *testing.T) {
		for _, attempts := range []int{0, 1} {
			p := newPages(t)
			e := at("m1", dossier)
			if attempts > 0 {
				p.intend(e, 1, "a")
			}
			p.accept()
			require.NoError(t, p.ledger().Park(t.Context(), e, Parking{Attempt: attempts}))
			require.Equal(t, StepAsked, p.step(e.Ref, "C", begin, now))
			require.NoError(t, p.rule(p.item(e), Retry))
			require.Equal(t, StepIntend, p.step(e.Ref, "C", begin, now))
			require.True(t, p.intend(e, attempts+1, "b").Repeated, "whoever reads it there is told that it may be a second one")
		}
	})
	t.Run("not with a person's word on what waited before", func(t *testing.T) {
		p := newPages(t)
		e := at("m1", dossier)
		p.intend(e, 1, "a")
		require.NoError(t, p.ledger().Park(t.Context(), e, Parking{Attempt: 1}))
		it := p.item(e)
		p.accept()
		require.NoError(t, p.rule(it, Retry))
		require.Equal(t, StepPark, p.step(e.Ref, "C", begin, now))
	})
}

// A gateway that has not read the acceptance when it announces an attempt has not looked either.
func TestI2_AnAttemptOfSomebodyWhoDidNotKnowOfTheLossDoesNotCount(t *testing.T) {
	p := newPages(t)
	e := at("m1", dossier)
	p.accept()
	late := e.record(Intent)
	late.Attempt, late.Nonce = 1, "old"
	p.add(late)
	r, _ := p.view.Ref(e.Ref)
	require.Zero(t, r.Attempt)
	searched := e.record(Void)
	searched.Searched = true
	p.add(searched)
	require.Equal(t, StepLookup, p.step(e.Ref, "B", begin, begin.Add(time.Hour)))
}

// Native systems are read again from their beginning; what is read afterwards counts again.
func TestAfterALossNativeSystemsAreReadFromTheirBeginning(t *testing.T) {
	p := newPages(t)
	require.NoError(t, p.ledger().Advance(t.Context(), "klib", "17"))
	p.accept()
	require.Empty(t, p.view.Cursor("klib"))
	require.NoError(t, p.ledger().Advance(t.Context(), "klib", "3"))
	for _, compacted := range []bool{false, true} {
		require.EqualValues(t, "3", p.again(compacted).Cursor("klib"))
	}
}

func TestALossMeansTheSameAfterCompactionAndASecondOneCounts(t *testing.T) {
	p := newPages(t)
	e := at("m1", dossier)
	p.accept()
	require.NoError(t, p.ledger().Void(t.Context(), e, 0, "", true))
	require.Equal(t, 1, p.view.Era())
	require.NoError(t, p.ledger().Accept(t.Context(), 7, Acceptance{Person: "op", Why: "again", Instead: []string{"OTHER"}}))
	require.NoError(t, p.ledger().Accept(t.Context(), 2, Acceptance{Person: "op", Why: "somebody who knew less"}))
	for _, compacted := range []bool{false, true} {
		p.view = p.again(compacted)
		require.Equal(t, 8, p.view.Era())
		require.True(t, p.view.Instead("OTHER"))
		require.False(t, p.view.Instead("ANOTHER"))
		require.Equal(t, StepLookup, p.step(e.Ref, "B", begin, begin.Add(time.Hour)), "what was searched after the first loss is in doubt after the second")
	}
	require.Equal(t, fault.Refuse, fault.KindOf(p.ledger().Accept(t.Context(), 0, Acceptance{Person: "op"})))
}

// A case whose partition changed would be looked for where nothing of it stands.
func TestI3_AnotherNumberOfPartitionsStopsTheGateway(t *testing.T) {
	p := newPages(t)
	require.NoError(t, p.ledger().Spread(t.Context()))
	require.NoError(t, p.ledger().Spread(t.Context()), "after a restart")
	more := NewView(2, nil)
	for i, r := range p.records {
		more.Apply(0, int64(i), r.at, r.value)
	}
	p.view = more
	err := p.ledger().Spread(t.Context())
	require.Equal(t, fault.Stop, fault.KindOf(err))
	require.Equal(t, "partitions-changed", fault.CodeOf(err))
}

// Fault 40: what a newer gateway says of a case is not known here, so the case is left to it; what names no case is only counted; new fields and kinds of this version are no reason to stop.
func TestRecordsOfANewerVersionAreLeftAlone(t *testing.T) {
	p := newPages(t)
	e := at("m1", dossier)
	for _, value := range []string{
		`{"v":2,"kind":"INTENT","case":"c9","ref":"r9","more":{"than":"this"}}`, `{"v":2,"kind":"OLD"}`, `{"v":2,"case":7}`, `{"v":1,"kind":"WHIM","case":"c8"}`, `nothing`, ``, `{}`,
		`{"v":1,"kind":"ADMIT","case":7}`,
	} {
		_, err := p.Append(t.Context(), 0, "x", []byte(value))
		require.NoError(t, err)
	}
	require.Equal(t, 8, p.view.Stats().Skipped)
	require.True(t, p.view.Newer("c9"))
	require.False(t, p.view.Newer("c8"))
	require.False(t, p.view.Newer("c1"))
	_, err := p.Append(t.Context(), 0, "y", []byte(`{"v":1,"kind":"INTENT","case":"c1","ref":"`+string(e.Ref)+`","attempt":1,"nonce":"n","later":true}`))
	require.NoError(t, err)
	r, _ := p.view.Ref(e.Ref)
	require.Equal(t, "n", r.Nonce)
	require.Equal(t, 8, p.view.Stats().Skipped)
}

// Whoever shows what was recorded gets all of it, and holds nobody up meanwhile: here the log goes on in the middle.
func TestWhatWasRecordedIsGivenInPiecesWhileTheLedgerGoesOn(t *testing.T) {
	p := newPages(t)
	const n = 2500
	for i := range n {
		e := at(handover.MessageID(fmt.Sprint("m", i)), dossier)
		e.Case = handover.CaseID(fmt.Sprint("c", i))
		require.NoError(t, p.ledger().Done(t.Context(), e, native.Receipt{Record: native.RecordID(fmt.Sprint(i)), Case: "k"}))
	}
	p.intend(at("open", dossier), 1, "a")
	read := func(since time.Time) (refs, cases map[string]string) {
		refs, cases = map[string]string{}, map[string]string{}
		require.NoError(t, p.view.Recorded(since, func(all []Recorded) error {
			require.LessOrEqual(t, len(all), batch+1)
			for _, r := range all {
				if r.Ref != "" {
					refs[string(r.Ref)] = string(r.Native)
				} else {
					cases[string(r.Case)+"|"+r.To.String()] = string(r.Counter)
				}
			}
			p.intend(at(handover.MessageID(fmt.Sprint("later", len(refs), len(cases))), dossier), 1, "a")
			return nil
		}))
		return refs, cases
	}
	refs, cases := read(time.Time{})
	require.Len(t, refs, n)
	require.Len(t, cases, n)
	require.Equal(t, "7", refs["m7@klib/sd-kriens"])
	require.Equal(t, "k", cases["c7|klib/sd-kriens"])
	refs, cases = read(p.records[n-10].at)
	require.Len(t, refs, 10)
	require.Len(t, cases, 10)
	full := errors.New("full")
	require.ErrorIs(t, p.view.Recorded(time.Time{}, func([]Recorded) error { return full }), full)
}
