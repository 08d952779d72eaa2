package tutoris

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/mocks/core"
	mock "github.com/einmal-hub/einmal/mocks/tutoris"
)

func file(e native.Entry, attempt int) string {
	return contract.Delivery{Reference: e.Reference, Attempt: attempt}.File()
}

func TestHandedOverIsNotYetRecorded(t *testing.T) {
	v := open(t)
	e := entry("application-submitted", 1, "")
	v.handOver(t, e)
	require.Equal(t, []string{file(e, 1)}, v.names(t, contract.Inbox))
	require.Empty(t, v.find(t, e), "nothing is known yet")
	require.NoError(t, v.mock.Night(t.Context()))
	require.Equal(t, []string{file(e, 1)}, v.names(t, contract.Archive))
	require.Empty(t, v.find(t, e), "taken at night, and still nothing is known")
	require.NoError(t, v.mock.Morning(t.Context()))
	entries := v.mock.Store().ByReference(e.Reference, 0)
	require.Equal(t, []native.Receipt{{Record: entries[0].ID, Case: entries[0].Case}}, v.find(t, e))
	require.Equal(t, v.find(t, e), must(v.again(t).Finder.Find(t.Context(), e.Reference)), "a new process learns the same")
}

func must(found []native.Receipt, err error) []native.Receipt {
	if err != nil {
		return nil
	}
	return found
}

func TestTheCaseGoesOnUnderTheNumberThatTheResultNamed(t *testing.T) {
	v := open(t)
	opening := entry("application-submitted", 1, "")
	v.handOver(t, opening)
	v.night(t)
	opened := v.find(t, opening)
	next := entry("clarification-answered", 2, opened[0].Case)
	v.handOver(t, next)
	v.night(t)
	require.Equal(t, opened[0].Case, v.find(t, next)[0].Case)
	entries, ok := v.mock.Store().Case(opened[0].Case)
	require.True(t, ok)
	require.Len(t, entries, 2)
	require.Equal(t, entries[0].CaseReference, entries[1].CaseReference)
}

// Every way in which the wire can break between the first byte and the answer to the renaming, what Apply says of it, and what is true.
func TestI2_WhateverBreaksTheAnswerIsTrue(t *testing.T) {
	for breakage, want := range map[mock.Breakage]struct {
		kind fault.Kind
		code string
		lies int // files in the inbox
	}{
		mock.DiskFull:        {fault.Retry, "sftp", 0},
		mock.CutUpload:       {fault.Retry, "connection", 0},
		mock.CutBeforeRename: {fault.Retry, "not-renamed", 0},
		mock.CutAfterRename:  {fault.Doubt, "handed-over", 1},
		mock.LateRename:      {fault.Retry, "not-renamed", 0},
		mock.FailedRename:    {fault.Doubt, "handed-over", 1},
		mock.Failure:         {fault.Retry, "sftp", 0},
	} {
		t.Run(string(breakage), func(t *testing.T) {
			v := open(t)
			e := entry("application-submitted", 1, "")
			met := v.mock.Break(breakage)
			_, err := v.system.Sink.Apply(t.Context(), e)
			<-met
			requireFault(t, err, want.kind, want.code)
			v.mock.FinishLate()
			whole := 0
			for _, name := range v.names(t, contract.Inbox) {
				if _, ok := contract.ParseDelivery(name); ok {
					whole++
				}
			}
			require.Equal(t, want.lies, whole)
			v.handOver(t, e)
			v.night(t)
			require.Equal(t, 1, v.mock.Store().Len(), "tried again, it is recorded once")
			require.Len(t, v.find(t, e), 1)
		})
	}
}

// Without the extension for it the plain renaming is used; the same is true of it.
func TestAServerThatKnowsOnlyThePlainRenaming(t *testing.T) {
	onlyPlainRenaming(t)
	v := open(t)
	require.NoError(t, v.system.Ping(t.Context()))
	for i, breakage := range []mock.Breakage{mock.CutBeforeRename, mock.CutAfterRename, mock.FailedRename} {
		e := entry("application-submitted", i+1, "")
		v.mock.Break(breakage)
		_, err := v.system.Sink.Apply(t.Context(), e)
		require.Equal(t, i == 0, fault.KindOf(err) == fault.Retry, "%v", err)
		v.handOver(t, e)
		v.night(t)
		require.Len(t, v.find(t, e), 1)
	}
	require.Equal(t, 3, v.mock.Store().Len())
}

