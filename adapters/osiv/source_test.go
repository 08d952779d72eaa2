package osiv

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/mocks/core"
)

func replaceOnce(s, from, to string) string { return strings.Replace(s, from, to, 1) }

func TestWhatClerksEnterIsReadInOrderFromAnyPosition(t *testing.T) {
	v := open(t)
	first := v.clerk(t, "application-submitted", 1, "")
	want := []native.RecordID{first.ID}
	for range 5 {
		want = append(want, v.clerk(t, "clarification-answered", 1, first.Case).ID)
	}
	v.step(t)
	records, broken, end := readAll(t, v.system.Source, "", 2)
	require.Empty(t, broken)
	require.Equal(t, want, ids(records))
	require.Equal(t, native.Record{
		ID: first.ID, Kind: "000101", Case: first.Case, Organisation: "iv-luzern", Sequence: 1, At: first.At, Body: records[0].Body,
	}, records[0])
	require.Empty(t, v.names(t, contract.Inbox), "what was read lies in processed")
	for from := range 6 {
		rest, _, _ := readAll(t, v.again(t).Source, native.Position(fmt.Sprint(from)), 3)
		require.Equal(t, want[from:], ids(rest), "a new process goes on from the position alone")
	}
	news, _, same := readAll(t, v.system.Source, end, 3)
	require.Empty(t, news)
	require.Equal(t, end, same)
	all, _, _ := readAll(t, v.again(t).Source, "", 100)
	require.Equal(t, records, all, "a position that was lost loses nothing, and ids stay the same")
	_, err := v.system.Source.Read(t.Context(), "x", 1)
	requireFault(t, err, fault.Stop, "position")
}

func TestReportsAreNoRecords(t *testing.T) {
	v := open(t)
	opened := v.recorded(t, entry("application-submitted", 1, ""))
	e := v.clerk(t, "clarification-answered", 1, opened.Case)
	v.step(t)
	records, broken, _ := readAll(t, v.system.Source, "", 1)
	require.Empty(t, broken)
	require.Equal(t, []native.RecordID{e.ID}, ids(records))
	require.Equal(t, entry("", 1, "").CaseReference, records[0].CaseReference, "a case that einmal opened carries its id")
}

func TestHalfWrittenFilesAreNeverRead(t *testing.T) {
	v := open(t)
	v.mock.Dice().Script(core.OpEvent, core.FaultSlow, 1)
	e := v.clerk(t, "application-submitted", 1, "")
	v.step(t)
	require.Len(t, v.names(t, contract.Inbox), 4, "two halves, and the drafts of both")
	records, broken, end := readAll(t, v.system.Source, "", 10)
	require.Empty(t, records)
	require.Empty(t, broken)
	require.Empty(t, end)
	v.step(t)
	records, broken, _ = readAll(t, v.system.Source, "", 10)
	require.Empty(t, broken)
	require.Equal(t, []native.RecordID{e.ID}, ids(records))
}

func TestI3NothingGoesAheadOfAPairThatIsBeingWritten(t *testing.T) {
	v := open(t)
	v.mock.Dice().Script(core.OpEvent, core.FaultSlow, 1)
	first := v.clerk(t, "application-submitted", 1, "")
	second := v.clerk(t, "transfer-meeting-scheduled", 1, first.Case)
	v.step(t)
	records, _, end := readAll(t, v.system.Source, "", 10)
	require.Empty(t, records)
	v.step(t)
	records, _, _ = readAll(t, v.system.Source, end, 10)
	require.Equal(t, []native.RecordID{first.ID, second.ID}, ids(records))
}

// A busy carrier always writes one of its pairs. What was there before it goes on.
func TestWhatIsWrittenLaterHoldsNothingBack(t *testing.T) {
	v := open(t)
	var want, got []native.RecordID
	end := native.Position("")
	for n := range 10 {
		v.mock.Dice().Script(core.OpEvent, core.FaultSlow, 1)
		want = append(want, v.clerk(t, "application-submitted", uint64(2*n), "").ID)
		whole := v.clerk(t, "application-submitted", uint64(2*n+1), "")
		want = append(want, whole.ID)
		v.step(t) // completes the half of the round before, and leaves another one
		var records []native.Record
		records, _, end = readAll(t, v.system.Source, end, 10)
		got = append(got, ids(records)...)
	}
	require.GreaterOrEqual(t, len(got), 16, "something was always being written, and nothing was taken")
	v.step(t)
	records, _, _ := readAll(t, v.system.Source, end, 10)
	require.Equal(t, want, append(got, ids(records)...))
}

