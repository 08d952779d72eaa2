// Package mappingtest holds what every mapping must do, whatever system it is for: a mapping is believed because these
// tests ran on it, not because its table looks right.
//
// [Run] takes a mapping and its table and tries: every valid payload goes there and comes back the same; every text at its limit arrives
// whole; a field that the table does not name is reported wherever it stands; an unknown code is reported in both directions; no row can be
// taken out of the table unseen; no error holds a value. [Agree] holds the tables of all systems against each other. [Payload] and its sisters
// are generators of payloads for other tests.
//
// The tests make their own native contents from what the mapping writes and from the table. Contents that clerks enter, which are made by
// hand from the published contract, are the business of each mapping's own golden files: without them a table could be wrong in both
// directions alike.
package mappingtest

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/table"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Subject is a mapping under test.
type Subject struct {
	// Table is the mapping's table.
	Table *table.Table
	// New makes the mapping from a table; the tests also call it with tables that lack a row. Nil: the mapping is the table.
	New func(*table.Table) mapping.Mapper
	// Fit makes a drawn payload one that the system can hold at all, such as one of a person that may stand in it. Nil: every valid payload can.
	Fit func(handover.Payload) handover.Payload
}

// fit returns what the system can hold of a drawn payload.
func (s Subject) fit(p handover.Payload) handover.Payload {
	if s.Fit == nil {
		return p
	}
	return s.Fit(p)
}

// T is a test; the tests of this package pass one of their own, to see that a wrong mapping fails.
type T = rapid.TB

// test is one rule that a mapping holds for one message.
type test struct {
	rule string
	hold func(T, Subject, handover.Name)
}

func tests() []test {
	return []test{
		{"every payload comes back the same", comesBack},
		{"a recall and a correction name the earlier entry", revises},
		{"the assigning organisation's own procedure is said, and drops out again", saysProcedure},
		{"texts at their limits arrive whole", arrivesWhole},
		{"I4 an unknown field is reported wherever it stands", reportsUnknownFields},
		{"I4 an unknown code is reported in both directions", reportsUnknownCodes},
		{"I4 no row can be missing", needsEveryRow},
		{"I6 no error holds a value", holdsNoValue},
	}
}

// Run holds a mapping to every rule, for all messages of the catalogue.
func Run(t *testing.T, s Subject) {
	t.Helper()
	for _, p := range handover.Catalogue() {
		t.Run(string(p.Name()), func(t *testing.T) {
			require.NotEmpty(t, s.Table.KindOf(p.Name()), "the table lacks the message")
			for _, one := range tests() {
				t.Run(one.rule, func(t *testing.T) { one.hold(t, s, p.Name()) })
			}
		})
	}
}

func (s Subject) mapper() mapping.Mapper { return s.with(s.Table) }

func (s Subject) with(t *table.Table) mapping.Mapper {
	if s.New == nil {
		return t.Mapper()
	}
	return s.New(t)
}

// The frame of every message and place of the tests.
const (
	assigning = handover.OrganisationID("sd-kriens")
	receiving = handover.OrganisationID("rav-luzern")
)

// isChecked tells the message that no clerk enters and einmal itself says.
func isChecked(n handover.Name) bool { return n == handover.ApplicationChecked{}.Name() }

// message puts a payload into an envelope.
func message(p handover.Payload) handover.Message {
	m := handover.Message{Payload: p, Envelope: handover.Envelope{
		ID: "0b9b4d0e-6c4e-4c6f-9d3a-7a4f3a1c2e01", Source: "origin", Name: p.Name(), Case: "5f0f7a52-9f4e-4a43-8f43-1f8a6f1d0c01",
		Time: time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC), Sender: assigning, Sequence: 1, Action: handover.ActionNew,
	}}
	if isChecked(p.Name()) {
		m.Sender = handover.Gateway
	}
	if handover.Opens(p.Name()) {
		m.Parties = handover.Parties{Assigning: assigning, Receiving: receiving}
	}
	return m
}

func placement(n handover.Name) mapping.Placement {
	at := mapping.Placement{
		Reference: "7d1c4a5e-0000-4000-8000-000000000001", System: "target", Organisation: receiving, Role: handover.Receiving,
		Parties: handover.Parties{Assigning: assigning, Receiving: receiving}, Case: "C-1", Now: time.Date(2026, 3, 2, 9, 30, 1, 0, time.UTC),
	}
	if isChecked(n) {
		at.Organisation, at.Role = assigning, handover.Assigning
	}
	if handover.Opens(n) {
		at.Case = ""
	}
	return at
}

// record is what an adapter would read if a clerk of the sender had entered the content. What einmal itself says has no clerk.
func (s Subject) record(e native.Entry) native.Record {
	r := native.Record{
		ID: "R-1", Kind: e.Kind, Case: "C-1", Organisation: assigning, CaseReference: e.CaseReference, Sequence: 1,
		At: time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC), Action: e.Action, Refers: e.Refers, Body: e.Body,
	}
	if e.Kind == s.Table.KindOf(handover.ApplicationChecked{}.Name()) {
		r.Organisation = handover.Gateway
	}
	return r
}

// written is the entry that the mapping makes of a payload.
func (s Subject) written(t T, p handover.Payload) native.Entry {
	t.Helper()
	require.NoError(t, message(p).Validate(), "the generator makes valid payloads")
	e, err := s.mapper().FromHandover(message(p), placement(p.Name()))
	require.NoError(t, err)
	return e
}

// read reads a content with one mapping.
func (s Subject) read(m mapping.Mapper, e native.Entry, body []byte) (mapping.Draft, error) {
	e.Body = body
	return m.ToHandover(s.record(e))
}

// found returns the findings of an error as "code at path".
func found(err error) []string {
	var list []string
	var fs fault.Findings
	errors.As(err, &fs)
	for _, f := range fs {
		list = append(list, f.Code+" at "+f.Path)
	}
	return list
}

func encode(t T, p handover.Payload) string {
	t.Helper()
	b, err := handover.EncodePayload(p)
	require.NoError(t, err)
	return string(b)
}

// changed returns a content with one change.
func (s Subject) changed(t T, body []byte, change func(document) error) []byte {
	t.Helper()
	doc, err := open(s.Table.Format(), s.Table.Namespaces(), body)
	require.NoError(t, err)
	require.NoError(t, change(doc))
	b, err := doc.bytes()
	require.NoError(t, err)
	return b
}

func sortedNames(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// firstItem is the path of the first item of every list, as findings name it.
func firstItem(path string) string { return strings.ReplaceAll(path, "[]", "[0]") }
