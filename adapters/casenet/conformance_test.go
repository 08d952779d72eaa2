package casenet

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	published "github.com/einmal-hub/einmal/contracts/native/casenet"
	"github.com/einmal-hub/einmal/contracts/native/openapitest"
	mock "github.com/einmal-hub/einmal/mocks/casenet"
	"github.com/einmal-hub/einmal/mocks/core"
)

// platformMock is the adapter on a mock platform; the published contract stands between them and judges both.
type platformMock struct {
	adapters.System
	mock *mock.Mock
}

func withMock(t *testing.T, o mock.Options) platformMock {
	t.Helper()
	o.System, o.Token = "iiz", "token"
	return withMockBehind(t, o, func(next http.Handler) http.Handler { return openapitest.Watch(t, published.OpenAPI(), next) })
}

func withMockBehind(t *testing.T, o mock.Options, between func(http.Handler) http.Handler) platformMock {
	t.Helper()
	m, err := mock.New(o)
	require.NoError(t, err)
	server := httptest.NewServer(between(m.Handler()))
	c := valid(t)
	c.URL = server.URL
	s, err := Factory{}.New("iiz", c)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		server.Close()
		require.NoError(t, m.Close())
	})
	return platformMock{s, m}
}

// entryOf returns what a form of the platform holds, as an entry of the interface.
func entryOf(name handover.Name, key native.CaseKey, n int) native.Entry {
	f := core.Invent(rand.New(rand.NewPCG(7, 7)))
	f.Documents = nil
	kind, body := mock.Compose(name, f)
	return native.Entry{
		Reference: native.Reference(fmt.Sprintf("6f1c2a34-%04x", n)), Kind: kind, Case: key, CaseReference: "0b9f4e1c-2d3a", Organisation: "rav-luzern", Body: body,
	}
}

func TestContract_EveryMessageIsWrittenAndReadBack(t *testing.T) {
	p := withMock(t, mock.Options{})
	require.NoError(t, p.Ping(t.Context()))
	var key native.CaseKey
	for i, payload := range handover.Catalogue() {
		e := entryOf(payload.Name(), key, i)
		r, err := p.Sink.Apply(t.Context(), e)
		require.NoError(t, err, payload.Name())
		require.False(t, r.Joined)
		key = r.Case
	}
	b, err := p.Source.Read(t.Context(), "", 200)
	require.NoError(t, err)
	require.Empty(t, b.Broken)
	require.Len(t, b.Records, len(handover.Catalogue()))
	for i, r := range b.Records {
		e := entryOf(handover.Catalogue()[i].Name(), key, i)
		require.Equal(t, e.Reference, r.Reference)
		require.Equal(t, e.Kind, r.Kind)
		require.Equal(t, key, r.Case)
		require.Equal(t, e.CaseReference, r.CaseReference)
		require.Equal(t, e.Organisation, r.Organisation)
		require.Equal(t, uint64(i)+1, r.Sequence)
		require.JSONEq(t, string(e.Body), string(r.Body))
		require.WithinDuration(t, time.Now(), r.At, time.Minute)
	}
}

func TestContract_ARecallAndACorrectionComeBackWithWhatTheyAreAbout(t *testing.T) {
	p := withMock(t, mock.Options{})
	opened, err := p.Sink.Apply(t.Context(), entryOf("application-submitted", "", 0))
	require.NoError(t, err)
	for i, action := range []handover.Action{handover.ActionCorrection, handover.ActionRecall} {
		e := entryOf("application-submitted", opened.Case, i+1)
		e.Action, e.Refers = action, opened.Record
		got, err := p.Sink.Apply(t.Context(), e)
		require.NoError(t, err)
		require.Equal(t, opened.Case, got.Case)
		again, err := p.Sink.Apply(t.Context(), e)
		require.NoError(t, err)
		require.True(t, again.Joined)
	}
	b, err := p.Source.Read(t.Context(), "", 200)
	require.NoError(t, err)
	require.Len(t, b.Records, 3)
	require.Equal(t, []handover.Action{"", handover.ActionCorrection, handover.ActionRecall}, []handover.Action{b.Records[0].Action, b.Records[1].Action, b.Records[2].Action})
	require.Equal(t, opened.Record, b.Records[1].Refers)
	require.Equal(t, opened.Record, b.Records[2].Refers)
	wrong := entryOf("clarification-answered", opened.Case, 9)
	wrong.Action, wrong.Refers = handover.ActionRecall, opened.Record
	_, err = p.Sink.Apply(t.Context(), wrong)
	require.Equal(t, "amended-record-unknown", fault.CodeOf(err), "another kind")
	require.Equal(t, fault.Refuse, fault.KindOf(err))
}

