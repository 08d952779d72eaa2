package gateway

import (
	"context"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/bus"
	"github.com/einmal-hub/einmal/gateway/delivery"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// port shows the bus to ledger, intake and delivery as each of them wants to see it.
type port struct{ bus *bus.Bus }

// PartitionOf returns the partition of a case, the same on every topic.
func (p port) PartitionOf(c handover.CaseID) int32 { return p.bus.PartitionOf(string(c)) }

// Append writes a ledger record. An unknown outcome is repeated by the caller with the same key.
func (p port) Append(ctx context.Context, partition int32, key string, value []byte) (int64, error) {
	o, err := p.bus.Publish(ctx, p.bus.Topics().Ledger, partition, key, nil, value)
	return o.Offset, err
}

// End returns the end of a ledger partition.
func (p port) End(ctx context.Context, partition int32) (int64, error) {
	return p.bus.End(ctx, p.bus.Topics().Ledger, partition)
}

// ReadAt reads a message of the bus again.
func (p port) ReadAt(ctx context.Context, partition int32, offset int64) (delivery.Record, error) {
	r, err := p.bus.ReadAt(ctx, p.bus.Topics().Handover, partition, offset)
	return delivery.Record{Offset: r.Offset, Headers: r.Headers, Value: r.Value}, err
}

// Publish puts a message on the bus: the key is the case, the headers are CloudEvents.
func (p port) Publish(ctx context.Context, e handover.Envelope, sealed []byte) error {
	_, err := p.bus.Publish(ctx, p.bus.Topics().Handover, p.PartitionOf(e.Case), string(e.Case), e.Headers(), sealed)
	return err
}

// Keep stores a sealed native record that could not be translated.
func (p port) Keep(ctx context.Context, c handover.CaseID, sealed []byte) (ledger.Place, error) {
	o, err := p.bus.Publish(ctx, p.bus.Topics().Parked, p.PartitionOf(c), string(c), nil, sealed)
	return ledger.Place{Topic: ledger.OnParked, Offset: o.Offset}, err
}

// Kept reads it again.
func (p port) Kept(ctx context.Context, c handover.CaseID, at ledger.Place) ([]byte, error) {
	r, err := p.bus.ReadAt(ctx, p.bus.Topics().Parked, p.PartitionOf(c), at.Offset)
	return r.Value, err
}
