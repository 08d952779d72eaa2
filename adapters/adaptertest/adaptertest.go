// Package adaptertest holds what every adapter must do, whatever system it connects: an adapter is believed because these tests ran on it
// against a native system that misbehaves on purpose, never because of what it says about itself. Which mode a system can be used in is found out
// by package measure, which runs here against every mock, and with 'einmal adapter verify' against a vendor's test system.
//
// An adapter's tests give a [Driver]; [Run] does the rest. For systems that speak HTTP, [Between] is the misbehaving network.
//
// Rejected: mocks that are told which calls to expect. They repeat the adapter's own idea of the wire; a journal of what really happened does not.
package adaptertest

import (
	"context"
	"slices"
	"testing"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/stretchr/testify/require"
)

// T is what the tests need of *testing.T; the tests of this package use it to see that a wrong adapter fails.
type T interface {
	require.TestingT
	Helper()
	Cleanup(func())
	Context() context.Context
	TempDir() string
}

// Driver plays one type of native system.
type Driver struct {
	// Start starts an empty native system for one test and ends it with the test.
	Start func(T) Native
	// Secrets are texts that stand in credentials or in the entries of the driver and must never stand in an error: a token, a name.
	Secrets []string
	// Lacks are faults that the wire of this system cannot have.
	Lacks []Fault
	// ActionInContent is true for a system whose content itself says that it recalls or corrects something, and what: its mapping writes and reads that, and the adapter leaves
	// [native.Record.Action] empty.
	ActionInContent bool
}

// Native is one running native system, as its clerks, its operator and the network see it.
type Native interface {
	// Connect makes a new connection that nothing else uses. The test closes it.
	Connect(T, Connection) adapters.System
	// Enter enters the n-th record as a clerk does.
	Enter(n int) (native.RecordID, error)
	// Entry returns the n-th valid entry, always the same for one n and with a reference of its own. An empty case opens one.
	Entry(n int, in native.CaseKey) native.Entry
	// Count waits until everything that arrived is carried out and counts the records with a reference in the native journal.
	Count(native.Reference) int
	// Script makes the next exchange go wrong. Faults that an exchange cannot meet, such as a lagging search, last. The channel is closed when the native system has received its request.
	Script(Fault) (met <-chan struct{})
}

// Connection says how a connection is configured.
type Connection uint8

const (
	// Right is a connection that works.
	Right Connection = iota
	// WrongCredentials is one that the native system does not let in.
	WrongCredentials
	// Unreachable is one to an address where nothing listens.
	Unreachable
)

// Fault is one way in which an exchange goes wrong.
type Fault string

const (
	// Rejected is an answer that the contract lists as "rejected before any write", to a write; storing a document is one too.
	Rejected Fault = "rejected"
	// Failed is a failure that leaves open what happened, such as status 500; nothing is carried out.
	Failed Fault = "failed"
	// LostAnswer carries the request out and cuts the connection.
	LostAnswer Fault = "lost answer"
	// Late cuts the connection and carries the request out after that.
	Late Fault = "late"
	// Torn carries the request out and cuts the connection in the middle of the answer.
	Torn Fault = "torn answer"
	// Endless carries the request out and answers without an end.
	Endless Fault = "endless answer"
	// Silent receives the request and does nothing until the client gives up.
	Silent Fault = "silent"
	// Redirected carries nothing out and tells the client to send the request to the same place again.
	Redirected Fault = "redirected"
	// Forbidden is a connection with [WrongCredentials]; a system that is reached without any lacks it.
	Forbidden Fault = "forbidden"
	// Lagging makes the search know nothing of what is written from now on. It concerns no exchange and lasts until the end of the test.
	Lagging Fault = "lagging"
	// Forgotten makes a system that answers later record, or lose, the next entry that is handed over and never say a word about it.
	Forgotten Fault = "forgotten"
	// Doubled makes a system that answers later record the next entry that is handed over twice, and say so.
	Doubled Fault = "doubled"
)

// rule is one thing that an adapter must do.
type rule struct {
	name  string
	needs func(adapters.System) bool
	hold  func(*session)
}

// Run holds an adapter to every rule that its abilities make it subject to.
func Run(t *testing.T, d Driver) {
	t.Helper()
	for _, r := range rulesFor(t, d) {
		t.Run(r.name, func(t *testing.T) { start(t, d).hold(r) })
	}
}

// rulesFor selects the rules by what the system declares.
func rulesFor(t T, d Driver) []rule {
	declared := start(t, d).system
	var selected []rule
	for _, r := range rules() {
		if r.needs == nil || r.needs(declared) {
			selected = append(selected, r)
		}
	}
	return selected
}

func rules() []rule {
	return slices.Concat(aboutSystems(), aboutSources(), aboutSinks(), aboutFinders(), aboutAnsweringLater(), aboutDocuments(), aboutMeasuring())
}

// session is one test: a native system of its own and a connection to it.
type session struct {
	T
	driver Driver
	native Native
	system adapters.System
}

func start(t T, d Driver) *session {
	t.Helper()
	n := d.Start(t)
	s := &session{T: t, driver: d, native: n}
	s.system = s.connect(Right)
	return s
}

func (s *session) hold(r rule) { r.hold(s) }

// connect makes a connection that is closed with the test.
func (s *session) connect(how Connection) adapters.System {
	s.Helper()
	system := s.native.Connect(s.T, how)
	s.Cleanup(func() { require.NoError(s.T, system.Close()) })
	return system
}
