package osiv

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/mocks/core"
)

func TestAReceiptIsNotYetARecord(t *testing.T) {
	v := open(t)
	e := entry("application-submitted", 1, "")
	v.mock.Dice().Set(core.Faults{LateBy: time.Hour})
	v.mock.Dice().Script(core.OpWrite, core.FaultLostAnswer, 1) // the report comes an hour later
	v.handOver(t, e)
	require.Equal(t, []string{"data_" + string(e.Reference) + ".zip", "envl_" + string(e.Reference) + ".xml"}, v.names(t, contract.Outbox))
	require.Empty(t, v.find(t, e), "nothing is known yet")
	v.step(t)
	require.Empty(t, v.find(t, e), "delivered (100), and still nothing is known")
	require.Equal(t, 1, v.mock.Store().Len())
	v.later(time.Hour)
	v.step(t)
	entries := v.mock.Store().ByReference(e.Reference, 0)
	require.Equal(t, []native.Receipt{{Record: entries[0].ID, Case: entries[0].Case}}, v.find(t, e))
}

func TestTheCaseGoesOnUnderTheNumberThatTheReportNamed(t *testing.T) {
	v := open(t)
	opened := v.recorded(t, entry("application-submitted", 1, ""))
	next := v.recorded(t, entry("clarification-answered", 2, opened.Case))
	require.Equal(t, opened.Case, next.Case)
	entries, ok := v.mock.Store().Case(opened.Case)
	require.True(t, ok)
	require.Len(t, entries, 2)
	require.Equal(t, entries[0].CaseReference, entries[1].CaseReference)
}

// I2: mode A. The carrier refuses the second message with the same name (201), and the outcome of the first one counts.
func TestI2_TheSameReferenceLeavesOneRecord(t *testing.T) {
	v := open(t)
	e := entry("application-submitted", 1, "")
	v.mock.Dice().Set(core.Faults{LateBy: time.Hour})
	v.mock.Dice().Script(core.OpWrite, core.FaultLostAnswer, 1)
	v.handOver(t, e)
	v.handOver(t, e)
	require.Len(t, v.names(t, contract.Outbox), 2, "one pair")
	v.step(t)
	v.handOver(t, e)
	v.step(t)
	require.Empty(t, v.find(t, e), "201: the first one's outcome is outstanding")
	v.later(time.Hour)
	v.step(t)
	found := v.find(t, e)
	require.Len(t, found, 1)
	require.Equal(t, 1, v.mock.Store().Len())
	again, err := v.system.Sink.Apply(t.Context(), e)
	require.NoError(t, err, "a report that is here already is the answer")
	require.Equal(t, native.Receipt{Record: found[0].Record, Case: found[0].Case, Joined: true}, again)
	require.Empty(t, v.names(t, contract.Outbox))
}

func TestARefusalOfOSIVIsARefusal(t *testing.T) {
	v := open(t)
	e := entry("clarification-answered", 1, "IV.999999")
	v.handOver(t, e)
	v.step(t)
	found, err := v.system.Finder.Find(t.Context(), e.Reference)
	requireFault(t, err, fault.Refuse, "unknown-case")
	require.Empty(t, found)
	_, err = v.system.Sink.Apply(t.Context(), e)
	requireFault(t, err, fault.Refuse, "unknown-case")
	require.Empty(t, v.names(t, contract.Outbox), "a name that was refused stays refused")
	require.Zero(t, v.mock.Store().Len())
}

// give puts receipts for an entry into the folder, oldest first, as fast as a carrier may.
func (v *village) give(t *testing.T, e native.Entry, codes ...int) {
	t.Helper()
	for i, code := range codes {
		v.receipt(t, fmt.Sprintf("receipt_%d_%d", code, i), fmt.Sprintf(receiptText, v.clock.Add(time.Duration(i)*time.Second).Format(time.RFC3339Nano), code, e.Reference))
	}
}

func (v *village) receipt(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(v.path(contract.Receipts, name+".xml"), []byte(text), 0o600))
}

