package clerks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
)

// theatre is one play: a reader for each screen, a watch, and one actor for each handover under way.
type theatre struct {
	PlayOptions
	board   *board
	screens map[handover.SystemID]screen
	owners  map[string]*Handover // by marker
}

func newTheatre(o PlayOptions) *theatre {
	t := &theatre{PlayOptions: o, board: newBoard(), screens: map[handover.SystemID]screen{}, owners: o.Plan.owners()}
	for id, s := range o.Systems {
		t.screens[id] = screen{id: id, base: s.URL, client: o.Client}
	}
	return t
}

// owners returns the handover of every marker.
func (p Plan) owners() map[string]*Handover {
	owners := map[string]*Handover{}
	for i := range p.Handovers {
		for _, s := range p.Handovers[i].Steps {
			owners[s.Marker] = &p.Handovers[i]
		}
	}
	return owners
}

func (t *theatre) play(ctx context.Context) (Outcome, error) {
	defer t.Client.CloseIdleConnections()
	acting, home := context.WithCancel(ctx)
	defer home()
	var staff sync.WaitGroup
	var read []<-chan struct{}
	for _, s := range t.screens {
		toTheEnd := make(chan struct{})
		read = append(read, toTheEnd)
		staff.Go(func() { t.read(acting, s, toTheEnd) })
	}
	stalled := false
	staff.Go(func() { stalled = t.watch(acting, home) })
	begun, refused := t.perform(acting, read)
	home()
	staff.Wait()
	t.report()
	entered, _, _, _ := t.board.state()
	return Outcome{Begun: begun, Entered: entered, Stalled: stalled}, errors.Join(refused, ctx.Err())
}

// read follows one screen and puts what it shows on the board. toTheEnd is closed when everything has been read that stood there before.
func (t *theatre) read(ctx context.Context, s screen, toTheEnd chan<- struct{}) {
	var after uint64
	caught := false
	for ctx.Err() == nil {
		entries, err := s.news(ctx, after, caught)
		if err != nil {
			pause(ctx, t.Poll)
			continue
		}
		for _, e := range entries {
			after = e.Number
			t.board.put(s.id, e, t.visible(s.id, e))
		}
		if !caught && len(entries) < pageLimit {
			caught = true
			close(toTheEnd)
		}
	}
}

// visible returns what the clerks of a case can see on an entry: in the dossier of their own organisation or on the shared platform.
func (t *theatre) visible(system handover.SystemID, e core.Seen) []sight {
	var all []sight
	for _, m := range markersIn(e.Body) {
		at := Place{System: system, Organisation: e.Dossier}
		if h, ok := t.owners[m]; ok && slices.Contains(h.Places, at) {
			all = append(all, sight{place: at, marker: m, answer: answers(t.Systems[system], e.Kind)})
		}
	}
	return all
}

// watch reports the progress and sends everybody home when nothing has moved for the quiet period; it returns whether it did.
func (t *theatre) watch(ctx context.Context, home context.CancelFunc) (stalled bool) {
	tick := time.NewTicker(t.Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
		if still := t.report(); still > t.Quiet {
			home()
			return true
		}
	}
}

// report tells the progress and returns for how long nothing has moved.
func (t *theatre) report() time.Duration {
	entered, done, records, still := t.board.state()
	t.Progress(Progress{
		Handovers: len(t.Plan.Handovers), HandoversDone: done, Messages: t.Plan.Steps(), Entered: entered, Records: records, Still: still,
	})
	return still
}

// perform plays the handovers, once every screen has been read to its end, until there is enough. It returns how many were begun and what was refused.
func (t *theatre) perform(ctx context.Context, read []<-chan struct{}) (begun int, err error) {
	for _, toTheEnd := range read {
		select {
		case <-toTheEnd:
		case <-ctx.Done():
			return 0, nil
		}
	}
	var acts sync.WaitGroup
	stage := make(chan struct{}, t.Concurrency)
	refused := make([]error, len(t.Plan.Handovers))
	for begun < len(t.Plan.Handovers) && t.goesOn(stage) {
		i := begun
		begun++
		acts.Go(func() {
			defer func() { <-stage }()
			refused[i] = t.act(ctx, t.Plan.Handovers[i])
		})
	}
	acts.Wait()
	return begun, errors.Join(refused...)
}

