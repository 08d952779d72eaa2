package gateway_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway"
	"github.com/einmal-hub/einmal/gateway/config"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/parked"
	"github.com/einmal-hub/einmal/gateway/reconcile"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// journal is a native system's file while nobody runs it: one line for each record.
type journal struct {
	s     *stage
	file  string
	lines [][]byte
}

func (s *stage) journal(id handover.SystemID) *journal {
	s.t.Helper()
	j := &journal{s: s, file: filepath.Join(s.dir, core.JournalName(id))}
	b, err := os.ReadFile(j.file)
	require.NoError(s.t, err)
	j.lines = bytes.SplitAfter(b, []byte("\n"))
	j.lines = j.lines[:len(j.lines)-1]
	return j
}

func (j *journal) write() {
	j.s.t.Helper()
	require.NoError(j.s.t, os.WriteFile(j.file, bytes.Join(j.lines, nil), 0o600))
}

// edited returns the line of the record with a marker, changed.
func (j *journal) edited(marker string, change map[string]any) (at int, line []byte) {
	j.s.t.Helper()
	for i, l := range j.lines {
		if !bytes.Contains(l, []byte(marker)) {
			continue
		}
		var members map[string]any
		require.NoError(j.s.t, json.Unmarshal(l, &members))
		for k, v := range change {
			require.Contains(j.s.t, members, k)
			members[k] = v
		}
		b, err := json.Marshal(members)
		require.NoError(j.s.t, err)
		return i, append(b, '\n')
	}
	require.Fail(j.s.t, "no such record in "+j.file)
	return 0, nil
}

// away lets something be done to the native systems while they are down.
func (s *stage) away(work func()) {
	s.t.Helper()
	address := strings.TrimPrefix(s.world.URL(), "http://")
	require.NoError(s.t, s.world.Stop(context.Background()))
	work()
	c := secrets()
	w, err := world.Start(context.Background(), world.Options{Listen: address, Dir: s.dir, Credentials: world.Credentials{
		KLIBToken: c["klib.token"], AVAMUsername: "einmal", AVAMPassword: c["avam.password"], CASEnetToken: c["casenet.token"],
		WebhookKeys: []string{c["casenet.webhook"]},
	}})
	require.NoError(s.t, err)
	s.world = w
}

// compares asks for a comparison until nothing is in flight any more.
func (g *running) compares(body string) (r reconcile.Report) {
	g.t.Helper()
	require.Eventually(g.t, func() bool {
		status, said := g.admin(http.MethodPost, "/reconciliations", []byte(body))
		require.Equal(g.t, http.StatusOK, status, said)
		r = reconcile.Report{}
		require.NoError(g.t, json.Unmarshal([]byte(said), &r))
		young := 0
		for _, s := range r.Systems {
			young += s.InFlight
		}
		return young == 0 && r.Complete()
	}, patience, 200*time.Millisecond)
	return r
}

// kinds returns how often each kind was found in each system, of what no person has accepted.
func kinds(r reconcile.Report) map[string]int {
	all := map[string]int{}
	for _, f := range r.Findings {
		if f.State != reconcile.Accepted {
			all[string(f.System)+" "+string(f.Kind)+" "+strings.Join(f.Differs, ",")]++
		}
	}
	return all
}

// spoiled plays a case and then takes a record out of avam, puts one twice into casenet, and gives one another number in klib.
func spoiled(t *testing.T, s *stage) (a *affair, lost string) {
	t.Helper()
	a = s.affair(1)
	a.facts.Documents = nil // they are no part of this
	a.appears(a.enters(world.KLIB, "sd-kriens", "application-submitted"), three()...)
	asked := a.enters(world.AVAM, "rav-luzern", "clarification-requested")
	a.appears(asked, three()...)
	lost = a.enters(world.KLIB, "sd-kriens", "clarification-answered")
	a.appears(lost, three()...)
	return a, s.spoil(lost, asked)
}

func (s *stage) spoil(lost, asked string) string {
	s.away(func() {
		avam, casenet, klib := s.journal(world.AVAM), s.journal(world.CASEnet), s.journal(world.KLIB)
		at, _ := avam.edited(lost, nil)
		require.Equal(s.t, len(avam.lines)-1, at, "the last one")
		avam.lines = avam.lines[:at]
		_, twin := casenet.edited(lost, map[string]any{"number": len(casenet.lines) + 1, "id": "REC-TWIN", "sequence": 99})
		casenet.lines = append(casenet.lines, twin)
		at, other := klib.edited(asked, map[string]any{"id": "E-2026-999999"})
		klib.lines[at] = other
		for _, j := range []*journal{avam, casenet, klib} {
			j.write()
		}
	})
	return lost
}

