package gateway_test

import (
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/measure"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// measure measures a mock with few entries.
func (s *stage) measure(id handover.SystemID) measure.Record {
	s.t.Helper()
	m, err := gateway.PrepareVerification(s.options(), gateway.Verification{
		System: id, Productive: true, By: "tester", Options: measure.Options{Samples: 8, Cuts: 6},
	})
	require.NoError(s.t, err)
	r, err := m.Run(s.t.Context())
	require.NoError(s.t, err)
	return r
}

func broken(r measure.Record) (bounds []string) {
	for _, f := range r.Report.Findings {
		if f.Bound != "" {
			bounds = append(bounds, f.Bound)
		}
	}
	return bounds
}

// Faults that a mode is made for do not make it worse: answers that are lost, requests that fail or come late, a search that lags.
func TestEveryMockIsMeasuredInItsModeOnABadDay(t *testing.T) {
	s := newStage(t, world.BadDay(4))
	for id, mode := range map[handover.SystemID]adapters.Mode{world.KLIB: adapters.ModeB, world.AVAM: adapters.ModeB, world.CASEnet: adapters.ModeA} {
		r := s.measure(id)
		require.Equal(t, mode, r.Report.Measured.Mode, "%s: %+v", id, r.Report.Findings)
		require.Equal(t, mode, r.Report.Configured.Mode)
	}
}

func TestAMockThatBreaksItsBoundsIsCaught(t *testing.T) {
	for name, test := range map[string]struct {
		faults core.Faults
		bound  string
	}{
		"the search lags":        {core.Faults{Seed: 1, LookupLag: time.Second}, "bounds.lookup"},
		"requests come too late": {core.Faults{Seed: 1, Late: 0.3, LateBy: 1500 * time.Millisecond}, "bounds.processing"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, test.faults)
			r := s.measure(world.AVAM) // KLIB says itself that its bounds are longer
			require.Contains(t, broken(r), test.bound, "%+v", r.Report.Findings)
			require.Equal(t, adapters.ModeB, r.Report.Measured.Mode)
			require.False(t, r.Report.Fits())
			s.keep(r)
			_, err := s.rested("avam", `verified: %s/record.json`)
			require.Contains(t, paths(err), "systems.avam.config."+test.bound)
		})
	}
}

// keep writes a record beside the configuration.
func (s *stage) keep(r measure.Record) {
	s.t.Helper()
	b, err := r.Encode()
	require.NoError(s.t, err)
	require.NoError(s.t, os.WriteFile(filepath.Join(s.dir, "record.json"), b, 0o600))
}

// vouched finds the modes that nobody has measured.
var vouched = regexp.MustCompile(`(    type: \w+\n)    mode: \w\n`)

// rested makes a gateway of which one system has a setting of its own, and for none of which anybody vouches.
func (s *stage) rested(typ, setting string, change ...string) (*gateway.Gateway, error) {
	s.t.Helper()
	s.rewrite = func(yaml string) string {
		yaml = vouched.ReplaceAllString(yaml, "$1")
		yaml = strings.Replace(yaml, "    type: "+typ+"\n", "    type: "+typ+"\n    "+strings.ReplaceAll(setting, "%s", s.dir)+"\n", 1)
		return strings.NewReplacer(change...).Replace(yaml)
	}
	return gateway.New(s.options())
}

func paths(err error) (all []string) {
	var found fault.Findings
	if errors.As(err, &found) {
		for _, f := range found {
			all = append(all, f.Path)
		}
	}
	return all
}

