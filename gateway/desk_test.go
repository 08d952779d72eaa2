package gateway_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/parked"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// affair is one case that a test plays by hand: from sd-kriens (klib) to rav-luzern (avam), unless the test says otherwise.
type affair struct {
	s      *stage
	number int
	tag    string // stands in the remark of every entry and nowhere else
	facts  core.Facts
	cases  map[handover.SystemID]native.CaseKey
	step   int
}

// cases are many, from which affairs are taken; nobody changes them.
var cases = sync.OnceValues(func() (clerks.Plan, error) {
	return clerks.NewPlan(900, 600, world.KLIB, world.AVAM, world.CASEnet)
})

// affair invents a person and a case; number tells affairs of a test apart.
func (s *stage) affair(number int) *affair {
	s.t.Helper()
	a := &affair{s: s, number: number, tag: fmt.Sprintf("[X%04d", number), cases: map[handover.SystemID]native.CaseKey{}}
	return a.between("sd-kriens", "rav-luzern")
}

// between gives the case other parties, and a person whom the rules admit to the receiving one without a word.
func (a *affair) between(assigning, receiving handover.OrganisationID) *affair {
	a.s.t.Helper()
	office := func(o handover.OrganisationID) bool { return strings.HasPrefix(string(o), "rav-") }
	n := a.number
	drawn, err := cases()
	require.NoError(a.s.t, err)
	for _, h := range drawn.Handovers {
		f, sameType := h.Steps[0].Facts, office(assigning) == office(receiving) // which the rules warn of
		if h.Returned() || !sameType && h.Steps[0].Answer != nil || f.Receiving == "" || office(f.Assigning) != office(assigning) || office(f.Receiving) != office(receiving) {
			continue
		}
		if !office(assigning) && office(receiving) && f.TargetGroup != "H" {
			continue
		}
		if n--; n >= 0 {
			continue
		}
		a.facts = f
		a.facts.Assigning, a.facts.Receiving = assigning, receiving
		a.facts.Documents = nil // a test that is about documents lays them on the desk itself
		p := &a.facts.Person
		switch receiving {
		case "sd-emmen":
			p.Zip, p.Town, p.Municipality = "6032", "Emmen", 1024
		case "rav-sursee", "sobz-sursee":
			p.Zip, p.Town, p.Municipality = "6210", "Sursee", 1103
		default:
			p.Zip, p.Town, p.Municipality = "6010", "Kriens", 1059
		}
		return a
	}
	a.s.t.Fatal("the plan has no such handover")
	return nil
}

// form fills a form in; the marker of the entry is returned with it.
func (a *affair) form(system handover.SystemID, name handover.Name) (kind native.Kind, body, marker string) {
	a.step++
	marker = fmt.Sprintf("%s-%02d]", a.tag, a.step)
	f := a.facts
	f.Remark = marker
	kind, b := world.Systems("")[system].Compose(name, f)
	return kind, string(b), marker
}

// enters lets a clerk enter a form at her desk.
func (a *affair) enters(system handover.SystemID, by handover.OrganisationID, name handover.Name) (marker string) {
	a.s.t.Helper()
	kind, body, marker := a.form(system, name)
	b, err := json.Marshal(core.Typed{Case: a.cases[system], Kind: kind, Organisation: by, Body: body})
	require.NoError(a.s.t, err)
	status, said := call(a.s.t, http.MethodPost, a.s.world.URLs()[system]+"/desk/entries", b)
	require.Equal(a.s.t, http.StatusCreated, status, said)
	var stands core.Stands
	require.NoError(a.s.t, json.Unmarshal([]byte(said), &stands))
	a.cases[system] = stands.Case
	return marker
}

// slips puts an entry into a system that its desk would refuse.
func (a *affair) slips(system handover.SystemID, by handover.OrganisationID, name handover.Name, change func(*core.Write)) (marker string) {
	a.s.t.Helper()
	kind, body, marker := a.form(system, name)
	w := core.Write{Case: a.cases[system], Kind: kind, Organisation: by, By: core.ByClerk, Body: []byte(body)}
	change(&w)
	e, _, err := a.s.world.Store(system).Write(context.Background(), w)
	require.NoError(a.s.t, err)
	a.cases[system] = e.Case
	return marker
}

