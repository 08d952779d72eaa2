package reconcile

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// listed is what is kept of a record in a native system's list. Its content is not.
type listed struct {
	id            native.RecordID
	kind          native.Kind
	caseKey       native.CaseKey
	organisation  handover.OrganisationID
	caseReference handover.CaseID
}

// list is what stands in a native system.
type list struct {
	byRef  map[native.Reference][]listed
	refs   map[native.RecordID]native.Reference // of every record, empty for what a person entered
	broken map[native.RecordID]bool
	count  int // of records with a reference
}

// identity tells two records apart from one that comes twice: the contract of sources allows that.
type identity struct {
	id       native.RecordID
	caseKey  native.CaseKey
	sequence uint64
}

// patience is how often one page is asked for, and how often a list may tell something again instead of going on.
const patience = 5

// read reads the whole list of a system.
func read(ctx context.Context, s adapters.Source, page int, progress func(records int)) (*list, error) {
	l := &list{byRef: map[native.Reference][]listed{}, refs: map[native.RecordID]native.Reference{}, broken: map[native.RecordID]bool{}}
	seen := map[identity]bool{}
	stays := 0
	for position := native.Position(""); ; {
		batch, err := readPage(ctx, s, position, page)
		if err != nil {
			return nil, err
		}
		for _, b := range batch.Broken {
			l.broken[b.ID] = true
		}
		for _, r := range batch.Records {
			if name := (identity{r.ID, r.Case, r.Sequence}); !seen[name] {
				seen[name] = true
				l.add(r)
			}
		}
		progress(len(seen))
		switch {
		case !batch.More:
			return l, nil
		case batch.Next != position:
			position, stays = batch.Next, 0
		default: // it tells something again: what comes after that is not missing
			if stays++; stays > patience {
				return nil, fault.New(fault.Retry, "reconcile.list", "does-not-go-on", "the list says that there is more, and tells the same again and again")
			}
		}
	}
}

func (l *list) add(r native.Record) {
	if _, known := l.refs[r.ID]; !known || r.Reference != "" {
		l.refs[r.ID] = r.Reference
	}
	if r.Reference == "" || r.Reference.Measured() { // with the latter the system was measured: no handover
		return
	}
	l.count++
	l.byRef[r.Reference] = append(l.byRef[r.Reference], listed{
		id: r.ID, kind: r.Kind, caseKey: r.Case, organisation: r.Organisation, caseReference: r.CaseReference,
	})
}

// readPage reads one page, more than once if the system does not answer.
func readPage(ctx context.Context, s adapters.Source, after native.Position, limit int) (adapters.Batch, error) {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = 200*time.Millisecond, 5*time.Second
	return backoff.Retry(ctx, func() (adapters.Batch, error) {
		b, err := s.Read(ctx, after, limit)
		if kind := fault.KindOf(err); err != nil && kind != fault.Retry && kind != fault.Unclassified {
			return b, backoff.Permanent(err)
		}
		return b, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxTries(patience))
}