func TestAGatewayRefusesABetterModeAndShorterBoundsThanWereMeasured(t *testing.T) {
	s := newStage(t, core.Faults{Seed: 1})
	once := s.measure(world.KLIB)
	as := func(change func(*measure.Record)) measure.Record {
		r := once
		r.Report.Measured = measure.Terms{Mode: adapters.ModeB, Request: measure.Span(time.Second), Processing: measure.Span(700 * time.Millisecond), Lookup: measure.Span(200 * time.Millisecond)}
		change(&r)
		return r
	}
	const verified = "verified: %s/record.json"
	for name, test := range map[string]struct {
		record  func(*measure.Record)
		setting string
		change  []string
		wants   []string
	}{
		"as measured":             {func(*measure.Record) {}, verified, nil, nil},
		"measured worse":          {func(r *measure.Record) { r.Report.Measured.Mode = adapters.ModeC }, verified, nil, []string{"systems.klib.mode"}},
		"used worse":              {func(r *measure.Record) { r.Report.Measured.Mode = adapters.ModeC }, "mode: C\n    " + verified, nil, nil},
		"not usable":              {func(r *measure.Record) { r.Report.Measured.Mode = measure.None }, "mode: C\n    " + verified, nil, []string{"systems.klib.mode"}},
		"better than the adapter": {func(*measure.Record) {}, "mode: A\n    " + verified, nil, []string{"systems.klib.mode"}},
		"shorter bounds": {func(r *measure.Record) { r.Report.Measured.Lookup++; r.Report.Measured.Processing++ }, verified, nil,
			[]string{"systems.klib.config.bounds.processing", "systems.klib.config.bounds.lookup"}},
		"another address":       {func(*measure.Record) {}, verified, []string{"/klib\n", "/klib-2\n"}, []string{"systems.klib.verified"}},
		"another contract":      {func(r *measure.Record) { r.Contract = "klib/0" }, verified, nil, []string{"systems.klib.verified"}},
		"no record":             {func(*measure.Record) {}, "verified: %s/none.json", nil, []string{"systems.klib.verified"}},
		"a record of something": {func(r *measure.Record) { r.Format = "x" }, verified, nil, []string{"systems.klib.verified"}},
	} {
		t.Run(name, func(t *testing.T) {
			s.rewrite = nil
			s.keep(as(test.record))
			_, err := s.rested("klib", test.setting, test.change...)
			require.Equal(t, test.wants, paths(err), "%v", err)
			require.Equal(t, test.wants == nil, err == nil)
		})
	}
}

// A productive instance is never measured by accident: what was measured on the test instance beside it bears it.
func TestARecordOfATestInstanceBearsTheProductiveOneBesideIt(t *testing.T) {
	s := newStage(t, core.Faults{Seed: 1})
	twin := httptest.NewServer(nil) // never called
	defer twin.Close()
	beside := "systems:\n  klib-test:\n    type: klib\n    test: true\n    config: {url: " + s.native + "/klib, tokenFile: " + s.dir + "/klib.token}\n"
	for _, test := range []bool{true, false} {
		s.rewrite = func(yaml string) string {
			yaml = strings.Replace(vouched.ReplaceAllString(yaml, "$1"), "systems:\n", beside, 1)
			return strings.Replace(yaml, "    type: klib\n    poll", "    type: klib\n    verified: "+s.dir+"/record.json\n    poll", 1)
		}
		whole := s.rewrite
		o := s.options()
		m, err := gateway.PrepareVerification(o, gateway.Verification{System: "klib-test", Organisation: "sd-kriens"})
		require.Nil(t, m, "nobody works in it")
		require.Equal(t, "unknown-organisation", fault.CodeOf(err))
		r := measure.Record{
			Format: measure.Format, System: "klib-test", Type: "klib", Contract: "klib/1", Test: test,
			Fingerprint: measure.Fingerprint("klib", o.Config.Systems["klib-test"].Adapter), Report: measure.Report{Measured: measure.Terms{Mode: adapters.ModeB}},
		}
		s.keep(r)
		s.rewrite = func(yaml string) string {
			return strings.Replace(whole(yaml), "url: "+s.native+"/klib\n", "url: "+twin.URL+"\n", 1)
		}
		_, err = gateway.New(s.options())
		require.Equal(t, test, err == nil, "%v", err)
	}
}

