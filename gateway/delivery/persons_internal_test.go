package delivery

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// elsewhere is a Redis in which another gateway holds one thing.
type elsewhere struct{ held string }

func (e *elsewhere) Claim(_ context.Context, what string, _ time.Duration) bool {
	return what != e.held
}
func (*elsewhere) Release(context.Context, string) {}
func (*elsewhere) SetDone(context.Context, handover.CaseID, string, native.Reference, native.Receipt) {
}

// I1: who loses the partition while it waits for a person's number lets go of her name: otherwise nobody here could decide about her any more.
func TestI1_WhoGivesUpWaitingForAPersonHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		redis := &elsewhere{held: "person:number"}
		c := &claim{Delivery: &Delivery{o: Options{Claims: redis}, persons: newPersons(func(handover.CaseID) {})}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, ok := c.alone(ctx, applicant{name: "name", number: "number"})
		require.False(t, ok)
		redis.held = ""
		again, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		leave, ok := c.alone(again, applicant{name: "name", number: "number"})
		require.True(t, ok)
		leave()
		require.Empty(t, c.persons.busy)
	})
}

// I8: an application that somebody has just read is not forgotten by somebody who looks at an older list of the open cases.
func TestI8_WhatWasLearntIsNotForgottenByALookAtAnOlderList(t *testing.T) {
	p := newPersons(func(handover.CaseID) {})
	anna := applicant{place: ledger.Place{Offset: 1}, name: "anna"}
	learnt := make(chan struct{})
	older := func() map[handover.CaseID]ledger.Place {
		go func() {
			p.learn("c1", anna)
			close(learnt)
		}()
		return map[handover.CaseID]ledger.Place{}
	}
	p.rivals(older, "c3", applicant{})
	<-learnt
	rivals, strangers := p.rivals(func() map[handover.CaseID]ledger.Place { return map[handover.CaseID]ledger.Place{"c1": {Offset: 1}} }, "c2", applicant{name: "anna"})
	require.Empty(t, strangers)
	require.Len(t, rivals, 1)
}

// Nobody is like somebody of whom nothing is known.
func TestAnApplicationThatCannotBeReadIsLikeNoOther(t *testing.T) {
	require.False(t, applicant{}.same(applicant{}))
	require.False(t, applicant{}.same(applicant{name: "anna", number: "1"}))
	require.True(t, applicant{name: "anna"}.same(applicant{name: "anna", number: "1"}))
}