// A file share whose clock is far behind does not make a pair that is being written old.
func TestI3TheClockOfAFileShareIsNotBelieved(t *testing.T) {
	v := open(t)
	_, _, end := readAll(t, v.system.Source, "", 10)
	v.mock.Dice().Script(core.OpEvent, core.FaultSlow, 1)
	first := v.clerk(t, "application-submitted", 1, "")
	second := v.clerk(t, "transfer-meeting-scheduled", 1, first.Case)
	v.step(t)
	behind := time.Now().Add(-time.Hour)
	for _, name := range v.names(t, contract.Inbox) {
		require.NoError(t, os.Chtimes(v.path(contract.Inbox, name), behind, behind))
	}
	records, broken, end := readAll(t, v.system.Source, end, 10)
	require.Empty(t, records)
	require.Empty(t, broken)
	v.step(t)
	records, _, _ = readAll(t, v.system.Source, end, 10)
	require.Equal(t, []native.RecordID{first.ID, second.ID}, ids(records))
}

// What is never whole is put before a person, and holds back no longer; also when its time lies in the future, as a file share with another clock may say.
func TestAPairThatIsNeverWholeHoldsTheOthersBackForSettleAtMost(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"written now": 0, "written in a year": 365 * 24 * time.Hour} {
		v := open(t)
		half := v.path(contract.Inbox, "envl_half.xml")
		require.NoError(t, os.WriteFile(half, []byte("<envelope"), 0o600))
		written := time.Now().Add(ahead)
		require.NoError(t, os.Chtimes(half, written, written))
		e := v.clerk(t, "application-submitted", 1, "")
		v.step(t)
		records, broken, _ := readAll(t, v.system.Source, "", 10)
		require.Empty(t, records, name)
		require.Empty(t, broken, name)
		v.later(11 * time.Minute)
		records, broken, _ = readAll(t, v.system.Source, "", 10)
		require.Equal(t, []native.RecordID{e.ID}, ids(records), name)
		require.NotEmpty(t, broken, name)
		require.Equal(t, "incomplete-pair", fault.CodeOf(broken[0].Reason), name)
	}
}

// A carrier that writes several pairs at a time may be done with the second one before it writes the envelope of the first.
func TestI3NothingGoesAheadOfAPairWithoutItsEnvelope(t *testing.T) {
	v := open(t)
	first := v.clerk(t, "application-submitted", 1, "")
	v.step(t)
	envelope := "envl_" + v.pairInInbox(t) + ".xml"
	require.NoError(t, os.Rename(v.path(contract.Inbox, envelope), v.path(envelope)))
	second := v.clerk(t, "transfer-meeting-scheduled", 1, first.Case)
	v.step(t)
	records, _, end := readAll(t, v.system.Source, "", 10)
	require.Empty(t, ids(records))
	require.NoError(t, os.Rename(v.path(envelope), v.path(contract.Inbox, envelope)))
	records, _, _ = readAll(t, v.system.Source, end, 10)
	require.Equal(t, []native.RecordID{first.ID, second.ID}, ids(records))
}

// pairInInbox returns the base name of the only pair there.
func (v *village) pairInInbox(t *testing.T) string {
	t.Helper()
	names := v.names(t, contract.Inbox)
	require.Len(t, names, 2)
	return strings.TrimSuffix(strings.TrimPrefix(names[0], "data_"), ".zip")
}

func TestASingleFileWaitsAndIsReportedAfterABound(t *testing.T) {
	for name, file := range map[string]func(string) string{
		"data missing":     func(base string) string { return "data_" + base + ".zip" },
		"envelope missing": func(base string) string { return "envl_" + base + ".xml" },
	} {
		v := open(t)
		e := v.clerk(t, "application-submitted", 1, "")
		v.step(t)
		missing := file(v.pairInInbox(t))
		require.NoError(t, os.Rename(v.path(contract.Inbox, missing), v.path(missing)))
		_, broken, _ := readAll(t, v.system.Source, "", 10)
		require.Empty(t, broken, name)
		v.later(11 * time.Minute)
		_, broken, end := readAll(t, v.system.Source, "", 10)
		require.Len(t, broken, 1, name)
		require.Equal(t, "incomplete-pair", fault.CodeOf(broken[0].Reason))
		require.Equal(t, fault.Park, fault.KindOf(broken[0].Reason))
		_, again, _ := readAll(t, v.again(t).Source, "", 10)
		require.Equal(t, broken[0].ID, again[0].ID, "the same file has the same id")
		require.NoError(t, os.Rename(v.path(missing), v.path(contract.Inbox, missing)))
		records, broken, _ := readAll(t, v.system.Source, end, 10)
		require.Empty(t, broken)
		require.Equal(t, []native.RecordID{e.ID}, ids(records), "%s: the pair is read when it is whole", name)
	}
}