// replace changes the text of a body; it must be there.
func (a *affair) replace(old, fresh string) func(*core.Write) {
	return func(w *core.Write) {
		require.Contains(a.s.t, string(w.Body), old)
		w.Body = bytes.Replace(w.Body, []byte(old), []byte(fresh), 1)
	}
}

// appears waits until the marker stands in the systems, once in each, and remembers the cases.
func (a *affair) appears(marker string, systems ...handover.SystemID) {
	a.s.t.Helper()
	for _, id := range systems {
		require.Eventually(a.s.t, func() bool { return len(a.s.world.Store(id).Containing(marker)) > 0 }, patience, tick, "%s is missing in %s", marker, id)
		found := a.s.world.Store(id).Containing(marker)
		require.Len(a.s.t, found, 1)
		a.cases[id] = found[0].Case
	}
}

// everywhere is every system that takes part in these tests; the demo plays all of them.
func everywhere() []handover.SystemID {
	return []handover.SystemID{world.AVAM, world.CASEnet, world.KLIB}
}

// stands returns the markers of the affair's case in a system, in their order.
func (a *affair) stands(id handover.SystemID) []string {
	entries, _ := a.s.world.Store(id).Case(a.cases[id])
	var markers []string
	for _, e := range entries {
		if answered(id, e) {
			continue
		}
		at := strings.Index(string(e.Body), a.tag)
		require.GreaterOrEqual(a.s.t, at, 0)
		markers = append(markers, string(e.Body)[at:at+len(a.tag)+4])
	}
	return markers
}

// answered reports whether an entry is what the rules say to an application.
func answered(id handover.SystemID, e core.Entry) bool {
	kind, _ := world.Systems("")[id].Compose("application-checked", core.Facts{})
	return e.Kind == kind
}

// inOrder demands that exactly these entries of the affair stand in each system, in this order.
func (a *affair) inOrder(markers ...string) {
	a.s.t.Helper()
	for _, id := range everywhere() {
		a.appears(markers[len(markers)-1], id)
		require.Equal(a.s.t, markers, a.stands(id), id)
	}
}

// call makes one request.
func call(t testing.TB, method, url string, body []byte) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, url, bytes.NewReader(body))
	require.NoError(t, err)
	return answer(t, r)
}

// answer sends a request and returns what comes back.
func answer(t testing.TB, r *http.Request) (int, string) {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}

// admin asks the gateway's admin address.
func (g *running) admin(method, path string, body []byte) (int, string) {
	g.t.Helper()
	return call(g.t, method, "http://"+g.addresses.Admin.String()+path, body)
}

// parked returns what waits, as the admin address tells it.
func (g *running) parked() []parked.Item {
	g.t.Helper()
	status, said := g.admin(http.MethodGet, "/parked", nil)
	require.Equal(g.t, http.StatusOK, status)
	var items []parked.Item
	require.NoError(g.t, json.Unmarshal([]byte(said), &items))
	return items
}

// waits returns the parked messages once there are exactly so many.
func (g *running) waits(n int) []parked.Item {
	g.t.Helper()
	var items []parked.Item
	require.Eventually(g.t, func() bool { items = g.parked(); return len(items) == n }, patience, tick, "not %d messages wait", n)
	return items
}

// rule decides about what waits.
func (g *running) rule(id string, verdict string) {
	g.t.Helper()
	status, said := g.admin(http.MethodPost, "/parked/"+id+"/rulings", fmt.Appendf(nil, `{"verdict": %q, "person": "operator", "why": "a test"}`, verdict))
	require.Equal(g.t, http.StatusNoContent, status, said)
}

// onceAmong is once for a plan that was played beside affairs: those are left out.
func (s *stage) onceAmong(p clerks.Plan) {
	s.t.Helper()
	s.end()
	journals, err := s.world.Journals()
	require.NoError(s.t, err)
	for id, entries := range journals {
		var planned []core.Entry
		for _, e := range entries {
			if !bytes.Contains(e.Body, []byte("[X")) {
				planned = append(planned, e)
			}
		}
		journals[id] = planned
	}
	proof := clerks.Check(p, journals, s.world.Systems())
	require.Empty(s.t, proof.Findings)
	require.True(s.t, proof.Once(), "not every step was played")
}
