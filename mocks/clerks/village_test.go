package clerks_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// everywhere are the systems of the clerks' directory.
func everywhere() []handover.SystemID {
	return []handover.SystemID{"avam", "casenet", "ivdossier", "klib", "osiv", "tutoris"}
}

// form is the village's only form: what is checked of every system's, without a wire format.
func form(id handover.SystemID) clerks.System {
	return clerks.System{
		Compose: func(n handover.Name, f core.Facts) (native.Kind, []byte) {
			content := map[string]any{"remark": f.Remark, "receiving": f.Receiving, "procedure": f.Procedure, "outcome": f.Outcome}
			switch n {
			case "application-submitted":
				content["assigning"] = f.Assigning
			case "application-decided":
				content["decision"], content["reason"] = "word for "+f.Decision, f.RejectionReason
			}
			if n == "application-checked" {
				var rules []string
				for _, r := range f.Findings {
					rules = append(rules, r.Rule)
				}
				content = map[string]any{"remark": f.Remark, "goes": "word for " + f.CheckOutcome, "rules": rules}
			}
			b, _ := json.Marshal(content, json.Deterministic(true)) // texts and maps of texts can be written
			return native.Kind(string(id) + ":" + string(n)), b
		},
		Compare: clerks.CompareJSON(),
	}
}

// forms returns the form of every system.
func forms() map[handover.SystemID]clerks.System {
	all := map[handover.SystemID]clerks.System{}
	for _, id := range everywhere() {
		all[id] = form(id)
	}
	return all
}

// village is a small world without wire formats: stores with desks, and a courier who carries entries as a gateway should.
type village struct {
	dir     string
	stores  map[handover.SystemID]*core.Store
	systems map[handover.SystemID]clerks.System
	// gate stands before a desk; nil: open.
	gate func(system handover.SystemID, r *http.Request) bool
	// forgets says that a desk does what was asked, and its answer is lost; nil: never.
	forgets func(r *http.Request) bool
}

func newVillage(t *testing.T) *village {
	t.Helper()
	v := &village{dir: t.TempDir(), stores: map[handover.SystemID]*core.Store{}, systems: map[handover.SystemID]clerks.System{}}
	for _, id := range everywhere() {
		s, err := core.Open(core.Options{System: id, Dir: v.dir, Shared: id == "casenet"})
		require.NoError(t, err)
		d := core.NewDice(core.Faults{})
		mux := http.NewServeMux()
		mux.Handle("/desk/", core.Desk(s, func(native.Kind, []byte) error { return nil }))
		mux.Handle("/control/", core.Control(s, d))
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if v.gate != nil && !v.gate(id, r) {
				panic(http.ErrAbortHandler)
			}
			if v.forgets != nil && v.forgets(r) {
				mux.ServeHTTP(httptest.NewRecorder(), r)
				panic(http.ErrAbortHandler)
			}
			mux.ServeHTTP(w, r)
		}))
		t.Cleanup(func() { srv.Close(); d.Close(); require.NoError(t, s.Close()) })
		v.stores[id] = s
		own := form(id)
		own.URL = srv.URL
		v.systems[id] = own
	}
	return v
}

// courier carries every clerk's entry once to the other places of its case and answers applications, until the test ends. except makes it forget what goes to a
// system.
func (v *village) courier(t *testing.T, p clerks.Plan, except ...string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		c := courier{village: v, plan: p, except: except, after: map[handover.SystemID]uint64{}, stands: map[stand]core.Entry{}, in: map[inside]native.CaseKey{}}
		for ctx.Err() == nil {
			news := make(chan struct{}, len(v.stores))
			for _, s := range v.stores {
				changed := s.Watch()
				done.Go(func() {
					select {
					case <-changed:
						news <- struct{}{}
					case <-ctx.Done():
					}
				})
			}
			if c.round() > 0 {
				continue
			}
			select {
			case <-news:
			case <-ctx.Done():
			}
		}
	})
	t.Cleanup(func() { stop(); done.Wait() })
}

type courier struct {
	*village
	plan   clerks.Plan
	except []string
	after  map[handover.SystemID]uint64
	stands map[stand]core.Entry
	in     map[inside]native.CaseKey
}

