package intake_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// try runs a test in a world of its own with virtual time.
func try(t *testing.T, f func(t *testing.T, w *world, s *source)) {
	t.Helper()
	keys := newKeys(t)
	synctest.Test(t, func(t *testing.T) { f(t, newWorld(t, keys), &source{}) })
}

// I2: what einmal wrote itself is no news; a ledger view that lags is waited for before a reference is called foreign.
func TestI2_WhatEinmalWroteDoesNotComeBackAsNews(t *testing.T) {
	for _, lag := range []time.Duration{0, 5 * time.Second} {
		t.Run(fmt.Sprint("view lags by ", lag), func(t *testing.T) {
			try(t, func(t *testing.T, w *world, s *source) {
				writer, reader := w.open("other", &source{}, 100, false), w.start("klib", s)
				synctest.Wait()
				w.disk.lag = lag
				echo := record("c", 1, "hint")
				echo.Reference, echo.CaseReference = "ref-1", "case-1"
				go func() {
					_ = writer.ledger.Intend(w.t.Context(), ledger.Entry{Case: "case-1", Message: "m", Ref: "ref-1"}, 1, "nonce")
				}()
				synctest.Wait() // the INTENT is in the log, and the writer waits for its own view
				s.enter(echo)
				elapse(time.Minute)
				require.Equal(t, map[string]int{"echo": 1}, w.became())
				require.Empty(t, w.disk.names(""))
				require.Empty(t, reader.ledger.Parked())
				reader.stop()
				writer.stop()
			})
		})
	}
}

// A reference that this installation never gave may hide news or be another installation's: a person is asked, once.
func TestAForeignReferenceIsParkedOnce(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		foreign := record("c", 1, "hint")
		foreign.Reference = "not-ours"
		s.enter(foreign, record("c2", 1, "hint"), foreign)
		g := w.start("klib", s)
		elapse(10 * poll)
		require.Equal(t, map[native.RecordID]string{"c-1": "foreign-reference"}, g.parked(w, "c-1"))
		require.Len(t, w.disk.keptOf(w.caseID("klib", "c")), 1)
		require.Len(t, w.disk.names(""), 1, "the other case goes on")
		g.stop()
	})
}

// What a system was measured with is neither news nor a question; everything that only looks like it is one.
func TestWhatASystemWasMeasuredWithIsLeftAlone(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		measured, alike := record("c", 1, "hint"), record("c2", 1, "hint")
		measured.Reference, alike.Reference = "7e577e57-1234-0abc-0000-000000000001", "7e577e57-1234-8abc-0000-000000000001"
		s.enter(measured, alike, record("c3", 1, "hint"))
		g := w.start("klib", s)
		elapse(10 * poll)
		require.Equal(t, map[native.RecordID]string{"c2-1": "foreign-reference"}, g.parked(w, "c2-1"))
		require.Equal(t, 1, w.became()["measured"])
		require.Len(t, w.disk.names(""), 1, "the other case goes on")
		g.stop()
	})
}

// I3, I4: a record that cannot be mapped is kept sealed, waits for a person, and holds back its own case only.
func TestI3_ARecordThatCannotBeMappedHoldsBackItsOwnCaseOnly(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		puzzle := record("c1", 2, "puzzle")
		s.enter(record("c1", 1, "application"), puzzle, record("c1", 3, "hint"), record("c2", 1, "application"), record("c2", 2, "hint"))
		g := w.start("klib", s)
		elapse(10 * poll)
		c := w.caseID("klib", "c1")
		require.Equal(t, map[native.RecordID]string{"c1-2": "unknown-code"}, g.parked(w, "c1-2"))
		it := g.ledger.Parked()[0]
		require.Equal(t, ledger.Lane{Case: c}, ledger.Lane{Case: it.Case, To: it.To}, "it waits at the gate of its case")
		require.Equal(t, ledger.Destination{System: "klib", Organisation: "sd-kriens"}, it.Origin)
		require.EqualValues(t, 2, it.Sequence)
		require.Equal(t, "grund", it.Reason.Path)
		sealed := w.disk.keptOf(c)[0]
		require.NotContains(t, string(sealed), "Beobachtung")
		plain, err := w.keys.Open(sealed, []byte("einmal.parked|"+string(c)))
		require.NoError(t, err)
		var k struct {
			System handover.SystemID `json:"system"`
			Record native.Record     `json:"record"`
		}
		require.NoError(t, json.Unmarshal(plain, &k))
		require.Equal(t, puzzle, k.Record)
		require.Equal(t, []handover.MessageID{w.messageID("klib", "c1-1"), w.messageID("klib", "c1-3")}, w.disk.names(c),
			"what follows is on the bus, where the gate holds it back")
		require.Len(t, w.disk.names(w.caseID("klib", "c2")), 2)
		require.EqualValues(t, "5", g.ledger.Cursor("klib"), "the stream goes on")
		g.stop()
	})
}

