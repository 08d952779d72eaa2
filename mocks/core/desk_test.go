package core_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
)

func serve(t *testing.T) (*core.Store, *core.Dice, *httptest.Server) {
	t.Helper()
	s, d := open(t, core.Options{}), core.NewDice(core.Faults{})
	mux := http.NewServeMux()
	mux.Handle("/control/", core.Control(s, d))
	mux.Handle("/desk/", core.Desk(s, func(k native.Kind, _ []byte) error {
		if k != "notiz" {
			return errors.New("no such kind")
		}
		return nil
	}))
	srv := httptest.NewServer(mux)
	t.Cleanup(func() { srv.Close(); d.Close() })
	return s, d, srv
}

func call(t *testing.T, srv *httptest.Server, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	resp, err := srv.Client().Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}

func TestDesk_ClerkEntersAndSeesIt(t *testing.T) {
	s, _, srv := serve(t)
	status, b := call(t, srv, "POST", "/desk/entries", `{"case":"","kind":"notiz","organisation":"sd-kriens","body":"[M0001-01] ü"}`)
	require.Equal(t, http.StatusCreated, status)
	require.JSONEq(t, `{"number":1,"id":"entry-1","case":"case-1"}`, b)
	e := s.After(0, 0)[0]
	require.Equal(t, core.ByClerk, e.By)
	require.EqualValues(t, "sd-kriens", e.Dossier)

	_, b = call(t, srv, "GET", "/desk/cases?contains=%5BM0001-01%5D", "")
	var cases []core.SeenCase
	require.NoError(t, json.Unmarshal([]byte(b), &cases))
	require.Len(t, cases, 1)
	require.Equal(t, "[M0001-01] ü", cases[0].Entries[0].Body)
	_, b = call(t, srv, "GET", "/desk/cases?contains=nobody", "")
	require.Equal(t, "[]", b)
}

func TestDesk_RefusesWhatTheSystemWouldRefuse(t *testing.T) {
	s, _, srv := serve(t)
	for body, want := range map[string]int{
		`{"case":"","kind":"brief","organisation":"o","body":""}`:        http.StatusUnprocessableEntity,
		`{"case":"case-9","kind":"notiz","organisation":"o","body":"x"}`: http.StatusNotFound,
		`{"kind":"notiz","unknown":1}`:                                   http.StatusBadRequest,
		`{`:                                                              http.StatusBadRequest,
	} {
		status, _ := call(t, srv, "POST", "/desk/entries", body)
		require.Equal(t, want, status, body)
	}
	require.Zero(t, s.Len())
}

func TestDesk_NewsWaitsForTheNextEntry(t *testing.T) {
	s, _, srv := serve(t)
	_, b := call(t, srv, "GET", "/desk/entries?after=0&wait=1", "")
	require.Equal(t, "[]", b)
	got := make(chan string)
	go func() {
		_, b := call(t, srv, "GET", "/desk/entries?after=0&limit=10&wait=20000", "")
		got <- b
	}()
	write(t, s, core.Write{Body: []byte("news"), By: core.ByClerk})
	require.Contains(t, <-got, `"news"`)
	status, _ := call(t, srv, "GET", "/desk/entries?after=x", "")
	require.Equal(t, http.StatusBadRequest, status)
}

func TestControl_SetsFaultsAndScripts(t *testing.T) {
	_, d, srv := serve(t)
	status, _ := call(t, srv, "PUT", "/control/faults", `{"seed":4,"late":0.5,"lateByMs":1500,"lookupLagMs":20}`)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, core.Faults{Seed: 4, Late: 0.5, LateBy: 1500 * time.Millisecond, LookupLag: 20 * time.Millisecond}, d.Faults())
	_, b := call(t, srv, "GET", "/control/faults", "")
	require.Contains(t, b, `"lateByMs":1500`)
	for _, wrong := range []string{`{"late":1.5}`, `{"late":0.6,"error":0.6}`, `{"slowByMs":-1}`, `{"sloth":1}`, `[]`} {
		status, _ = call(t, srv, "PUT", "/control/faults", wrong)
		require.Equal(t, http.StatusBadRequest, status, wrong)
	}
	status, _ = call(t, srv, "POST", "/control/script", `{"op":"event","fault":"duplicate","times":1}`)
	require.Equal(t, http.StatusNoContent, status)
	require.True(t, d.Duplicate())
	require.False(t, d.Duplicate())
	status, _ = call(t, srv, "POST", "/control/script", `{"op":"write","fault":"fire","times":1}`)
	require.Equal(t, http.StatusUnprocessableEntity, status)
}

func TestControl_ShowsTheJournal(t *testing.T) {
	s, _, srv := serve(t)
	write(t, s, core.Write{Body: []byte("one"), Reference: "r-1", By: core.ByInterface})
	write(t, s, core.Write{Body: []byte("two")})
	_, b := call(t, srv, "GET", "/control/journal", "")
	entries, _, err := core.ReadJournal(strings.NewReader(b))
	require.NoError(t, err)
	require.Equal(t, s.After(0, 0), entries)
	_, b = call(t, srv, "GET", "/control/journal?reference=r-1", "")
	require.Equal(t, 1, strings.Count(b, "\n"))
	_, b = call(t, srv, "GET", "/control/entries?contains=two", "")
	require.Equal(t, 1, strings.Count(b, "\n"))
}
