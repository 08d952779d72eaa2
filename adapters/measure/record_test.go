package measure_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/measure"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/stretchr/testify/require"
)

// Inline is a part that several configurations have.
type Inline struct {
	URL       string `yaml:"url"`
	TokenFile string `yaml:"tokenFile"`
}

func TestAFingerprintFollowsTheSettingsButNotSecretsAndBounds(t *testing.T) {
	base := func() *configured { c := &configured{}; c.URL, c.PageSize = "https://klib.example", 100; return c }
	printed := measure.Fingerprint("klib", base())
	for name, change := range map[string]func(*configured){
		"the token's file": func(c *configured) { c.TokenFile = "other" }, "the keys' files": func(c *configured) { c.Webhook.KeyFiles = []string{"x"} },
		"a bound": func(c *configured) { c.Bounds.Lookup = time.Hour },
	} {
		c := base()
		change(c)
		require.Equal(t, printed, measure.Fingerprint("klib", c), name)
	}
	seen := map[string]string{printed: "base"}
	for name, change := range map[string]func(*configured){
		"the address": func(c *configured) { c.URL = "https://klib-2.example" }, "the page": func(c *configured) { c.PageSize = 99 },
		"a time": func(c *configured) { c.Settle = time.Second }, "one event": func(c *configured) { c.Webhook.Events = []string{"a,b"} },
		"two events":                     func(c *configured) { c.Webhook.Events = []string{"a", "b"} },
		"a line that looks like another": func(c *configured) { c.URL += "\"\n.pageSize=\"7" },
	} {
		c := base()
		change(c)
		other := measure.Fingerprint("klib", c)
		require.Empty(t, seen[other], name)
		seen[other] = name
	}
	require.NotEqual(t, printed, measure.Fingerprint("avam", base()))
	require.NotContains(t, printed, "klib")
}

// configured is like the configuration of an adapter.
type configured struct {
	Inline   `yaml:",inline"`
	PageSize int             `yaml:"pageSize"`
	Settle   time.Duration   `yaml:"settle"`
	Bounds   adapters.Bounds `yaml:"bounds"`
	Webhook  struct {
		KeyFiles []string `yaml:"keyFiles"`
		Events   []string `yaml:"events"`
	} `yaml:"webhook"`
}

func record(mode adapters.Mode) measure.Record {
	return measure.Record{
		Format: measure.Format, System: "klib-test", Type: "klib", Contract: "klib/1", Fingerprint: "sha256:00", At: time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC), By: "ops",
		Report: measure.Report{Measured: measure.Terms{
			Mode: mode, Request: measure.Span(2 * time.Second), Processing: measure.Span(3 * time.Second), Lookup: measure.Span(1500 * time.Millisecond), Answer: measure.Span(time.Hour),
		}},
	}
}

func TestARecordBearsNoBetterModeAndNoShorterBoundsThanItSays(t *testing.T) {
	enough := adapters.Bounds{Request: 2 * time.Second, Processing: 3 * time.Second, Lookup: 1500 * time.Millisecond}
	with := func(change func(*adapters.Bounds)) adapters.Bounds { b := enough; change(&b); return b }
	for name, test := range map[string]struct {
		record adapters.Mode
		mode   adapters.Mode
		bounds adapters.Bounds
		wants  []string
	}{
		"as measured":                 {adapters.ModeB, adapters.ModeB, enough, nil},
		"worse than measured":         {adapters.ModeA, adapters.ModeB, enough, nil},
		"A on B":                      {adapters.ModeB, adapters.ModeA, enough, []string{"mode"}},
		"B on C":                      {adapters.ModeC, adapters.ModeB, enough, []string{"mode"}},
		"C on none":                   {measure.None, adapters.ModeC, enough, []string{"mode"}},
		"a shorter request":           {adapters.ModeC, adapters.ModeC, with(func(b *adapters.Bounds) { b.Request-- }), []string{"config.bounds.request"}},
		"a shorter lookup":            {adapters.ModeB, adapters.ModeB, with(func(b *adapters.Bounds) { b.Lookup-- }), []string{"config.bounds.lookup"}},
		"a shorter processing":        {adapters.ModeB, adapters.ModeB, with(func(b *adapters.Bounds) { b.Processing-- }), []string{"config.bounds.processing"}},
		"no lookup where none counts": {adapters.ModeA, adapters.ModeA, with(func(b *adapters.Bounds) { b.Lookup, b.Processing = 0, 0 }), nil},
		"a shorter answer":            {adapters.ModeC, adapters.ModeC, with(func(b *adapters.Bounds) { b.Answer = time.Minute }), []string{"config.bounds.answer"}},
		"everything": {measure.None, adapters.ModeB, adapters.Bounds{Answer: 1}, []string{
			"mode", "config.bounds.request", "config.bounds.processing", "config.bounds.lookup", "config.bounds.answer",
		}},
	} {
		var paths []string
		for _, f := range record(test.record).Permits("klib", adapters.Abilities{Mode: test.mode, Bounds: test.bounds, Contract: "klib/1"}) {
			paths = append(paths, f.Path)
			require.NotEmpty(t, f.Next, name)
		}
		require.Equal(t, test.wants, paths, name)
	}
	a := adapters.Abilities{Mode: adapters.ModeC, Bounds: enough, Contract: "klib/2"}
	require.Equal(t, "other-contract", record(adapters.ModeA).Permits("klib", a)[0].Code)
	a.Contract = "klib/1"
	require.Equal(t, "other-contract", record(adapters.ModeA).Permits("avam", a)[0].Code)
}

func TestARecordIsReadBackAsItWasWritten(t *testing.T) {
	r, err := run(t, traits{lag: 4 * time.Second}, adapters.ModeB, bounds(), options())
	require.NoError(t, err)
	want := record(adapters.ModeB)
	want.Report = r
	b, err := want.Encode()
	require.NoError(t, err)
	got, err := measure.ParseRecord(b)
	require.NoError(t, err)
	require.Equal(t, want, got)
	_, err = measure.LoadRecord(filepath.Join(t.TempDir(), "none.json"))
	require.Equal(t, "unreadable", fault.CodeOf(err))
}

func FuzzParseRecord(f *testing.F) {
	b, err := record(adapters.ModeB).Encode()
	require.NoError(f, err)
	for _, seed := range [][]byte{b, []byte(`{}`), []byte(`{"format":"einmal-verification/1","report":{"measured":{"mode":"A","lookup":"-1s"}}}`)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := measure.ParseRecord(b)
		if err != nil {
			require.Equal(t, fault.Stop, fault.KindOf(err))
			return
		}
		require.Equal(t, measure.Format, r.Format)
		again, err := r.Encode()
		require.NoError(t, err)
		same, err := measure.ParseRecord(again)
		require.NoError(t, err)
		require.Equal(t, r.Report.Measured, same.Report.Measured)
	})
}
