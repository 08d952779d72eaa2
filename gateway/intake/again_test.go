package intake_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/intake"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

func readers(gs ...*gateway) intake.Readers {
	rs := intake.Readers{}
	for _, g := range gs {
		rs[g.id] = g.Reader
	}
	return rs
}

// again lets a reader take up what a person has let go on.
func (g *gateway) again(ctx context.Context, it ledger.Item) error {
	return readers(g).Again(ctx, it.Case, it.Place)
}

// A record that can be translated now becomes the message that it would have become at once.
func TestAgain_WhatCanBeMappedNowIsPublished(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		s.enter(record("c", 1, "puzzle"))
		g := w.start("klib", s)
		elapse(10 * poll)
		it := g.rule(w, ledger.Retry)
		w.words.learn(true, "")
		require.NoError(t, g.again(t.Context(), it))
		require.NoError(t, g.again(t.Context(), it), "a gateway that dies in between does it once more")
		require.Equal(t, []handover.MessageID{w.messageID("klib", "c-1")}, w.disk.firsts(w.caseID("klib", "c")))
		require.Contains(t, w.payload(w.disk.messages()[0]), "Beobachtung c-1")
		g.admit(w)
		require.Empty(t, g.ledger.Parked())
		g.stop()
	})
}

// I1: the message of a record that one gateway could not translate may already have come over the bus from another, where it found itself waiting.
// What a person lets go on is published then, too: nothing else would take it up.
func TestI1_AgainIsPublishedEvenIfACopyWasOnTheBusBefore(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		s.enter(record("c", 1, "puzzle"))
		w.words.learn(true, "")
		newer := w.start("klib", s)
		elapse(10 * poll)
		require.Len(t, w.disk.messages(), 1)
		w.words.learn(false, "unknown-code")
		s.enter(record("c", 1, "puzzle"))
		elapse(10 * poll)
		it := newer.rule(w, ledger.Retry)
		w.words.learn(true, "")
		require.NoError(t, newer.again(t.Context(), it))
		require.Len(t, w.disk.messages(), 2)
		newer.stop()
	})
}

// What still cannot be translated waits anew, with the reason that there is now.
func TestAgain_WhatStillCannotBeMappedIsParkedWithTheNewReason(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		s.enter(record("c", 1, "puzzle"))
		g := w.start("klib", s)
		elapse(10 * poll)
		it := g.rule(w, ledger.Retry)
		w.words.learn(false, "text-too-long")
		require.NoError(t, g.again(t.Context(), it))
		require.Equal(t, map[native.RecordID]string{"c-1": "text-too-long"}, g.parked(w, "c-1"))
		require.Equal(t, ledger.StatusParked, g.ledger.Parked()[0].Status)
		require.Empty(t, w.disk.names(""))
		g.rule(w, ledger.Withdraw)
		g.stop()
	})
}

// What could not be taken apart cannot be translated later either.
func TestAgain_ABrokenRecordStays(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		s.enter(broken("b"))
		g := w.start("klib", s)
		elapse(10 * poll)
		require.NoError(t, g.again(t.Context(), g.rule(w, ledger.Retry)))
		require.Len(t, g.ledger.Parked(), 1)
		require.Equal(t, "broken-record", g.ledger.Parked()[0].Reason.Code)
		require.Empty(t, w.disk.names(""))
		require.NoError(t, g.again(t.Context(), g.rule(w, ledger.Retry)), "it can be let go on again, to no other end")
		require.Equal(t, "broken-record", g.rule(w, ledger.Withdraw).Reason.Code)
		g.stop()
	})
}

// A kept record goes to the reader of its own system.
func TestAgain_GoesToTheReaderOfItsSystem(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		s.enter(record("c", 1, "puzzle"))
		klib, avam := w.start("klib", s), w.open("avam", &source{}, 100, false)
		elapse(10 * poll)
		it := klib.rule(w, ledger.Retry)
		w.words.learn(true, "")
		require.NoError(t, readers(klib, avam).Again(t.Context(), it.Case, it.Place))
		require.Equal(t, []handover.MessageID{w.messageID("klib", "c-1")}, w.disk.names(""))
		require.EqualValues(t, "klib", w.disk.messages()[0].Source)
		klib.stop()
		avam.stop()
	})
}

// I1, I3: what was let go on and cannot, because its system or its key is gone, waits anew with the reason: it is not tried for ever where nobody sees it, with
// its whole partition behind it.
func TestI1_AgainWithoutItsSystemOrItsKeyIsParkedAnew(t *testing.T) {
	otherKeys := newKeys(t)
	for code, open := range map[string]func(*world) *gateway{
		"unknown-system": func(w *world) *gateway { return w.open("avam", &source{}, 100, false) },
		"not-authentic": func(w *world) *gateway {
			w.keys = otherKeys
			return w.open("klib", &source{}, 100, false)
		},
	} {
		t.Run(code, func(t *testing.T) {
			try(t, func(t *testing.T, w *world, s *source) {
				s.enter(record("c", 1, "puzzle"), record("c", 2, "hint"))
				g := w.start("klib", s)
				elapse(10 * poll)
				it := g.rule(w, ledger.Retry)
				g.stop()
				g = open(w)
				elapse(poll)
				require.NoError(t, g.again(t.Context(), it))
				again := g.rule(w, ledger.Retry)
				require.Equal(t, code, again.Reason.Code)
				require.NotEmpty(t, again.Reason.Next)
				require.Equal(t, it.Place, again.Place)
				require.Equal(t, it.Origin, again.Origin)
				require.Equal(t, it.Sequence, again.Sequence)
				g.stop()
			})
		})
	}
}
