package adaptertest

import (
	"context"
	"slices"
	"sync"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/stretchr/testify/require"
)

func aboutSources() []rule {
	reads := func(s adapters.System) bool { return s.Source != nil }
	return []rule{
		{name: "reads everything in order and resumes at any position", needs: reads, hold: readsInOrder},
		{name: "a record says where and when it was entered", needs: reads, hold: readsFrames},
		{name: "what is written between two pages moves no record past the reader", needs: reads, hold: readsBetweenPages},
		{name: "skips nothing while clerks go on working", needs: reads, hold: readsWhileWritten},
		{name: "I3 nothing of a case goes ahead of an entry that is still being written", needs: reads, hold: readsWholeFirst},
		{name: "what einmal wrote comes back with its reference", needs: both, hold: readsEchoes},
		{name: "a recall or a correction stays one, in both directions", needs: both, hold: readsRevisions},
		{name: "a reading that fails is tried again and skips nothing", needs: reads, hold: readsAfterFaults},
		{name: "a reading ends with its context", needs: reads, hold: readsUntilEnd},
		{name: "a reading without entry stops, one without connection waits", needs: reads, hold: readsOutside},
	}
}

// both is for systems whose stream shows what was written. One that answers later reports that instead.
func both(s adapters.System) bool { return s.Source != nil && s.Sink != nil && !later(s) }

func readsInOrder(s *session) {
	ids := s.enter(7)
	records, stops := s.drain(s.system.Source, "", 3)
	require.Equal(s.T, ids, inOrder(records))
	for _, p := range stops {
		rest, _ := s.drain(s.connect(Right).Source, p.position, 2)
		want := append([]native.RecordID(nil), ids[p.before:]...)
		require.Equal(s.T, want, inOrder(rest), "a new process goes on from the position alone")
	}
	end := stops[len(stops)-1].position
	id, err := s.native.Enter(7)
	require.NoError(s.T, err)
	news, _ := s.drain(s.system.Source, end, 3)
	require.Equal(s.T, []native.RecordID{id}, inOrder(news), "what was read is not news again")
}

func readsFrames(s *session) {
	s.enter(3)
	records, _ := s.drain(s.system.Source, "", 10)
	for _, r := range records {
		require.NotEmpty(s.T, r.ID)
		require.NotEmpty(s.T, r.Kind)
		require.NotEmpty(s.T, r.Case)
		require.NotEmpty(s.T, r.Body)
		require.Positive(s.T, r.Sequence)
		require.False(s.T, r.At.IsZero())
		require.Empty(s.T, r.Reference, "a person entered it")
	}
}

// readsBetweenPages writes between one page and the next: new records, and, where what was written comes back, another one of a case that stood on the first page, which a list of cases would show
// elsewhere now.
func readsBetweenPages(s *session) {
	const pages, page = 4, 2
	var ids []native.RecordID
	var old native.CaseKey
	if both(s.system) {
		opened := s.apply(s.native.Entry(1, ""))
		ids, old = append(ids, opened.Record), opened.Case
	}
	ids = append(ids, s.enter(page+1)...)
	records, from := []native.Record(nil), native.Position("")
	for n := range pages {
		b, err := s.system.Source.Read(s.Context(), from, page)
		require.NoError(s.T, err)
		require.Less(s.T, len(b.Records), len(ids), "the list has only one page")
		records, from = append(records, b.Records...), b.Next
		if old != "" {
			ids = append(ids, s.apply(s.native.Entry(2+n, old)).Record)
		}
		for range page {
			id, err := s.native.Enter(len(ids) + page)
			require.NoError(s.T, err)
			ids = append(ids, id)
		}
	}
	rest, _ := s.drain(s.system.Source, from, page)
	require.Equal(s.T, ids, inOrder(append(records, rest...)))
}

func readsWhileWritten(s *session) {
	var ids []native.RecordID
	var failed error
	var clerk sync.WaitGroup
	finished := make(chan struct{})
	clerk.Go(func() {
		defer close(finished)
		for i := range 60 {
			id, err := s.native.Enter(i)
			ids, failed = append(ids, id), err
		}
	})
	records, from := []native.Record(nil), native.Position("")
	for working := true; working; {
		select {
		case <-finished:
			working = false
		default:
		}
		batch, stops := s.drain(s.system.Source, from, 4)
		records, from = append(records, batch...), stops[len(stops)-1].position
	}
	clerk.Wait()
	require.NoError(s.T, failed)
	require.Equal(s.T, ids, inOrder(records))
}

// Files is a native system whose entries come as files, which can be seen before they are whole.
type Files interface {
	// EnterByHalves enters two records, one after the other, in the case that was opened first. The file of the first is written by half until complete is called; that of the second is whole.
	EnterByHalves() (ids []native.RecordID, complete func() error, err error)
}