func TestAPayloadThatIsNeverWholeIsPutBeforeAPersonAndTheStreamGoesOn(t *testing.T) {
	v := open(t)
	v.clerk(t, "application-submitted", 1, "")
	v.step(t)
	data := v.path(contract.Inbox, "data_"+v.pairInInbox(t)+".zip")
	b, err := os.ReadFile(data)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(data, b[:len(b)-30], 0o600))
	_, broken, _ := readAll(t, v.system.Source, "", 10)
	require.Empty(t, broken, "it may still be written")
	v.later(11 * time.Minute)
	_, broken, end := readAll(t, v.system.Source, "", 10)
	require.Len(t, broken, 1)
	require.Equal(t, "payload", fault.CodeOf(broken[0].Reason))
	require.NotEmpty(t, broken[0].Raw)
	require.Empty(t, v.names(t, contract.Inbox))
	e := v.clerk(t, "application-submitted", 2, "")
	v.step(t)
	records, broken, _ := readAll(t, v.system.Source, end, 10)
	require.Empty(t, broken)
	require.Equal(t, []native.RecordID{e.ID}, ids(records))
}

func TestAPairThatComesTwiceIsOne(t *testing.T) {
	v := open(t)
	v.mock.Dice().Script(core.OpEvent, core.FaultDuplicate, 1)
	e := v.clerk(t, "application-submitted", 1, "")
	v.step(t)
	require.Len(t, v.names(t, contract.Inbox), 4)
	records, _, _ := readAll(t, v.system.Source, "", 10)
	require.Equal(t, []native.RecordID{e.ID}, ids(records))
	require.Empty(t, v.names(t, contract.Inbox))
}

// I7: wherever a process ends while it takes a pair, the pair is read once, or twice under the same id, and never lost.
func TestI7_ACrashWhileTakingLosesNothing(t *testing.T) {
	for name, crash := range map[string]func(v *village, base, k string){
		"after the data was linked": func(v *village, base, k string) {
			require.NoError(t, os.Link(v.path(contract.Inbox, "data_"+base+".zip"), v.path(contract.Processed, "in_"+k+".zip")))
		},
		"after the number was given": func(v *village, base, k string) {
			require.NoError(t, os.Link(v.path(contract.Inbox, "data_"+base+".zip"), v.path(contract.Processed, "in_"+k+".zip")))
			require.NoError(t, os.Link(v.path(contract.Inbox, "envl_"+base+".xml"), v.path(contract.Processed, "in_0000000001.xml")))
		},
		"after the data was removed": func(v *village, base, k string) {
			require.NoError(t, os.Rename(v.path(contract.Inbox, "data_"+base+".zip"), v.path(contract.Processed, "in_"+k+".zip")))
			require.NoError(t, os.Link(v.path(contract.Inbox, "envl_"+base+".xml"), v.path(contract.Processed, "in_0000000001.xml")))
		},
		"after the envelope was removed, by an earlier version": func(v *village, base, k string) {
			require.NoError(t, os.Link(v.path(contract.Inbox, "data_"+base+".zip"), v.path(contract.Processed, "in_"+k+".zip")))
			require.NoError(t, os.Rename(v.path(contract.Inbox, "envl_"+base+".xml"), v.path(contract.Processed, "in_0000000001.xml")))
		},
	} {
		v := open(t)
		e := v.clerk(t, "application-submitted", 1, "")
		v.step(t)
		base := v.pairInInbox(t)
		b, err := os.ReadFile(v.path(contract.Inbox, "envl_"+base+".xml"))
		require.NoError(t, err)
		crash(v, base, key(b))
		records, broken, end := readAll(t, v.system.Source, "", 10)
		require.Empty(t, broken, name)
		require.Equal(t, []native.RecordID{e.ID}, ids(records), name)
		require.Equal(t, native.Position("1"), end, name)
		if !strings.HasSuffix(name, "by an earlier version") {
			require.Empty(t, v.names(t, contract.Inbox), "%s: nobody is asked about the rest", name)
		}
	}
}