type inside struct {
	at       clerks.Place
	handover int
}

type stand struct {
	at     clerks.Place
	marker string
}

// round carries what is new and returns how many entries it looked at.
func (c courier) round() int {
	n := 0
	for _, id := range everywhere() {
		for _, e := range c.stores[id].After(c.after[id], 0) {
			c.after[id], n = e.Number, n+1
			if e.By == core.ByClerk {
				c.carry(id, e)
			}
		}
	}
	return n
}

func (c courier) carry(from handover.SystemID, e core.Entry) {
	for _, h := range c.plan.Handovers {
		for _, s := range h.Steps {
			if !strings.Contains(string(e.Body), s.Marker) {
				continue
			}
			c.stands[stand{s.Place, s.Marker}], c.in[inside{s.Place, h.Number}] = e, e.Case
			if s.Answer != nil {
				c.write(h, s, s.Place, e, answerOf(s))
			}
			for _, to := range h.Where(s) {
				if to != s.Place && !c.forgets(s.Marker, to.System) {
					c.write(h, s, to, e, nil)
				}
			}
		}
	}
}

// answerOf returns the facts of the answer to an application.
func answerOf(s clerks.Step) *core.Facts {
	f := s.Facts
	f.CheckOutcome = string(handover.Forward)
	if s.Returned() {
		f.CheckOutcome = string(handover.Returned)
	}
	for _, r := range s.Answer.Rules {
		f.Findings = append(f.Findings, core.Finding{Rule: r})
	}
	return &f
}

func (c courier) forgets(marker string, to handover.SystemID) bool {
	for _, x := range c.except {
		if x == marker+string(to) {
			return true
		}
	}
	return false
}

// known returns the facts of a step as a gateway writes them at a place.
func known(h clerks.Handover, s clerks.Step, at clerks.Place) core.Facts {
	f := s.Facts
	if at != s.Place {
		f.Receiving = h.Parties.Receiving
	}
	if at.Organisation == h.Parties.Assigning {
		agreed := s.Name == "transfer-meeting-recorded" && f.StartOfCaseWork != ""
		f.Procedure = map[bool]string{true: h.Meanwhile}[agreed] + map[bool]string{true: "FULL"}[s.Name == "case-closed"]
	}
	return f
}

// write writes a step, or the answer to it, at a place.
func (c courier) write(h clerks.Handover, s clerks.Step, to clerks.Place, e core.Entry, answer *core.Facts) {
	kind, body := c.systems[to.System].Compose(s.Name, known(h, s, to))
	earlier := c.stands[stand{to, s.Refers}]
	action := s.Action
	if earlier.ID == "" {
		action = "" // it was returned and never stood here
	}
	w := core.Write{
		Case: c.in[inside{to, h.Number}], Organisation: e.Organisation, Dossier: to.Organisation, By: core.ByInterface,
		Reference: native.Reference(s.Marker), Documents: e.Documents, Action: action, Refers: earlier.ID,
	}
	if answer != nil {
		kind, body = c.systems[to.System].Compose("application-checked", *answer)
		w.Documents, w.Action, w.Refers = nil, "", ""
	}
	w.Kind, w.Body = kind, body
	for _, d := range s.Facts.Documents {
		if err := c.stores[to.System].PutDocument(d.SHA256(), bytes.NewReader(d.Content)); err != nil {
			return
		}
	}
	stood, _, err := c.stores[to.System].Write(context.Background(), w)
	if err == nil && answer == nil {
		c.stands[stand{to, s.Marker}], c.in[inside{to, h.Number}] = stood, stood.Case
	}
}

func (v *village) play(t *testing.T, o clerks.PlayOptions) clerks.Outcome {
	t.Helper()
	o.Systems = v.systems
	if o.Poll == 0 {
		o.Poll = 5 * time.Millisecond
	}
	if o.Quiet == 0 {
		o.Quiet = time.Minute
	}
	out, err := clerks.Play(t.Context(), o)
	require.NoError(t, err)
	return out
}

func (v *village) journals(t *testing.T) clerks.Journals {
	t.Helper()
	j, err := clerks.ReadJournals(v.dir)
	require.NoError(t, err)
	return j
}