// When the server is gone after the renaming was asked for, nobody can look: that is a doubt, and the result resolves it.
func TestAServerThatIsGoneAfterTheRenamingLeavesADoubtThatTheResultResolves(t *testing.T) {
	v := open(t)
	e := entry("application-submitted", 1, "")
	ctx, cancel := context.WithCancel(t.Context())
	met := v.mock.Break(mock.CutAfterRename)
	var end sync.WaitGroup
	end.Go(func() {
		<-met
		cancel() // the time is over, too
	})
	_, err := v.system.Sink.Apply(ctx, e)
	end.Wait()
	require.Equal(t, fault.Doubt, fault.KindOf(err), "%v", err)
	v.night(t)
	require.Len(t, v.find(t, e), 1)
	require.Equal(t, 1, v.mock.Store().Len())
}

// A call that ends while it waits for the server ends with a truth, too.
func TestAServerThatDoesNotAnswerIsLeft(t *testing.T) {
	v := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	met := v.mock.Break(mock.Silence)
	var end sync.WaitGroup
	end.Go(func() {
		<-met
		cancel()
	})
	_, err := v.system.Sink.Apply(ctx, entry("application-submitted", 1, ""))
	end.Wait()
	requireFault(t, err, fault.Retry, "ended")
	require.Empty(t, v.names(t, contract.Inbox))
}

// A file that still lies in the inbox is not written a second time, even when a person orders it: it would be recorded twice.
func TestI2_WhatStillLiesInTheInboxIsNotHandedOverAgain(t *testing.T) {
	v := open(t)
	e := entry("application-submitted", 1, "")
	v.handOver(t, e)
	v.mock.Dice().Script(core.OpWrite, core.FaultError, 1) // the window is skipped
	v.night(t)
	v.handOver(t, e)
	require.Len(t, v.names(t, contract.Inbox), 1)
	v.night(t)
	require.Equal(t, 1, v.mock.Store().Len())
	again, err := v.again(t).Sink.Apply(t.Context(), e)
	require.NoError(t, err, "a result that is here already is the answer")
	require.True(t, again.Joined)
	require.Empty(t, v.names(t, contract.Inbox))
}

// Mode C: what was taken and never reported may be recorded. Only a person can order it again, and then both are shown.
func TestI2_WhatIsOrderedAgainByAPersonMayStandTwiceAndBothAreShown(t *testing.T) {
	v := open(t)
	e := entry("application-submitted", 1, "")
	v.mock.Dice().Script(core.OpWrite, core.FaultLostAnswer, 1) // recorded, and missing in the result
	v.handOver(t, e)
	v.night(t)
	v.night(t)
	require.Equal(t, 1, v.mock.Store().Len())
	require.Empty(t, v.find(t, e))
	v.handOver(t, e)
	require.Equal(t, []string{file(e, 2)}, v.names(t, contract.Inbox))
	v.mock.Dice().Script(core.OpWrite, core.FaultDuplicate, 1)
	v.night(t)
	require.Equal(t, 3, v.mock.Store().Len())
	require.Len(t, v.find(t, e), 2, "the two that are reported")
}

func TestARefusalOfTutorisIsARefusalUntilAPersonOrdersItAgain(t *testing.T) {
	v := open(t)
	e := entry("clarification-answered", 1, "D-00001")
	v.handOver(t, e)
	v.night(t)
	for range 2 {
		found, err := v.system.Finder.Find(t.Context(), e.Reference)
		requireFault(t, err, fault.Refuse, "unknown-case")
		require.Empty(t, found)
	}
	require.Zero(t, v.mock.Store().Len())

	opening := entry("application-submitted", 2, "") // somebody puts it right
	v.handOver(t, opening)
	v.night(t)
	require.Equal(t, native.CaseKey("D-00001"), v.find(t, opening)[0].Case)
	v.handOver(t, e)
	require.Empty(t, v.find(t, e), "the refusal of the first file is not that of the second")
	require.NoError(t, v.mock.Night(t.Context()))
	require.Empty(t, v.find(t, e))
	require.NoError(t, v.mock.Morning(t.Context()))
	require.Len(t, v.find(t, e), 1)
	require.Len(t, must(v.again(t).Finder.Find(t.Context(), e.Reference)), 1)
}