// goesOn waits until there is room for one more handover on the stage, and takes it; false when there is enough.
func (t *theatre) goesOn(stage chan<- struct{}) bool {
	select {
	case stage <- struct{}{}:
	case <-t.Enough:
		return false
	}
	select {
	case <-t.Enough:
		return false
	default:
		return true
	}
}

// act plays one handover: each step when the one before it stands where the clerk works, the end when the last step stands everywhere and the answer has come.
func (t *theatre) act(ctx context.Context, h Handover) error {
	var in native.CaseKey
	for i, s := range h.Steps {
		if i > 0 {
			before, ok := t.board.wait(ctx, sight{place: s.Place, marker: h.Steps[i-1].Marker, answer: h.Steps[i-1].Returned()})
			if !ok {
				return nil
			}
			in = before.Case
		}
		if err := t.enter(ctx, s, in); err != nil {
			return err
		}
	}
	if t.ends(ctx, h) {
		t.board.count(0, 1)
	}
	return nil
}

// ends waits until everything of a handover stands.
func (t *theatre) ends(ctx context.Context, h Handover) bool {
	last := h.Steps[len(h.Steps)-1]
	for _, at := range h.Where(last) {
		if _, ok := t.board.wait(ctx, sight{place: at, marker: last.Marker}); !ok {
			return false
		}
	}
	for _, s := range h.Steps {
		if s.Answer == nil {
			continue
		}
		if _, ok := t.board.wait(ctx, sight{place: s.Place, marker: s.Marker, answer: true}); !ok {
			return false
		}
	}
	return true
}

// enter attaches the documents and types a step until it stands. What stands already is not typed; when nobody knows whether it stands, the clerk looks first.
func (t *theatre) enter(ctx context.Context, s Step, in native.CaseKey) error {
	at := t.screens[s.Place.System]
	kind, body := t.Systems[s.Place.System].Compose(s.Name, s.Facts)
	typed := core.Typed{
		Case: in, Kind: kind, Organisation: s.Organisation, Action: s.Action, Documents: core.Hashes(s.Facts.Documents), Body: string(body),
	}
	if s.Refers != "" {
		earlier, _ := t.board.look(sight{place: s.Place, marker: s.Refers}) // it was entered here, and the step before this one was seen after it
		typed.Refers = earlier.ID
	}
	_, stands := t.board.look(sight{place: s.Place, marker: s.Marker})
	for !stands && ctx.Err() == nil {
		err := at.attach(ctx, s.Facts.Documents)
		if err == nil {
			err = at.enter(ctx, typed)
		}
		if errors.Is(err, errRefused) {
			return fmt.Errorf("%s %s: %w", s.Marker, s.Name, err)
		}
		if stands = err == nil; !stands {
			stands = t.lookAgain(ctx, at, s)
		}
	}
	if stands {
		t.board.count(1, 0)
	}
	return nil
}

// lookAgain waits until the desk answers again and returns whether the marker stands there: on the board, or in what came after that.
func (t *theatre) lookAgain(ctx context.Context, at screen, s Step) bool {
	after := t.board.read(at.id)
	for ctx.Err() == nil {
		pause(ctx, t.Poll)
		news, err := at.news(ctx, after, false)
		switch {
		case err != nil:
			continue
		case slices.ContainsFunc(news, func(e core.Seen) bool { return slices.Contains(markersIn(e.Body), s.Marker) }):
			return true
		case len(news) == pageLimit:
			after = news[len(news)-1].Number
			continue
		}
		_, stands := t.board.look(sight{place: s.Place, marker: s.Marker})
		return stands
	}
	return false
}

// pause waits for a time or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
