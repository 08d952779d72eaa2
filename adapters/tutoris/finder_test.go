package tutoris

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
)

// narrow is a line to a server that breaks whenever so many bytes have come back.
func narrow(t *testing.T, target string, bytes int64) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	t.Cleanup(func() { require.NoError(t, l.Close()); all.Wait() })
	all.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", target)
			if err != nil {
				_ = near.Close()
				continue
			}
			all.Go(func() { _, _ = io.Copy(far, near); _ = far.Close() })
			all.Go(func() { _, _ = io.CopyN(near, far, bytes); _, _ = near.Close(), far.Close() })
		}
	})
	return l.Addr().String()
}

// Results are kept for months, and a call has its time: one that cannot read all of them in it must not begin anew for ever.
func TestWhatWasReadOfTheResultsStaysKnown(t *testing.T) {
	v := open(t)
	const nights = 12
	var last = entry("application-submitted", nights, "")
	for n := range nights {
		v.handOver(t, entry("application-submitted", n+1, ""))
		v.night(t)
	}
	known, err := os.ReadFile(v.config.KnownHostsFile)
	require.NoError(t, err)
	far := narrow(t, v.config.Address, 7<<10)
	plain := func(address string) string {
		host, port, err := net.SplitHostPort(address)
		require.NoError(t, err)
		return "[" + host + "]:" + port
	}
	hosts := filepath.Join(t.TempDir(), "known_hosts")
	require.NoError(t, os.WriteFile(hosts, []byte(strings.ReplaceAll(string(known), plain(v.config.Address), plain(far))), 0o600))
	system := v.with(t, func(c *Config) { c.Address, c.KnownHostsFile = far, hosts })
	calls := 0
	for {
		found, err := system.Finder.Find(t.Context(), last.Reference)
		if calls++; err == nil {
			require.Len(t, found, 1)
			break
		}
		require.Less(t, calls, 4*nights, "%v", err)
	}
	require.Greater(t, calls, 1, "the line was wide enough for all of them")
}

// said is an entry whose message is so old.
func (v *village) said(t *testing.T, e native.Entry, ago time.Duration) native.Entry {
	t.Helper()
	const from, to = "<h:messageDate>", "</h:messageDate>"
	head, rest, ok := strings.Cut(string(e.Body), from)
	_, tail, closed := strings.Cut(rest, to)
	require.True(t, ok && closed, "%s", e.Body)
	e.Body = []byte(head + from + v.clock.Add(-ago).Format(time.RFC3339) + to + tail)
	return e
}

// aged lets what lies in a folder look as if it had been written so long ago.
func (v *village) aged(t *testing.T, folder string, ago time.Duration) {
	t.Helper()
	for _, name := range v.names(t, folder) {
		at := time.Now().Add(-ago)
		require.NoError(t, os.Chtimes(v.path(folder, name), at, at))
	}
}

// months lets so many results of earlier nights lie there.
func (v *village) months(t *testing.T, nights int) {
	t.Helper()
	for n := range nights {
		v.handOver(t, entry("application-submitted", 1000+n, ""))
		v.night(t)
	}
	v.aged(t, contract.Results, 24*time.Hour)
	v.aged(t, contract.Archive, 24*time.Hour)
}

// readSoFar are the results that an adapter has read.
func readSoFar(s adapters.System) int { return len(s.Finder.(*exchange).results.files) }

// A gateway that has just begun must not read the results of months before it can hand over a message of today: one that is ended again and again would never hand over any.
func TestAnEntryOfTodayIsHandedOverAndFoundWithoutTheResultsOfMonths(t *testing.T) {
	v := open(t)
	const nights = 2 * step
	v.months(t, nights)
	e := v.said(t, entry("application-submitted", 1, ""), time.Minute)
	system := v.again(t)
	_, err := system.Sink.Apply(t.Context(), e)
	requireFault(t, err, fault.Doubt, "handed-over")
	require.Zero(t, readSoFar(system))
	v.night(t)
	require.Len(t, must(system.Finder.Find(t.Context(), e.Reference)), 1)
	require.LessOrEqual(t, readSoFar(system), 1+step)

	system = v.again(t)
	require.Len(t, must(system.Finder.Find(t.Context(), e.Reference)), 1)
	require.LessOrEqual(t, readSoFar(system), 1+step)
	system = v.again(t)
	receipt, err := system.Sink.Apply(t.Context(), e)
	require.NoError(t, err, "a result that is here already is the answer, whoever reads it for the first time")
	require.True(t, receipt.Joined)
	require.Equal(t, 1, readSoFar(system))
	require.Empty(t, v.names(t, contract.Inbox))
}