func TestASystemThatIsNoTestInstanceIsMeasuredOnlyOnRequest(t *testing.T) {
	s := newStage(t, core.Faults{Seed: 1})
	m, err := gateway.PrepareVerification(s.options(), gateway.Verification{System: world.KLIB})
	require.Equal(t, "productive", fault.CodeOf(err))
	require.NotNil(t, m, "what would be written can be said")
	require.Equal(t, world.KLIB, m.Intents.System)
	require.Positive(t, m.Intents.Entries)
	require.Contains(t, strings.Join(m.Intents.Settings, "\n"), s.native)
	_, err = gateway.PrepareVerification(s.options(), gateway.Verification{System: "nowhere"})
	require.Equal(t, "unknown-system", fault.CodeOf(err))
	journals, err := s.world.Journals()
	require.NoError(t, err)
	require.Empty(t, journals[world.KLIB], "preparing writes nothing")
}

// What nobody has measured is used as if it could neither join nor search, unless somebody vouches for it; work goes on all the same.
func TestASystemThatNobodyHasMeasuredIsUsedInModeC(t *testing.T) {
	s := newStage(t, core.Faults{Seed: 1})
	s.rewrite = func(yaml string) string {
		return strings.Replace(vouched.ReplaceAllString(yaml, "$1"), "    type: avam\n", "    type: avam\n    mode: B\n", 1)
	}
	g := s.gateway()
	p := plan(t, 3, 2)
	s.play(p)
	g.settled()
	require.Zero(t, g.Stats().Parked)
	used := map[string]string{}
	for _, probe := range g.Check(t.Context()) {
		if system, is := strings.CutPrefix(probe.What, "system "); is {
			used[system] = probe.Detail
		}
	}
	require.Contains(t, used["klib"], "used in mode C, which nobody has measured")
	require.Contains(t, used["casenet"], "used in mode C, which nobody has measured")
	require.Contains(t, used["avam"], "used in mode B, which nobody has measured")
	s.once(p)
}

// What is measured is what the adapter can at best, not the mode C in which the system is used until then: its record bears the better one, and needs no mode written down.
func TestAnUnmeasuredSystemIsMeasuredInItsAdaptersMode(t *testing.T) {
	s := newStage(t, core.Faults{Seed: 1})
	s.rewrite = func(yaml string) string { return vouched.ReplaceAllString(yaml, "$1") }
	r := s.measure(world.AVAM)
	require.Equal(t, adapters.ModeB, r.Report.Configured.Mode)
	require.Equal(t, adapters.ModeB, r.Report.Measured.Mode)
	require.True(t, r.Report.Fits(), "%+v", r.Report.Findings)
	s.keep(r)
	g, err := s.rested("avam", "verified: %s/record.json")
	require.NoError(t, err)
	for _, probe := range g.Check(t.Context()) {
		if probe.What == "system avam" {
			require.Contains(t, probe.Detail, "measured on avam")
		}
	}
}

// A gateway says at start and in its check which system nobody has measured, and leaves alone what a system was measured with.
func TestAnUnmeasuredSystemIsSaidAndAMeasuredOneGoesOn(t *testing.T) {
	s := newStage(t, core.Faults{Seed: 1})
	s.keep(s.measure(world.KLIB))
	_, err := s.rested("klib", "verified: %s/record.json")
	require.NoError(t, err)
	g := s.gateway()
	p := plan(t, 3, 2)
	s.play(p)
	g.settled()
	require.Zero(t, g.Stats().Parked)
	require.Contains(t, s.log.String(), "nobody has measured")
	require.NotContains(t, s.log.String(), "einmal adapter verify --system klib")
	require.Contains(t, s.log.String(), "einmal adapter verify --system avam")
	for _, probe := range g.Check(t.Context()) {
		switch probe.What {
		case "system klib":
			require.Contains(t, probe.Detail, "measured on klib")
			require.Empty(t, probe.Next)
		case "system avam":
			require.True(t, probe.OK, "it is said, and allowed")
			require.Contains(t, probe.Next, "einmal adapter verify --system avam")
		}
	}
	journals, err := s.world.Journals()
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(journals[world.KLIB], func(e core.Entry) bool { return e.Reference.Measured() }))
}