func TestEveryReasonHasACode(t *testing.T) {
	v := open(t)
	for reason, code := range map[string]string{
		contract.ReasonUnknownCase: "unknown-case", contract.ReasonInvalidContent: "invalid-content", contract.ReasonOpening: "opening", contract.ReasonNotOpening: "not-opening",
		contract.ReasonUnknownEntry: "unknown-entry", contract.ReasonNoDocument: "missing-document", contract.ReasonRule: "rule",
	} {
		text := `<ergebnis xmlns="urn:einmal-hub:tutoris:1"><lauf>1</lauf><beendetAm>2026-03-02T08:30:00Z</beendetAm><quittung><referenz>a</referenz><versuch>1</versuch>` +
			`<zurueckgewiesen><grund>` + reason + `</grund><pfad>/antrag</pfad></zurueckgewiesen></quittung></ergebnis>`
		require.NoError(t, os.WriteFile(v.path(contract.Results, contract.ResultFile(1)), []byte(text), 0o600))
		_, err := v.again(t).Finder.Find(t.Context(), "a")
		require.Equal(t, fault.Refuse, fault.KindOf(err))
		require.Equal(t, code, fault.CodeOf(err))
	}
}

func TestAHalfWrittenResultIsWaitedFor(t *testing.T) {
	v := open(t)
	first, second := entry("application-submitted", 1, ""), entry("application-submitted", 2, "")
	v.handOver(t, first)
	v.night(t)
	v.handOver(t, second)
	v.mock.Dice().Script(core.OpEvent, core.FaultSlow, 1)
	v.night(t)
	require.Len(t, v.find(t, first), 1, "what stands in a whole one is known")
	_, err := v.system.Finder.Find(t.Context(), second.Reference)
	requireFault(t, err, fault.Retry, "half-written")
	v.later(time.Hour)
	require.Empty(t, v.find(t, second), "a result that stays broken says nothing, and holds up nothing")
	_, broken, _ := readAll(t, v.system.Source, "", 10)
	require.Len(t, broken, 1)
	require.Equal(t, native.RecordID("ergebnis-2"), broken[0].ID)
	requireFault(t, broken[0].Reason, fault.Park, "broken-result")
	v.night(t)
	require.Len(t, v.find(t, second), 1)
	_, broken, _ = readAll(t, v.system.Source, "", 10)
	require.Empty(t, broken)
}

func TestAResultThatIsMissingIsPutBeforeAPerson(t *testing.T) {
	v := open(t)
	for n := range 3 {
		v.handOver(t, entry("application-submitted", n+1, ""))
		v.night(t)
	}
	require.NoError(t, os.Remove(v.path(contract.Results, contract.ResultFile(2))))
	_, broken, _ := readAll(t, v.system.Source, "", 10)
	require.Empty(t, broken, "it may still come")
	v.later(time.Hour)
	_, broken, _ = readAll(t, v.system.Source, "", 10)
	require.Len(t, broken, 1)
	require.Equal(t, native.RecordID("ergebnis-2"), broken[0].ID)
	require.NoError(t, os.Remove(v.path(contract.Results, contract.ResultFile(1))))
	_, broken, _ = readAll(t, v.system.Source, "", 10)
	require.Empty(t, broken, "the oldest ones may go")
}

// Many entries wait for a night, and each asks again and again: the server is looked at once for all of them.
func TestWhatWasSeenAShortTimeAgoIsNotLookedAtAgain(t *testing.T) {
	v := open(t)
	e := entry("application-submitted", 1, "")
	system := v.with(t, func(c *Config) { c.Look = time.Minute })
	_, err := system.Sink.Apply(t.Context(), e)
	requireFault(t, err, fault.Doubt, "handed-over")
	v.mock.Break(mock.Failure) // strikes whoever looks
	for range 5 {
		found, err := system.Finder.Find(t.Context(), e.Reference)
		require.NoError(t, err)
		require.Empty(t, found)
	}
	v.later(time.Minute)
	_, err = system.Finder.Find(t.Context(), e.Reference)
	requireFault(t, err, fault.Retry, "sftp")
	v.night(t)
	require.Len(t, must(system.Finder.Find(t.Context(), e.Reference)), 1)
}