// Two gateways may read at once: each sees everything, in one order, and nothing is skipped at any position.
func TestTwoReadersSeeOneStream(t *testing.T) {
	v := open(t)
	const entries = 40
	var want []native.RecordID
	for i := range entries {
		want = append(want, v.clerk(t, "application-submitted", uint64(i), "").ID)
	}
	v.step(t)
	var readers sync.WaitGroup
	streams := make([][]native.RecordID, 3)
	errs := make([]error, len(streams))
	for i := range streams {
		s := v.again(t).Source
		readers.Go(func() {
			from := native.Position("")
			for range 10 * entries {
				b, err := s.Read(t.Context(), from, 7)
				if err != nil {
					errs[i] = err
					return
				}
				streams[i], from = append(streams[i], ids(b.Records)...), b.Next
				if len(b.Records) == 0 && !b.More {
					return
				}
			}
		})
	}
	readers.Wait()
	for i, stream := range streams {
		require.NoError(t, errs[i])
		require.Subset(t, want, stream)
	}
	all, broken, _ := readAll(t, v.again(t).Source, "", 100)
	require.Empty(t, broken)
	require.ElementsMatch(t, want, unique(ids(all)))
	for i, stream := range streams {
		require.Subset(t, stream, want, "reader %d skipped something", i)
	}
}

func unique(all []native.RecordID) []native.RecordID {
	var some []native.RecordID
	seen := map[native.RecordID]bool{}
	for _, id := range all {
		if !seen[id] {
			seen[id] = true
			some = append(some, id)
		}
	}
	return some
}

// Numbers below a position would never be read. Where the folder was emptied the position is not known any more, and everything is read again.
func TestI1_AFolderThatWasEmptiedIsReadFromTheBeginning(t *testing.T) {
	v := open(t)
	v.clerk(t, "application-submitted", 1, "")
	v.step(t)
	_, _, end := readAll(t, v.system.Source, "", 10)
	require.NoError(t, os.RemoveAll(v.path(contract.Processed)))
	require.NoError(t, os.Mkdir(v.path(contract.Processed), 0o700))
	_, err := v.again(t).Source.Read(t.Context(), end, 10)
	requireFault(t, err, fault.Stop, adapters.PositionUnknown)
	e := v.clerk(t, "application-submitted", 2, "")
	v.step(t)
	records, _, next := readAll(t, v.again(t).Source, "", 10)
	require.Equal(t, []native.RecordID{e.ID}, ids(records))
	require.Equal(t, native.Position("1"), next)
}

// I3: what cannot be read at present, because no file can be opened, is not taken for half-written: a later pair would overtake it.
func TestI3_APairThatCannotBeReadAtPresentIsNotOvertaken(t *testing.T) {
	v := open(t)
	first, second := v.clerk(t, "application-submitted", 1, ""), v.clerk(t, "application-submitted", 2, "")
	v.step(t)
	root, err := os.OpenRoot(v.folder)
	require.NoError(t, err)
	defer func() { require.NoError(t, root.Close()) }()
	names, err := list(root, contract.Inbox)
	require.NoError(t, err)
	require.Len(t, names, 4)
	for n := range 2 { // whichever of the two is looked at first
		looked := 0
		e := &exchange{config: Config{Folder: v.folder, Sender: "T3-CH-1", Recipient: "T6-100001-1", MessageType: 2000100, Settle: time.Hour}, now: time.Now}
		e.meet = func(string) error {
			if looked++; looked == n+1 {
				return syscall.EMFILE
			}
			return nil
		}
		_, err := e.Read(t.Context(), "", 10)
		requireFault(t, err, fault.Retry, "folder")
		require.Empty(t, v.names(t, contract.Processed))
	}
	records, _, _ := readAll(t, v.system.Source, "", 10)
	require.Equal(t, []native.RecordID{first.ID, second.ID}, ids(records))
}