const receiptText = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<receipt xmlns="http://www.ech.ch/xmlns/eCH-0090/2" version="2.0"><eventDate>%s</eventDate><statusCode>%d</statusCode><statusInfo></statusInfo>
<messageId>%s</messageId><messageType>2000100</messageType><messageClass>0</messageClass><senderId>T3-CH-1</senderId><recipientId>T6-100001-1</recipientId></receipt>`

func TestEveryReceiptCodeHasItsEffect(t *testing.T) {
	kinds := map[contract.Effect]fault.Kind{contract.Refused: fault.Refuse, contract.Undelivered: fault.Retry, contract.Barred: fault.Stop}
	for _, c := range contract.ReceiptCodes() {
		v := open(t)
		e := entry("application-submitted", 1, "")
		v.give(t, e, c.Code)
		found, err := v.system.Finder.Find(t.Context(), e.Reference)
		require.Empty(t, found, "no receipt is a record")
		require.Equal(t, kinds[c.Effect], fault.KindOf(err), "%d", c.Code)
	}
	v := open(t)
	v.give(t, entry("application-submitted", 1, ""), 299)
	_, err := v.system.Finder.Find(t.Context(), entry("application-submitted", 1, "").Reference)
	requireFault(t, err, fault.Retry, "unknown-receipt")
}

func TestReceiptsMayComeInAnyOrderAndTwice(t *testing.T) {
	for name, test := range map[string]struct {
		codes []int
		kind  fault.Kind
	}{
		"sent after given up":        {[]int{400, 601}, fault.Retry},
		"expires soon, then expired": {[]int{701, 204}, fault.Retry},
		"delivered counts first":     {[]int{100, 601, 400}, fault.Unclassified},
		"delivered late":             {[]int{400, 601, 100}, fault.Unclassified},
		"duplicate after an error":   {[]int{400, 201}, fault.Unclassified},
		"the newest of two":          {[]int{400, 301}, fault.Refuse},
		"twice the same":             {[]int{301, 301, 301}, fault.Refuse},
	} {
		v := open(t)
		e := entry("application-submitted", 1, "")
		v.give(t, e, test.codes...)
		for range 2 {
			_, err := v.system.Finder.Find(t.Context(), e.Reference)
			require.Equal(t, test.kind, fault.KindOf(err), name)
		}
		_, err := v.again(t).Finder.Find(t.Context(), e.Reference)
		require.Equal(t, test.kind, fault.KindOf(err), "a new process: %s", name)
		require.Empty(t, v.names(t, contract.Receipts))
		_, err = v.system.Finder.Find(t.Context(), entry("application-submitted", 2, "").Reference)
		require.NoError(t, err, "another message's receipts")
	}
}

func TestReceiptsOfOthersAndHalfWrittenOnesAreLeftAlone(t *testing.T) {
	v := open(t)
	e := entry("application-submitted", 1, "")
	whole := fmt.Sprintf(receiptText, v.clock.Format(time.RFC3339Nano), 301, e.Reference)
	v.receipt(t, "half", whole[:len(whole)/2])
	v.receipt(t, "other", whole[:300]+"<messageType>1</messageType>")
	v.receipt(t, "type", replaceOnce(whole, "2000100", "2000101"))
	v.receipt(t, "sender", replaceOnce(whole, "T3-CH-1", "T3-CH-2"))
	require.NoError(t, os.Symlink(v.path(contract.Receipts, "type.xml"), v.path(contract.Receipts, "link.xml")))
	require.Empty(t, v.find(t, e))
	require.Len(t, v.names(t, contract.Receipts), 5)
	v.receipt(t, "half", whole)
	_, err := v.system.Finder.Find(t.Context(), e.Reference)
	requireFault(t, err, fault.Refuse, "carrier-refused")
}

// What was given up undelivered is handed over again under the same name, and old receipts say nothing about the new attempt.
func TestWhatWasGivenUpIsHandedOverAgain(t *testing.T) {
	v := open(t)
	e := entry("application-submitted", 1, "")
	v.mock.Dice().Script(core.OpWrite, core.FaultError, 1)
	v.handOver(t, e)
	v.step(t)
	_, err := v.system.Finder.Find(t.Context(), e.Reference)
	requireFault(t, err, fault.Retry, "undelivered")
	v.handOver(t, e)
	require.Empty(t, v.find(t, e))
	require.Len(t, v.recorded(t, e).Record, len("IVE.00000001"))
	require.Equal(t, 1, v.mock.Store().Len())
}

func TestWhatWasLostWithoutATraceIsHandedOverAgain(t *testing.T) {
	v := open(t)
	e := entry("application-submitted", 1, "")
	v.mock.Dice().Script(core.OpWrite, core.FaultErrorInDoubt, 1)
	v.handOver(t, e)
	v.step(t)
	require.Empty(t, v.find(t, e))
	v.recorded(t, e)
	require.Equal(t, 1, v.mock.Store().Len())
}

func TestALateExecutionIsTheOnlyOne(t *testing.T) {
	v := open(t)
	e := entry("application-submitted", 1, "")
	v.mock.Dice().Set(core.Faults{LateBy: 24 * time.Hour})
	v.mock.Dice().Script(core.OpWrite, core.FaultLate, 1)
	v.handOver(t, e)
	v.step(t)
	require.Empty(t, v.find(t, e))
	v.handOver(t, e)
	v.step(t)
	require.Zero(t, v.mock.Store().Len())
	v.later(24 * time.Hour)
	v.step(t)
	require.Len(t, v.find(t, e), 1)
	require.Equal(t, 1, v.mock.Store().Len())
}

// I7: wherever a process ends while it writes, the next attempt leaves exactly one pair.
func TestI7_ACrashWhileWritingLeavesOnePair(t *testing.T) {
	e := entry("application-submitted", 1, "")
	data, cover := "data_"+string(e.Reference)+".zip", "envl_"+string(e.Reference)+".xml"
	for name, left := range map[string][]string{
		"before anything": nil, "in the data's draft": {".einmal-ABC.part"}, "after the data": {data}, "in the envelope's draft": {data, ".einmal-DEF.part"},
	} {
		v := open(t)
		for _, file := range left {
			require.NoError(t, os.WriteFile(v.path(contract.Outbox, file), []byte("half"), 0o600))
		}
		v.step(t)
		require.Zero(t, v.mock.Store().Len(), "%s: the carrier takes no half", name)
		v.handOver(t, e)
		require.Subset(t, v.names(t, contract.Outbox), []string{data, cover})
		v.step(t)
		require.Len(t, v.find(t, e), 1, name)
		require.Equal(t, 1, v.mock.Store().Len(), name)
	}
}

func TestManyMayHandOverAtOnce(t *testing.T) {
	v := open(t)
	const writers = 12
	errs := make([]error, writers)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() { _, errs[i] = v.system.Sink.Apply(t.Context(), entry("application-submitted", i, "")) })
	}
	all.Wait()
	v.step(t)
	seen := map[native.RecordID]bool{}
	for i := range writers {
		requireFault(t, errs[i], fault.Doubt, "handed-over")
		found := v.find(t, entry("application-submitted", i, ""))
		require.Len(t, found, 1)
		require.False(t, seen[found[0].Record])
		seen[found[0].Record] = true
	}
	require.Equal(t, writers, v.mock.Store().Len())
}

func TestFilesAreUnderNoOtherNamesThanTheContracts(t *testing.T) {
	v := open(t)
	v.recorded(t, entry("application-submitted", 1, ""))
	for _, folder := range []string{contract.Outbox, contract.Inbox, contract.Receipts, contract.Processed} {
		for _, name := range v.names(t, folder) {
			require.Regexp(t, `^(envl_[0-9a-f-]{36}\.xml|data_[0-9a-f-]{36}\.zip|in_[0-9]{10}\.xml|in_[0-9a-f]{32}\.zip|about_[0-9a-f]{2})$`, name, filepath.Join(folder, name))
		}
	}
}