func TestContract_PagingResumesAtAnyPosition(t *testing.T) {
	p := withMock(t, mock.Options{})
	r, err := p.Sink.Apply(t.Context(), entryOf("application-submitted", "", 0))
	require.NoError(t, err)
	for i := range 22 {
		_, err := p.Sink.Apply(t.Context(), entryOf("clarification-requested", r.Case, i+1))
		require.NoError(t, err)
	}
	positions, seen := []native.Position{""}, map[native.RecordID]int{}
	for more := true; more; {
		b, err := p.Source.Read(t.Context(), positions[len(positions)-1], 5)
		require.NoError(t, err)
		require.LessOrEqual(t, len(b.Records), 5)
		for _, r := range b.Records {
			seen[r.ID]++
		}
		positions, more = append(positions, b.Next), b.More
	}
	require.Len(t, seen, 23)
	for id, times := range seen {
		require.Equal(t, 1, times, id)
	}
	for _, earlier := range positions {
		b, err := p.Source.Read(t.Context(), earlier, 200)
		require.NoError(t, err)
		require.Equal(t, positions[len(positions)-1], b.Next)
		require.False(t, b.More)
	}
}

func TestContract_ASecondWriteJoinsTheFirst(t *testing.T) {
	p := withMock(t, mock.Options{})
	opening := entryOf("application-submitted", "", 0)
	first, err := p.Sink.Apply(t.Context(), opening)
	require.NoError(t, err)
	for range 3 {
		again, err := p.Sink.Apply(t.Context(), opening)
		require.NoError(t, err)
		require.Equal(t, native.Receipt{Record: first.Record, Case: first.Case, Joined: true}, again)
	}
	require.Equal(t, 1, p.mock.Store().Len())
}

func TestContract_WhateverHappensToTheAnswerThereIsOneRecord(t *testing.T) {
	for _, fate := range []core.Fault{core.FaultLostAnswer, core.FaultErrorInDoubt, core.FaultLate, core.FaultError} {
		t.Run(string(fate), func(t *testing.T) {
			// A bare 500 stands in no contract, so nobody stands between.
			o := mock.Options{System: "iiz", Token: "token", Faults: core.Faults{LateBy: time.Millisecond}}
			p := withMockBehind(t, o, func(next http.Handler) http.Handler { return next })
			opening := entryOf("application-submitted", "", 0)
			p.mock.Dice().Script(core.OpWrite, fate, 2)
			want := fault.Doubt
			if fate == core.FaultError {
				want = fault.Retry
			}
			for range 2 {
				_, err := p.Sink.Apply(t.Context(), opening)
				require.Equal(t, want, fault.KindOf(err), err)
			}
			r, err := p.Sink.Apply(t.Context(), opening)
			require.NoError(t, err)
			p.mock.Dice().Close() // what comes late has come
			require.Equal(t, 1, p.mock.Store().Len())
			_, found := p.mock.Store().Entry(r.Record)
			require.True(t, found)
		})
	}
}

func TestContract_RefusalsLeaveNothingBehind(t *testing.T) {
	p := withMock(t, mock.Options{})
	first, err := p.Sink.Apply(t.Context(), entryOf("application-submitted", "", 0))
	require.NoError(t, err)
	wrong := entryOf("clarification-requested", first.Case, 1)
	wrong.Body = []byte(`{"question":"","urgent":true}`)
	_, err = p.Sink.Apply(t.Context(), wrong)
	require.Equal(t, fault.Refuse, fault.KindOf(err))
	require.ErrorContains(t, err, "content.urgent")
	_, err = p.Sink.Apply(t.Context(), entryOf("clarification-requested", "C-2026-999999", 2))
	require.Equal(t, "case-unknown", fault.CodeOf(err))
	p.mock.Lock(first.Case)
	_, err = p.Sink.Apply(t.Context(), entryOf("clarification-requested", first.Case, 3))
	require.Equal(t, fault.Refuse, fault.KindOf(err))
	require.Equal(t, "case-locked", fault.CodeOf(err))
	require.Equal(t, 1, p.mock.Store().Len())
}

func TestContract_AnotherPlatformUnderTheSameAddressStops(t *testing.T) {
	p := withMock(t, mock.Options{})
	_, err := p.Source.Read(t.Context(), "17", 10)
	require.Equal(t, fault.Stop, fault.KindOf(err))
	require.Equal(t, "position-unknown", fault.CodeOf(err))
}

func TestContract_NotificationsOfTheMockVerify(t *testing.T) {
	arrived := make(chan error, 8)
	var verify func(http.Header, []byte) error
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body := make([]byte, r.ContentLength)
		_, _ = io.ReadFull(r.Body, body)
		arrived <- verify(r.Header, body)
	}))
	defer receiver.Close()
	p := withMock(t, mock.Options{Webhook: mock.Webhook{Keys: []string{vectorKey}}})
	verify = p.Webhook.Verify
	p.mock.SetWebhookURL(receiver.URL)
	for i := range 3 {
		_, err := p.Sink.Apply(t.Context(), entryOf("application-submitted", "", i))
		require.NoError(t, err)
	}
	for range 3 {
		require.NoError(t, <-arrived)
	}
}