// After an outage thousands may wait. The folder of what was taken is listed once for all of them: a gateway that is killed again and again must get through before it is.
func TestABacklogIsTakenWithoutAListingForEachPair(t *testing.T) {
	v := open(t)
	const before, pairs = 2000, 40
	for n := range before {
		require.NoError(t, os.WriteFile(v.path(number(uint64(n+1))), nil, 0o600))
	}
	for range pairs {
		v.clerk(t, "application-submitted", 1, "")
		v.step(t)
	}
	root, err := os.OpenRoot(v.folder)
	require.NoError(t, err)
	e := &exchange{config: Config{Sender: "T3-CH-1", Recipient: "T6-100001-1", MessageType: 2000100, Settle: time.Hour}, now: time.Now}
	require.NoError(t, e.shelf.catchUp(root))
	var was, is runtime.MemStats
	runtime.ReadMemStats(&was)
	_, err = e.take(root)
	runtime.ReadMemStats(&is)
	require.NoError(t, err)
	require.Len(t, e.shelf.taken, before+pairs)
	require.NoError(t, root.Close())
	require.Less(t, is.Mallocs-was.Mallocs, uint64(before*pairs/2), "every name was looked at for every pair")
}

// I1: a listing that was made while another gateway took pairs may show a later one without an earlier one. None is passed over.
func TestI1_ANumberThatAListingMissesIsNotPassedOver(t *testing.T) {
	v := open(t)
	for _, n := range []uint64{3, 4, 5, 7} {
		require.NoError(t, os.WriteFile(v.path(number(n)), nil, 0o600))
	}
	root, err := os.OpenRoot(v.folder)
	require.NoError(t, err)
	defer func() { require.NoError(t, root.Close()) }()
	all, err := unbroken(root, []uint64{3, 5, 7}, 2)
	require.NoError(t, err)
	require.Equal(t, []uint64{3, 4, 5, 7}, all, "4 was missed; 6 was never given")
	all, err = unbroken(root, []uint64{4, 7}, 2)
	require.NoError(t, err)
	require.Equal(t, []uint64{3, 4, 5, 7}, all)
	all, err = unbroken(root, []uint64{3, 5, 7}, 7)
	require.NoError(t, err)
	require.Empty(t, all)
}

// A process that has just begun and looks for one answer does not read all that ever came.
func TestAnAnswerIsFoundByTheEnvelopes(t *testing.T) {
	v := open(t)
	var all []native.Entry
	for n := range 5 {
		all = append(all, entry("application-submitted", n+1, ""))
		v.recorded(t, all[n])
	}
	c := Config{Folder: v.folder, Sender: "T3-CH-1", Recipient: "T6-100001-1", MessageType: 2000100, Settle: time.Hour}
	e := &exchange{config: c, now: time.Now}
	found, err := e.Find(t.Context(), all[3].Reference)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Len(t, e.shelf.items, 1)
}

func TestWhatIsForOthersStaysInTheInbox(t *testing.T) {
	v := open(t)
	v.clerk(t, "application-submitted", 1, "")
	v.step(t)
	base := v.pairInInbox(t)
	b, err := os.ReadFile(v.path(contract.Inbox, "envl_"+base+".xml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(v.path(contract.Inbox, "envl_"+base+".xml"), []byte(replaceOnce(string(b), "2000100", "2000101")), 0o600))
	require.NoError(t, os.WriteFile(v.path(contract.Inbox, "note.txt"), nil, 0o600))
	v.later(time.Hour)
	records, broken, _ := readAll(t, v.system.Source, "", 10)
	require.Empty(t, records)
	require.Empty(t, broken)
	require.Len(t, v.names(t, contract.Inbox), 3)
}

func TestAnotherSenderIsPutBeforeAPerson(t *testing.T) {
	v := open(t)
	v.clerk(t, "application-submitted", 1, "")
	v.step(t)
	base := v.pairInInbox(t)
	b, err := os.ReadFile(v.path(contract.Inbox, "envl_"+base+".xml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(v.path(contract.Inbox, "envl_"+base+".xml"), []byte(replaceOnce(string(b), "T6-100001-1", "T6-100001-2")), 0o600))
	_, broken, _ := readAll(t, v.system.Source, "", 10)
	require.Len(t, broken, 1)
	require.Equal(t, "foreign-participant", fault.CodeOf(broken[0].Reason))
}

func TestLinksAreNotFollowed(t *testing.T) {
	v := open(t)
	v.clerk(t, "application-submitted", 1, "")
	v.step(t)
	base := v.pairInInbox(t)
	outside := t.TempDir() + "/data.zip"
	require.NoError(t, os.Rename(v.path(contract.Inbox, "data_"+base+".zip"), outside))
	require.NoError(t, os.Symlink(outside, v.path(contract.Inbox, "data_"+base+".zip")))
	v.later(11 * time.Minute)
	records, broken, _ := readAll(t, v.system.Source, "", 10)
	require.Empty(t, records)
	require.Len(t, broken, 1)
	require.FileExists(t, outside)
}
