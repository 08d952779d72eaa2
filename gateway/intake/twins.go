package intake

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// twins notices from what is read that an entry of einmal may stand twice, or although it was withdrawn: a request that arrives after every bound of mode B, or a record that somebody has copied, shows
// itself here first. It decides nothing; the comparison, which is asked for then, does.
//
// What it keeps for entries that are still open goes with the process. Then the next scheduled comparison finds them.
type twins struct {
	mu   sync.Mutex
	open map[native.Reference]sighting // under references whose outcome the ledger did not know yet
}

// sighting is a record that was read, and whether a comparison was asked for because of another one.
type sighting struct {
	id       native.RecordID
	doubtful bool
}

// look is given every record that carries a reference of this installation, and what the ledger says about that.
func (t *twins) look(ref ledger.Ref, rec native.Record) (doubtful bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ref.Settled() {
		delete(t.open, rec.Reference)
		return elsewhere(ref, rec.ID)
	}
	if t.open == nil {
		t.open = map[native.Reference]sighting{}
	}
	first, known := t.open[rec.Reference]
	switch {
	case !known:
		t.open[rec.Reference] = sighting{id: rec.ID}
	case first.id != rec.ID && !first.doubtful: // once, in whatever order they are taken
		t.open[rec.Reference] = sighting{id: first.id, doubtful: true}
		return true
	}
	return false
}

// settled returns the references that the ledger has settled since, otherwise than they were read, sorted, and forgets all that are settled.
func (t *twins) settled(ask func(native.Reference) (ledger.Ref, bool)) (doubtful []native.Reference) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, seen := range t.open {
		ref, _ := ask(name)
		if !ref.Settled() {
			continue
		}
		delete(t.open, name)
		if !seen.doubtful && elsewhere(ref, seen.id) {
			doubtful = append(doubtful, name)
		}
	}
	slices.Sort(doubtful)
	return doubtful
}

// elsewhere reports whether the ledger has settled an entry otherwise than that this record is it.
func elsewhere(ref ledger.Ref, id native.RecordID) bool {
	return ref.Withdrawn || ref.Native != "" && ref.Native != id
}

// suspect asks for a comparison.
func (r *Reader) suspect(ctx context.Context, ref native.Reference) {
	r.Log.InfoContext(ctx, "by what was read, an entry stands twice or otherwise than the ledger says; the system is compared soon",
		slog.String("system", string(r.origin.ID)), slog.String("reference", string(ref)))
	r.Compare(r.origin.ID, ref)
}

// twin looks at what einmal wrote.
func (r *Reader) twin(ctx context.Context, ref ledger.Ref, rec native.Record) {
	if r.Compare != nil && r.twins.look(ref, rec) {
		r.suspect(ctx, rec.Reference)
	}
}

// settled looks again at what was open when it was read.
func (r *Reader) settled(ctx context.Context) {
	if r.Compare == nil {
		return
	}
	for _, ref := range r.twins.settled(r.Ledger.Ref) {
		r.suspect(ctx, ref)
	}
}
