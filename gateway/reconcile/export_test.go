package reconcile

import (
	"context"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// First returns what a comparison finds at its first look: what the order of reading alone keeps it from inventing.
func First(ctx context.Context, o Options) (findings []Finding, err error) {
	o.Progress = func(Progress) {}
	r := &run{Options: o, book: NewBook(), results: map[handover.SystemID]Result{}, findings: map[handover.SystemID][]Finding{}}
	err = r.pass(ctx, o.Systems)
	for _, s := range o.Systems {
		findings = append(findings, r.findings[s.ID]...)
	}
	return findings, err
}