// What was done to native systems behind einmal's back is found, put before a person once, and what she decides is done by the rules.
// Fault 66.
func TestWhatDiffersIsFoundAndPutBeforeAPersonWhoDecides(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway()
	a, lost := spoiled(t, s)
	want := map[string]int{"avam missing ": 1, "casenet double ": 1, "klib drifted record": 1}
	require.Equal(t, want, kinds(g.compares(`{}`)))
	require.Empty(t, g.parked(), "nobody was to be asked")

	require.Equal(t, want, kinds(g.compares(`{"park":true}`)))
	items := map[ledger.DifferenceKind]parked.Item{}
	for _, it := range g.waits(3) {
		items[it.Difference.Kind] = it
		require.NotEmpty(t, it.Entered.Record, "where a person finds it")
		require.NotEmpty(t, it.Rulings)
	}
	again := g.compares(`{"park":true}`)
	for _, f := range again.Findings {
		require.Equal(t, reconcile.Parked, f.State)
	}
	g.waits(3)

	// Nothing is held back meanwhile.
	further := a.enters(world.AVAM, "rav-luzern", "clarification-requested")
	a.appears(further, three()...)

	g.rule(items[ledger.DifferenceMissing].ID, "RETRY")
	a.appears(lost, world.AVAM)
	g.rule(items[ledger.DifferenceDouble].ID, "ACCEPT")
	body := []byte(`{"verdict":"FOUND","person":"operator","why":"a test","record":"E-2026-999999"}`)
	status, said := g.admin(http.MethodPost, "/parked/"+items[ledger.DifferenceDrifted].ID+"/rulings", body)
	require.Equal(t, http.StatusNoContent, status, said)
	g.waits(0)
	r := g.compares(`{"park":true}`)
	require.Empty(t, kinds(r))
	require.False(t, r.Differs())
	g.clean()
	require.NotContains(t, s.log.String(), a.facts.Person.OfficialName)
}

// A native system that was restored from an older backup has lost exactly what was recorded since.
// Fault 67.
func TestARestoredBackupIsSeenRecordByRecord(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	s.shared()
	g := s.gateway()
	s.play(plan(t, 61, 2))
	g.settled()
	backup, err := os.ReadFile(filepath.Join(s.dir, core.JournalName(world.AVAM)))
	require.NoError(t, err)
	s.play(plan(t, 62, 3))
	g.settled()
	want := map[native.Reference]bool{}
	for _, e := range s.world.Store(world.AVAM).After(0, 0) {
		if e.Reference != "" {
			want[e.Reference] = true
		}
	}
	s.away(func() {
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, core.JournalName(world.AVAM)), backup, 0o600))
	})
	for _, e := range s.world.Store(world.AVAM).After(0, 0) {
		delete(want, e.Reference)
	}
	require.NotEmpty(t, want)
	r := g.compares(`{}`)
	got := map[native.Reference]bool{}
	for _, f := range r.Findings {
		require.Equal(t, reconcile.Missing, f.Kind)
		require.Equal(t, world.AVAM, f.System)
		got[f.Reference] = true
	}
	require.Equal(t, want, got)

	// The same from outside, while no gateway runs: it needs nothing but the brokers and the systems.
	g.stop()
	outside, err := gateway.New(s.options())
	require.NoError(t, err)
	same, err := outside.Compare(t.Context(), []handover.SystemID{world.AVAM}, nil)
	require.NoError(t, err)
	require.Equal(t, r.Findings, same.Findings)
	_, err = outside.Compare(t.Context(), []handover.SystemID{"avarn"}, nil)
	require.ErrorContains(t, err, "avarn")
}

// I2: nobody has to wait for the next scheduled comparison to hear of what stands twice: it is compared soon after it was read.
func TestI2_WhatStandsTwiceIsPutBeforeAPersonSoonAfterItIsRead(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway(func(o *gateway.Options) { o.Config.Reconcile = config.Reconcile{Every: 24 * time.Hour, Park: true} })
	a := s.affair(1)
	a.facts.Documents = nil
	said := a.enters(world.KLIB, "sd-kriens", "application-submitted")
	a.appears(said, three()...)
	s.away(func() {
		casenet := s.journal(world.CASEnet)
		_, twin := casenet.edited(said, map[string]any{"number": len(casenet.lines) + 1, "id": "REC-TWIN", "sequence": 99})
		casenet.lines = append(casenet.lines, twin)
		casenet.write()
	})
	item := g.waits(1)[0]
	require.Equal(t, ledger.DifferenceDouble, item.Difference.Kind)
	require.Equal(t, world.CASEnet, item.Difference.System)
	for _, f := range g.compares(`{"park":true}`).Findings {
		require.Equal(t, reconcile.Parked, f.State, "it is the same question")
	}
	g.waits(1)
}