// What was entered stands in its native system and cannot be refused at a door. It is put before a person, holds back its own case only, and the reading goes on.
// Fault 17.
func TestI1_WhatIsTooLargeForTheBusIsPutBeforeAPerson(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		large := record("c1", 2, "hint")
		large.Body = bytes.Repeat([]byte("x"), 1500)
		w.disk.room = 1500
		s.enter(record("c1", 1, "application"), large, record("c1", 3, "hint"), record("c2", 1, "application"))
		g := w.start("klib", s)
		elapse(10 * poll)
		require.Equal(t, map[native.RecordID]string{"c1-2": "too-large"}, g.parked(w, "c1-2"))
		require.Equal(t, []handover.MessageID{w.messageID("klib", "c1-1"), w.messageID("klib", "c1-3")}, w.disk.names(w.caseID("klib", "c1")))
		require.Len(t, w.disk.names(w.caseID("klib", "c2")), 1)
		require.EqualValues(t, "4", g.ledger.Cursor("klib"), "the stream goes on")
		g.stop()
	})
}

// I3: whose dossier a record was entered in is read from the ledger to its end: what opened the dossier may not be folded here yet.
func TestI3_TheDossierOfARecordThatCannotBeMappedIsKnownAsSoonAsTheLedgerKnowsIt(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		w.disk.lag = 5 * time.Second
		g := w.start("klib", s)
		to := ledger.Destination{System: "klib", Organisation: "sd-kriens"}
		var other sync.WaitGroup
		other.Go(func() {
			_ = g.ledger.Done(t.Context(), ledger.Entry{Case: "c", Message: "m", To: to, Ref: "r"}, native.Receipt{Record: "k-1", Case: "dossier"})
		})
		synctest.Wait()
		puzzle := record("dossier", 2, "puzzle")
		puzzle.CaseReference = "c"
		s.enter(puzzle)
		elapse(time.Minute)
		other.Wait()
		require.Len(t, g.ledger.Parked(), 1)
		require.Equal(t, to, g.ledger.Parked()[0].Origin)
		g.stop()
	})
}

// I1: whichever write of a batch fails, written or not, the position stays until everything is durable; the order of a case holds.
// Fault 6.
func TestI1_ThePositionMovesOnOnlyWhenEveryRecordOfABatchIsDurable(t *testing.T) {
	for _, become := range []fate{refused, unsure} {
		t.Run(string(become), func(t *testing.T) {
			try(t, func(t *testing.T, w *world, s *source) {
				third := string(w.messageID("klib", "c-3"))
				w.disk.become(func(what, id string) fate {
					if what == "publish" && id == third {
						return become
					}
					return ""
				})
				var all []handover.MessageID
				for n := range 5 {
					s.enter(record("c", n+1, "hint"))
					all = append(all, w.messageID("klib", native.RecordID(fmt.Sprint("c-", n+1))))
				}
				g := w.start("klib", s)
				elapse(time.Minute)
				require.Empty(t, g.ledger.Cursor("klib"))
				require.NotContains(t, w.disk.names(""), all[3], "nothing overtakes the record that failed")
				_, positions := s.readings()
				require.Greater(t, len(positions), 1)
				for _, after := range positions {
					require.Empty(t, after, "the batch is read again")
				}
				w.disk.become(nil)
				elapse(time.Minute)
				require.EqualValues(t, "5", g.ledger.Cursor("klib"))
				require.Equal(t, all, w.disk.firsts(""))
				g.stop()
			})
		})
	}
}

// I1, I3: two gateways that read the same system, with writes that fail by chance, Redis away and a restart in between, lose nothing and keep the
// order of the first copies.
// Fault 6.
func TestI1_NothingIsLostAndTheOrderOfACaseIsKeptWhateverFails(t *testing.T) {
	for seed := range uint64(40) {
		try(t, func(t *testing.T, w *world, s *source) {
			dice := rand.New(rand.NewPCG(seed, 1))
			w.redis.away = seed%2 == 0
			w.disk.slow, w.disk.lag = time.Duration(dice.IntN(300))*time.Millisecond, time.Duration(dice.IntN(50))*time.Millisecond
			want := map[native.CaseKey][]handover.MessageID{}
			for range 30 {
				c := fmt.Sprint("c", dice.IntN(3))
				r := record(c, len(want[native.CaseKey(c)])+1, "hint")
				want[r.Case] = append(want[r.Case], w.messageID("klib", r.ID))
				s.enter(r)
			}
			moment := time.Duration(dice.IntN(20)) * time.Second
			w.disk.become(func(string, string) fate { return []fate{"", "", "", "", refused, unsure}[dice.IntN(6)] })
			first, second := w.open("klib", s, 4, true), w.open("klib", s, 7, true)
			elapse(moment)
			first.stop()
			first = w.open("klib", s, 5, true)
			elapse(time.Minute)
			w.disk.become(nil)
			elapse(2 * time.Minute)
			for c, ids := range want {
				require.Equal(t, ids, w.disk.firsts(w.caseID("klib", c)), "seed %d", seed)
			}
			require.EqualValues(t, "30", first.ledger.Cursor("klib"), "seed %d", seed)
			first.stop()
			second.stop()
		})
	}
}

