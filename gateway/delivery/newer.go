package delivery

import (
	"context"
	"log/slog"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// While an installation is upgraded, two versions run beside each other, and the older one meets what only the newer one understands. It leaves that alone: the message is not completed, so its
// offset is not committed and the next owner of the partition reads it again; its case waits behind it, and no other case does. Rejected: to put it before a person, who could do nothing but
// wait for the upgrade, and would have to let every message go on by hand.

// foreign reports whether only a newer gateway can go on with a message of a case.
func (c *claim) foreign(id handover.CaseID, headers map[string]string) bool {
	return c.o.Ledger.Newer(id) || handover.Unknown(headers)
}

// leave holds the lane that it is called in until ctx ends.
func (c *claim) leave(ctx context.Context, id handover.CaseID, what string) {
	c.newer.Add(1)
	defer c.newer.Add(-1)
	c.o.Log.WarnContext(ctx, "left to a newer gateway: this version does not know it", slog.String("case", string(id)), slog.String("what", what))
	<-ctx.Done()
}

// Newer returns how many lanes wait at present for a gateway of a newer version.
func (d *Delivery) Newer() int { return int(d.newer.Load()) }