// What lies among the results of months and is broken is found all the same, little by little.
func TestABrokenResultOfMonthsAgoIsPutBeforeAPerson(t *testing.T) {
	v := open(t)
	v.months(t, 3*step)
	require.NoError(t, os.Truncate(v.path(contract.Results, contract.ResultFile(2)), 20))
	require.NoError(t, os.Remove(v.path(contract.Results, contract.ResultFile(4))))
	at := time.Now().Add(-25 * time.Hour)
	require.NoError(t, os.Chtimes(v.path(contract.Results, contract.ResultFile(2)), at, at))
	system := v.again(t)
	reasons := map[native.RecordID]bool{}
	for range 4 {
		_, broken, _ := readAll(t, system.Source, "", 1000)
		for _, b := range broken {
			reasons[b.ID] = true
		}
	}
	require.Equal(t, map[native.RecordID]bool{"ergebnis-2": true, "ergebnis-4": true}, reasons)
}

// The archive and the results are kept for 60 days at least, and the one may be kept for longer than the other: that an entry which a person orders again lies nowhere does not mean that it has never been handed over.
func TestI2_AnEntryThatIsOlderThanTheArchiveIsHeldAgainstAllResults(t *testing.T) {
	v := open(t)
	e := v.said(t, entry("clarification-answered", 1, "D-00001"), 70*24*time.Hour)
	recorded := v.said(t, entry("application-submitted", 2, ""), 70*24*time.Hour)
	v.handOver(t, e)
	v.night(t) // refused: there is no such case
	v.handOver(t, recorded)
	v.night(t)
	v.months(t, 2*step)
	v.aged(t, contract.Results, 69*24*time.Hour)
	for _, name := range v.names(t, contract.Archive) {
		require.NoError(t, os.Remove(v.path(contract.Archive, name)))
	}
	receipt, err := v.again(t).Sink.Apply(t.Context(), recorded)
	require.NoError(t, err)
	require.True(t, receipt.Joined)
	_, err = v.again(t).Sink.Apply(t.Context(), e)
	requireFault(t, err, fault.Doubt, "handed-over")
	require.Equal(t, []string{file(e, 2)}, v.names(t, contract.Inbox), "the refusal of the first file would be taken for that of this one")
}

// Whatever one process has read and another has not, an entry stands once, and its outcome is found.
func TestI2_EveryProcessSaysTheSameOfAnEntryOfToday(t *testing.T) {
	v := open(t)
	v.months(t, step)
	e := v.said(t, entry("application-submitted", 1, ""), time.Minute)
	for range 3 { // it lies in the inbox
		_, err := v.again(t).Sink.Apply(t.Context(), e)
		requireFault(t, err, fault.Doubt, "handed-over")
		require.Empty(t, must(v.again(t).Finder.Find(t.Context(), e.Reference)))
	}
	require.Equal(t, []string{file(e, 1)}, v.names(t, contract.Inbox))
	require.NoError(t, v.mock.Night(t.Context())) // it lies in the archive, and no result says anything yet
	require.Empty(t, must(v.again(t).Finder.Find(t.Context(), e.Reference)))
	require.NoError(t, v.mock.Morning(t.Context()))
	v.aged(t, contract.Archive, -v.config.Settle/2) // the server's clock was set back meanwhile
	require.Len(t, must(v.again(t).Finder.Find(t.Context(), e.Reference)), 1)
	receipt, err := v.again(t).Sink.Apply(t.Context(), e)
	require.NoError(t, err)
	require.True(t, receipt.Joined)
}