// I3: the records of a case are published one after the other, cases side by side.
func TestI3_TheRecordsOfACaseArePublishedInOrderAndCasesSideBySide(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		w.disk.slow = time.Second
		for n := range 3 {
			for c := range 10 {
				s.enter(record(fmt.Sprint("c", c), n+1, "hint"))
			}
		}
		g := w.start("klib", s)
		elapse(time.Minute)
		for c := range 10 {
			var want []handover.MessageID
			for n := range 3 {
				want = append(want, w.messageID("klib", native.RecordID(fmt.Sprintf("c%d-%d", c, n+1))))
			}
			require.Equal(t, want, w.disk.names(w.caseID("klib", native.CaseKey(fmt.Sprint("c", c)))))
		}
		require.False(t, w.disk.crowded)
		require.Equal(t, 10, w.disk.most)
		g.stop()
	})
}

// A recall or a correction names the message that the native record it is about became, and is never passed off as news.
func TestARecallOrCorrectionNamesTheMessageThatItIsAbout(t *testing.T) {
	for kind, action := range map[native.Kind]handover.Action{"recall": handover.ActionRecall, "correction": handover.ActionCorrection} {
		try(t, func(t *testing.T, w *world, s *source) {
			s.enter(record("c", 1, "hint"), record("c", 2, kind))
			g := w.start("klib", s)
			elapse(10 * poll)
			all := w.disk.messages()
			require.Len(t, all, 2)
			require.Equal(t, handover.ActionNew, all[0].Action)
			require.Empty(t, all[0].References)
			require.Equal(t, action, all[1].Action)
			require.Equal(t, all[0].ID, all[1].References)
			require.NotEqual(t, all[0].ID, all[1].ID)
			g.stop()
		})
	}
}

// Nobody but einmal speaks in einmal's name.
func TestARecordInTheNameOfTheGatewayIsParked(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		s.enter(record("c", 1, "impostor"))
		g := w.start("klib", s)
		elapse(10 * poll)
		require.Equal(t, map[native.RecordID]string{"c-1": "reserved-sender"}, g.parked(w, "c-1"))
		require.Empty(t, w.disk.names(""))
		g.stop()
	})
}

// I6: whatever becomes of a record, nothing of its content stands in a key, a header, a log line, a ledger record or a span.
func TestI6_NothingOfAPayloadStandsInKeysHeadersLogsOrSpans(t *testing.T) {
	const secret = "Geheimnis"
	try(t, func(t *testing.T, w *world, s *source) {
		for n, kind := range []native.Kind{"hint", "puzzle", "recall", "hint"} {
			r := record(fmt.Sprint("c", n), 1, kind)
			r.Body = []byte(secret)
			if n == 3 {
				r.Reference = "not-ours"
			}
			s.enter(r)
		}
		s.enter(adapters.Broken{ID: "b", Raw: []byte(secret), Reason: broken("b").Reason})
		s.fail(1)
		w.disk.become(func(what, _ string) fate {
			if what == "publish" && w.logged() == "" {
				return refused
			}
			return ""
		})
		g := w.start("klib", s)
		elapse(10 * poll)
		require.Equal(t, map[string]int{"published": 2, "parked": 3}, w.became())
		var seen strings.Builder
		for _, p := range w.disk.log {
			for _, e := range p {
				seen.WriteString(e.key + string(e.value))
			}
		}
		for _, m := range w.disk.messages() {
			require.Contains(t, w.payload(m), secret)
			fmt.Fprint(&seen, m.Headers(), string(m.sealed))
		}
		for c, kept := range w.disk.kept {
			fmt.Fprintf(&seen, "%s %s", c, kept)
		}
		for _, span := range w.spans.Ended() {
			fmt.Fprint(&seen, span.Name(), span.Attributes(), span.Status(), span.Events())
		}
		seen.WriteString(w.logged())
		require.Contains(t, seen.String(), "reading is tried again")
		require.Contains(t, seen.String(), "parked: a person must decide")
		require.NotContains(t, seen.String(), secret)
		require.NotContains(t, seen.String(), "R2VoZWltbmlz", "in base64")
		g.stop()
	})
}
