package all_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/all"
	"github.com/einmal-hub/einmal/mapping/avam"
	"github.com/einmal-hub/einmal/mapping/casenet"
	"github.com/einmal-hub/einmal/mapping/klib"
	"github.com/einmal-hub/einmal/mapping/mappingtest"
	"github.com/einmal-hub/einmal/mapping/table"
)

// BenchmarkMapping measures the largest message with everything optional in it, the same for every system, written and read. MB/s count the native content.
func BenchmarkMapping(b *testing.B) {
	mappers, err := all.Mappers()
	require.NoError(b, err)
	m, at := largest(b)
	for _, system := range slices.Sorted(maps.Keys(mappers)) {
		e, err := mappers[system].FromHandover(m, at)
		require.NoError(b, err)
		r := native.Record{ID: "R-1", Kind: e.Kind, Case: "C-1", Organisation: m.Sender, Sequence: 1, At: m.Time, Body: e.Body}
		b.Run(system+"/write", func(b *testing.B) {
			b.SetBytes(int64(len(e.Body)))
			for b.Loop() {
				if _, err := mappers[system].FromHandover(m, at); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(system+"/read", func(b *testing.B) {
			b.SetBytes(int64(len(e.Body)))
			for b.Loop() {
				if _, err := mappers[system].ToHandover(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// largest returns an application that every system can hold, and where it is to be written.
func largest(b *testing.B) (handover.Message, mapping.Placement) {
	var tables []*table.Table
	for _, load := range []func() (*table.Table, error){avam.Table, casenet.Table, klib.Table} {
		loaded, err := load()
		require.NoError(b, err)
		tables = append(tables, loaded)
	}
	a, ok := mappingtest.Full("application-submitted", tables...).Example(1).(handover.ApplicationSubmitted)
	require.True(b, ok)
	parties := handover.Parties{Assigning: a.Assigning, Receiving: a.Receiving}
	now := time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)
	return handover.Message{Payload: a, Envelope: handover.Envelope{
			ID: "0b9b4d0e-6c4e-4c6f-9d3a-7a4f3a1c2e01", Source: "origin", Name: a.Name(), Case: "5f0f7a52-9f4e-4a43-8f43-1f8a6f1d0c01",
			Time: now, Sender: a.Assigning, Parties: parties, Sequence: 1, Action: handover.ActionNew,
		}}, mapping.Placement{
			Reference: "7d1c4a5e-0000-4000-8000-000000000001", System: "target", Organisation: a.Receiving, Role: handover.Receiving, Parties: parties, Now: now,
		}
}
