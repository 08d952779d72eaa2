package gateway_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/table"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// seventh is a native system that no package of the program knows: a store in memory that joins a reference (mode A). It is its own factory and adapter.
type seventh struct{ store *core.Store }

// seventhConfig is its configuration.
type seventhConfig struct {
	Desk   string          `yaml:"desk"`
	Bounds adapters.Bounds `yaml:"bounds"`
}

// Type implements [adapters.Factory].
func (seventh) Type() string { return "seventh" }

// DefaultConfig implements [adapters.Factory].
func (seventh) DefaultConfig() any { return &seventhConfig{} }

// New implements [adapters.Factory].
func (s seventh) New(_ handover.SystemID, cfg any) (adapters.System, error) {
	c, ok := cfg.(*seventhConfig)
	if !ok || c.Desk != "upstairs" {
		return adapters.System{}, fault.New(fault.Stop, "seventh.new", "desk", "the configuration is not the one of the test")
	}
	return adapters.System{
		Source: s, Sink: s, Ping: func(context.Context) error { return nil }, Close: func() error { return nil },
		Abilities: adapters.Abilities{Mode: adapters.ModeA, Bounds: c.Bounds},
	}, nil
}

// Read implements [adapters.Source].
func (s seventh) Read(_ context.Context, after native.Position, limit int) (adapters.Batch, error) {
	from, err := strconv.ParseUint("0"+string(after), 10, 64)
	if err != nil {
		return adapters.Batch{}, fault.New(fault.Stop, "seventh.read", adapters.PositionUnknown, "this is no position")
	}
	b := adapters.Batch{Next: after}
	for _, e := range s.store.After(from, limit) {
		b.Next = native.Position(strconv.FormatUint(e.Number, 10))
		b.Records = append(b.Records, native.Record{
			ID: e.ID, Kind: e.Kind, Case: e.Case, Organisation: e.Organisation, CaseReference: e.CaseReference, Reference: e.Reference, Sequence: e.Sequence, At: e.At,
			Action: e.Action, Refers: e.Refers, Body: e.Body,
		})
	}
	return b, nil
}

// Apply implements [adapters.Sink].
func (s seventh) Apply(ctx context.Context, e native.Entry) (native.Receipt, error) {
	written, joined, err := s.store.Write(ctx, core.Write{
		Case: e.Case, Kind: e.Kind, Organisation: e.Organisation, CaseReference: e.CaseReference, Reference: e.Reference, Action: e.Action, Refers: e.Refers, By: core.ByInterface,
		Body: e.Body,
	})
	switch {
	case errors.Is(err, core.ErrNoCase), errors.Is(err, core.ErrNoRecord):
		return native.Receipt{}, fault.Wrap(fault.Refuse, "seventh.apply", err)
	case err != nil:
		return native.Receipt{}, fault.Wrap(fault.Doubt, "seventh.apply", err)
	}
	return native.Receipt{Record: written.ID, Case: written.Case, Joined: joined}, nil
}

// seventhOffice is a social service that works in it.
const seventhOffice = `  - id: sd-malters
    agency: SH
    system: seventh
    name: Sozialdienst Malters
    offers: [CASE_LEADERSHIP]
    contact: {name: Sekretariat Sozialdienst Malters, phone: 041 000 21 00, email: sd-malters@example.org}
    serves: [{bfs: [1062]}]

municipalities:
`

// newSeventh starts a world with a seventh system beside it: a factory, a mapper that is a table, and lines of configuration. Nothing else knows it.
func newSeventh(t *testing.T) (*stage, *core.Store, mapping.Mapper) {
	t.Helper()
	s := newStage(t, core.Faults{})
	store, err := core.Open(core.Options{System: "seventh", Unique: true})
	require.NoError(t, err)
	s.after = append(s.after, func() { require.NoError(t, store.Close()) })
	yaml, err := os.ReadFile("testdata/seventh.yaml")
	require.NoError(t, err)
	words, err := table.Load("testdata/seventh.yaml", yaml)
	require.NoError(t, err)
	s.factories, s.mappers = []adapters.Factory{seventh{store}}, map[string]mapping.Mapper{"seventh": words.Mapper()}
	directory, err := os.ReadFile("testdata/directory.yaml")
	require.NoError(t, err)
	file := filepath.Join(s.dir, "directory.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(directory), "\nmunicipalities:\n", seventhOffice, 1)), 0o600))
	s.rewrite = func(yaml string) string {
		yaml = strings.Replace(yaml, "testdata/directory.yaml", file, 1)
		return strings.Replace(yaml, "\nsystems:\n", "\nsystems:\n  seventh:\n    type: seventh\n    mode: A\n    poll: 50ms\n    config: {desk: upstairs, bounds: {send: 1s, request: 3s, processing: 700ms, margin: 300ms}}\n", 1)
	}
	return s, store, words.Mapper()
}

// A native system is a factory, a mapper, and lines of configuration: a handover runs between it, AVAM and CASEnet through a gateway that has never heard of it, from the
// application that its clerk enters to the closure that its dossier shows.
func TestASeventhSystemNeedsNoChangeInTheGateway(t *testing.T) {
	t.Parallel()
	s, store, words := newSeventh(t)
	g := s.gateway()
	a := s.affair(1)
	a.facts.Assigning, a.facts.Decision, a.facts.ClosureReason, a.facts.Outcome = "sd-malters", "ACCEPTED", "GOAL_REACHED", "SUCCESSFUL"
	for i := range a.facts.Participants {
		a.facts.Participants[i].Agreed = true
	}
	f := a.facts
	f.Remark = a.tag + "-00]"
	application, err := f.Payload("application-submitted")
	require.NoError(t, err)
	form, err := words.FromHandover(handover.Message{Envelope: handover.Envelope{Name: application.Name(), Action: handover.ActionNew}, Payload: application}, mapping.Placement{Organisation: "sd-malters"})
	require.NoError(t, err)
	typed, _, err := store.Write(t.Context(), core.Write{Kind: form.Kind, Organisation: "sd-malters", By: core.ByClerk, Body: form.Body})
	require.NoError(t, err)
	a.appears(f.Remark, world.AVAM, world.CASEnet)

	markers := []string{f.Remark}
	for _, says := range []handover.Name{"application-decided", "transfer-meeting-recorded", "case-closed"} {
		marker := a.enters(world.AVAM, "rav-luzern", says)
		a.appears(marker, world.CASEnet)
		require.Eventually(t, func() bool { return len(store.Containing(marker)) > 0 }, patience, tick, "%s is missing", marker)
		markers = append(markers, marker)
	}
	g.clean()
	require.Equal(t, markers, a.stands(world.AVAM))
	require.Equal(t, markers, a.stands(world.CASEnet))
	entries, _ := store.Case(typed.Case)
	require.Len(t, entries, len(markers), "each message once")
	for i, e := range entries {
		require.Contains(t, string(e.Body), markers[i], "in order")
	}
	require.Contains(t, string(entries[2].Body), `"own":"reduced"`)
	require.Contains(t, string(entries[3].Body), `"own":"full"`)
	require.NotContains(t, s.log.String(), a.facts.Person.OfficialName)
}