// Two gateways compare by themselves; what they find is before a person once, and in the metrics.
func TestGatewaysCompareByThemselves(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	s.shared()
	often := func(o *gateway.Options) { o.Config.Reconcile.Every = 300 * time.Millisecond }
	g := s.gateway(often)
	other := s.gateway(often)
	a, _ := spoiled(t, s)
	var items []parked.Item
	require.Eventually(t, func() bool { items = g.parked(); return len(items) == 3 }, patience, tick)
	require.Eventually(t, func() bool {
		_, one := g.admin(http.MethodGet, "/metrics", nil)
		_, two := other.admin(http.MethodGet, "/metrics", nil)
		return strings.Contains(one+two, `einmal_reconcile_findings{einmal_differs="missing",einmal_system="avam"`) && strings.Contains(one+two, "einmal_reconcile_last{")
	}, patience, tick)
	for _, it := range items {
		g.rule(it.ID, "ACCEPT")
	}
	r := g.compares(`{"park":true}`)
	require.Empty(t, kinds(r))
	g.waits(0)

	// I6: nothing of it is personal.
	secrets := []string{a.facts.Person.AHV, a.facts.Person.AHV[3:12], a.facts.Person.OfficialName, a.tag}
	report, err := json.Marshal(r)
	require.NoError(t, err)
	list, err := json.Marshal(items)
	require.NoError(t, err)
	silent(t, secrets, "the report", string(report))
	silent(t, secrets, "what waits", string(list))
	silent(t, secrets, "the log", s.log.String())
	differences := 0
	for _, m := range readTopic(t, s.kafka, s.prefix+".ledger") {
		silent(t, secrets, "the ledger", string(m.Key)+string(m.Value))
		if strings.HasPrefix(string(m.Key), "DIFFERENCE|") {
			differences++
		}
	}
	require.GreaterOrEqual(t, differences, 3)
}

// In a good and in a bad day alike, nothing differs when everything is recorded; and nothing is invented while it is being recorded.
func TestNothingIsInventedWhileMessagesFlow(t *testing.T) {
	t.Parallel()
	s := newStage(t, world.BadDay(63))
	s.shared()
	g := s.gateway()
	done := make(chan error, 1)
	go func() { done <- s.perform(plan(t, 63, 6)) }()
	for flowing := true; flowing; {
		select {
		case err := <-done:
			require.NoError(t, err)
			flowing = false
		default:
			status, said := g.admin(http.MethodPost, "/reconciliations", []byte(`{}`))
			require.Equal(t, http.StatusOK, status, said)
			var r reconcile.Report
			require.NoError(t, json.Unmarshal([]byte(said), &r))
			require.Empty(t, r.Findings)
		}
	}
	require.Empty(t, kinds(g.compares(`{}`)))
	g.clean()
}

// three are the systems that a case of these tests stands in.
func three() []handover.SystemID { return []handover.SystemID{world.AVAM, world.CASEnet, world.KLIB} }

// A whole case that a native system has lost is taken up again piece by piece, the opening first. It gets another number there, and everything goes on under that.
func TestACaseThatWasLostIsTakenUpAgainUnderItsNewNumber(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway()
	a := s.affair(1)
	a.facts.Documents = nil // they are no part of this
	markers := []string{a.enters(world.KLIB, "sd-kriens", "application-submitted")}
	a.appears(markers[0], three()...)
	markers = append(markers, a.enters(world.CASEnet, "rav-luzern", "clarification-requested"))
	a.appears(markers[1], three()...)
	markers = append(markers, a.enters(world.KLIB, "sd-kriens", "clarification-answered"))
	a.appears(markers[2], three()...)
	lost := a.cases[world.AVAM]
	s.away(func() {
		j := s.journal(world.AVAM)
		j.lines = nil
		j.write()
	})
	// The number of the lost case is given to another one meanwhile.
	b := s.affair(2).between("rav-luzern", "sd-kriens")
	b.facts.Documents = nil
	b.enters(world.AVAM, "rav-luzern", "application-submitted")
	require.Equal(t, lost, b.cases[world.AVAM])

	require.Equal(t, map[string]int{"avam missing ": 3}, kinds(g.compares(`{"park":true}`)))
	names := []handover.Name{"application-submitted", "clarification-requested", "clarification-answered"}
	for i, name := range names {
		for _, it := range g.parked() {
			if it.Difference != nil && it.Name == name {
				g.rule(it.ID, "RETRY")
			}
		}
		a.appears(markers[i], world.AVAM)
	}
	require.NotEqual(t, lost, a.cases[world.AVAM])
	g.waits(0)
	markers = append(markers, a.enters(world.AVAM, "rav-luzern", "clarification-requested"))
	a.appears(markers[3], three()...)
	require.Equal(t, markers, a.stands(world.AVAM))
	require.Contains(t, string(s.world.Store(world.AVAM).Containing(markers[0])[0].Body), "MÖGLICHES DUPLIKAT")
	require.NotContains(t, string(s.world.Store(world.AVAM).Containing(markers[3])[0].Body), "MÖGLICHES DUPLIKAT")
	require.Empty(t, kinds(g.compares(`{}`)))
	g.clean()
}
