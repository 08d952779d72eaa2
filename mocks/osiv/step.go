package osiv

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/ech0058"
)

// Step makes one round: it completes what was half-written, takes the pairs in the outbox, does what is due, and sends what clerks entered.
func (m *Mock) Step(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.root == nil {
		return core.ErrClosed
	}
	if err := m.complete(); err != nil {
		return err
	}
	if err := m.carry(); err != nil {
		return err
	}
	if err := m.settle(ctx, m.options.Clock()); err != nil {
		return err
	}
	return m.publish()
}

// Settle makes rounds until nothing waits any more, and does at once what was to come later.
func (m *Mock) Settle(ctx context.Context) error {
	for waits := true; waits; {
		if err := m.Step(ctx); err != nil {
			return err
		}
		m.mu.Lock()
		err := m.settle(ctx, m.options.Clock().AddDate(100, 0, 0))
		waits = len(m.due) > 0 || len(m.halves) > 0
		m.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// settle does what is due, in the order of the times, also what becomes due by it.
func (m *Mock) settle(ctx context.Context, now time.Time) error {
	for {
		first := -1
		for i, e := range m.due {
			if !e.at.After(now) && (first < 0 || e.at.Before(m.due[first].at)) {
				first = i
			}
		}
		if first < 0 {
			return nil
		}
		e := m.due[first]
		m.due = append(m.due[:first:first], m.due[first+1:]...)
		if err := e.do(ctx); err != nil {
			return err
		}
	}
}

func (m *Mock) at(wait time.Duration, do func(context.Context) error) {
	m.due = append(m.due, event{at: m.options.Clock().Add(wait), do: do})
}

// covers matches the name of an envelope and its base name.
func covers() *regexp.Regexp { return regexp.MustCompile(`^envl_([A-Za-z0-9_-]{1,64})\.xml$`) }

// carry takes every pair in the outbox, as the carrier does.
func (m *Mock) carry() error {
	entries, err := fs.ReadDir(m.root.FS(), contract.Outbox)
	if err != nil {
		return fmt.Errorf("osiv: read the outbox: %w", err)
	}
	for _, e := range entries {
		if name := covers().FindStringSubmatch(e.Name()); name != nil {
			if err := m.take(name[1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// take takes one pair over and moves it to the folder of the processed ones.
func (m *Mock) take(base string) error {
	envelope, err := m.root.ReadFile(contract.Outbox + "/envl_" + base + ".xml")
	if err != nil {
		return fmt.Errorf("osiv: read an envelope: %w", err)
	}
	payload, missing := m.root.ReadFile(contract.Outbox + "/data_" + base + ".zip")
	if missing != nil && !errors.Is(missing, fs.ErrNotExist) {
		return fmt.Errorf("osiv: read a payload: %w", missing)
	}
	for _, name := range []string{"/envl_" + base + ".xml", "/data_" + base + ".zip"} {
		if err := m.root.Rename(contract.Outbox+name, contract.Processed+name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("osiv: move a pair: %w", err)
		}
	}
	root, err := strict.XML(envelope)
	if err == nil {
		err = m.schema.Check(root)
	}
	if err != nil || !strict.Is(root, contract.EnvelopeNamespace, "envelope") {
		return m.receipt(root, 200)
	}
	if code := m.objection(root, payload, missing); code != 0 {
		return m.receipt(root, code)
	}
	return m.route(root, payload)
}

// objection returns the code with which the carrier refuses a message, 0 for none.
func (m *Mock) objection(envelope *etree.Element, payload []byte, missing error) int {
	value := func(local string) string { return ech0058.Value(envelope, contract.EnvelopeNamespace, local) }
	switch {
	case missing != nil:
		return 202
	case value("senderId") != m.options.Einmal:
		return 300
	case value("recipientId") != m.options.OSIV:
		return 301
	case value("messageType") != strconv.Itoa(m.options.MessageType):
		return 303
	case value("messageClass") != contract.ClassMessage:
		return 304
	case len(payload) > contract.MaxPayload:
		return 330
	case m.taken[value("messageId")], len(m.store.ByReference(native.Reference(value("messageId")), 0)) > 0:
		return contract.CodeDuplicate
	}
	return 0
}

// route carries a message that the carrier takes over, with what may go wrong on the way.
func (m *Mock) route(envelope *etree.Element, payload []byte) error {
	f := m.dice.Faults()
	way, receiptAfter, reportAfter := time.Duration(0), time.Duration(0), time.Duration(0)
	switch m.dice.Strike(core.OpWrite, core.FaultError, core.FaultErrorInDoubt, core.FaultLate, core.FaultSlow, core.FaultLostAnswer) {
	case core.FaultError:
		return m.receipt(envelope, 400)
	case core.FaultErrorInDoubt:
		return nil
	case core.FaultLate:
		way = f.LateBy
		if err := m.receipt(envelope, 601); err != nil {
			return err
		}
	case core.FaultSlow:
		receiptAfter = f.SlowBy
	case core.FaultLostAnswer:
		reportAfter = f.LateBy
	}
	id := ech0058.Value(envelope, contract.EnvelopeNamespace, "messageId")
	m.taken[id] = true
	m.at(way, func(ctx context.Context) error {
		m.at(receiptAfter, func(context.Context) error { return m.receipt(envelope, contract.CodeDelivered) })
		r, err := m.record(ctx, id, payload)
		if err == nil {
			m.at(reportAfter, m.reporting(r))
		}
		return err
	})
	return nil
}