func readsWholeFirst(s *session) {
	office, files := s.native.(Files)
	if !files {
		return
	}
	s.enter(1)
	_, stops := s.drain(s.system.Source, "", 10)
	from := stops[len(stops)-1].position
	ids, complete, err := office.EnterByHalves()
	require.NoError(s.T, err)
	require.Len(s.T, ids, 2)
	for _, system := range []adapters.System{s.system, s.connect(Right)} {
		early, _ := s.drain(system.Source, from, 10)
		require.Empty(s.T, inOrder(early), "a later entry went ahead of one that is still being written")
	}
	require.NoError(s.T, complete())
	records, _ := s.drain(s.system.Source, from, 10)
	require.Equal(s.T, ids, inOrder(records))
}

func readsEchoes(s *session) {
	e := s.native.Entry(1, "")
	receipt := s.apply(e)
	appended := s.native.Entry(2, receipt.Case)
	second := s.apply(appended)
	records, _ := s.drain(s.system.Source, "", 10)
	require.Equal(s.T, []native.RecordID{receipt.Record, second.Record}, inOrder(records))
	for i, want := range []native.Entry{e, appended} {
		require.Equal(s.T, want.Reference, records[i].Reference, "the echo is known by its reference")
		require.Equal(s.T, want.Kind, records[i].Kind)
		require.Equal(s.T, receipt.Case, records[i].Case)
		require.Equal(s.T, e.CaseReference, records[i].CaseReference, "every record of a case that einmal opened carries its id")
	}
}

// readsRevisions: an adapter that loses what an entry does to an earlier one makes a new entry of a recall.
func readsRevisions(s *session) {
	if s.driver.ActionInContent {
		return
	}
	opened := s.apply(s.native.Entry(1, ""))
	said := s.apply(s.native.Entry(2, opened.Case))
	for i, action := range []handover.Action{handover.ActionCorrection, handover.ActionRecall} {
		e := s.native.Entry(3+i, opened.Case)
		e.Action, e.Refers = action, said.Record
		receipt := s.apply(e)
		records, _ := s.drain(s.system.Source, "", 10)
		for _, r := range records {
			switch r.ID {
			case receipt.Record:
				require.Equal(s.T, action, r.Action, "a %s comes back as what it is", action)
				require.Equal(s.T, said.Record, r.Refers, "a %s names the record that it is about", action)
			case opened.Record, said.Record:
				require.Empty(s.T, r.Action, "a new entry is neither")
				require.Empty(s.T, r.Refers)
			}
		}
		require.Contains(s.T, inOrder(records), receipt.Record)
	}
}

// readsAfterFaults lets an adapter read again by itself, which has no effect; what it then returns must be a true beginning of the stream.
func readsAfterFaults(s *session) {
	ids := s.enter(3)
	for _, f := range []Fault{Failed, LostAnswer, Torn, Endless, Redirected} {
		if !s.has(f) {
			continue
		}
		s.native.Script(f)
		b, err := s.system.Source.Read(s.Context(), "", 10)
		if err != nil {
			s.failed(err, fault.Retry, fault.Stop)
			require.Empty(s.T, b.Records, "%s: an error comes without records", f)
			require.Empty(s.T, b.Next, "%s: an error comes without a position", f)
		}
		require.True(s.T, err != nil || f != Redirected, "a redirect was followed")
		rest, _ := s.drain(s.system.Source, b.Next, 10)
		require.Equal(s.T, ids, inOrder(append(b.Records, rest...)), "%s: something was skipped", f)
	}
}

func readsUntilEnd(s *session) {
	if !s.has(Silent) {
		return
	}
	s.enter(1)
	s.untilMet(func(ctx context.Context) {
		_, err := s.system.Source.Read(ctx, "", 10)
		s.failed(err, fault.Retry, fault.Stop)
	})
	records, _ := s.drain(s.system.Source, "", 10)
	require.Len(s.T, slices.Compact(inOrder(records)), 1)
}

// untilMet runs an exchange that gets no answer and ends its context when the native system has received the request.
func (s *session) untilMet(exchange func(context.Context)) {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	met := s.native.Script(Silent)
	var end sync.WaitGroup
	end.Go(func() {
		select {
		case <-met:
		case <-ctx.Done():
		}
		cancel()
	})
	defer end.Wait()
	defer cancel()
	exchange(ctx)
}

func readsOutside(s *session) {
	if s.has(Forbidden) {
		_, err := s.connect(WrongCredentials).Source.Read(s.Context(), "", 10)
		s.failed(err, fault.Stop)
	}
	_, err := s.connect(Unreachable).Source.Read(s.Context(), "", 10)
	s.failed(err, fault.Retry)
}
