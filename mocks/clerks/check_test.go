package clerks_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
)

// perfect returns the journals of a plan that was played without a fault, in these forms.
func perfect(p clerks.Plan, systems map[handover.SystemID]clerks.System) clerks.Journals {
	j := clerks.Journals{}
	sequence := map[native.CaseKey]uint64{}
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	put := func(h clerks.Handover, s clerks.Step, to clerks.Place, e core.Entry) {
		e.Case = native.CaseKey(h.Steps[0].Marker + string(to.System) + string(to.Organisation))
		sequence[e.Case]++
		e.Number, e.Sequence, e.Dossier, e.Organisation = uint64(len(j[to.System]))+1, sequence[e.Case], to.Organisation, s.Organisation
		j[to.System] = append(j[to.System], e)
	}
	for _, h := range p.Handovers {
		for i, s := range h.Steps {
			for _, to := range h.Where(s) {
				e := core.Entry{
					ID: id(s, to), Documents: core.Hashes(s.Facts.Documents), By: core.ByInterface, At: at.Add(100 * time.Millisecond),
				}
				e.Kind, e.Body = systems[to.System].Compose(s.Name, known(h, s, to))
				if s.Refers != "" && (to == s.Place || !h.Steps[i-1].Returned()) {
					e.Action, e.Refers = s.Action, id(clerks.Step{Marker: s.Refers}, to)
				}
				if to == s.Place {
					e.By, e.At = core.ByClerk, at
				}
				put(h, s, to, e)
			}
			if s.Answer != nil {
				a := core.Entry{ID: id(s, s.Place) + "?", By: core.ByInterface, At: at.Add(50 * time.Millisecond)}
				a.Kind, a.Body = systems[s.Place.System].Compose("application-checked", *answerOf(s))
				put(h, s, s.Place, a)
			}
			at = at.Add(time.Second)
		}
	}
	return j
}

func id(s clerks.Step, at clerks.Place) native.RecordID {
	return native.RecordID(s.Marker + string(at.System) + string(at.Organisation))
}

// chosen returns the first handover of a plan that has what the test needs.
func chosen(t *testing.T, p clerks.Plan, what func(clerks.Handover) bool) clerks.Handover {
	t.Helper()
	i := slices.IndexFunc(p.Handovers, what)
	require.GreaterOrEqual(t, i, 0, "the plan has no such handover")
	return p.Handovers[i]
}

func played(name string) func(clerks.Handover) bool {
	return func(h clerks.Handover) bool { return h.Play == name }
}

// other returns a place of a handover that a step was not entered at.
func other(h clerks.Handover, s clerks.Step) clerks.Place {
	for _, at := range h.Places {
		if at != s.Place {
			return at
		}
	}
	return clerks.Place{}
}

// planted is a perfect play in which something is changed.
type planted struct {
	t *testing.T
	clerks.Journals
}

// at returns the entry of a step at a place.
func (p planted) at(s clerks.Step, at clerks.Place) *core.Entry {
	p.t.Helper()
	for i := range p.Journals[at.System] {
		if e := &p.Journals[at.System][i]; e.ID == id(s, at) {
			return e
		}
	}
	require.Fail(p.t, "no such entry", "%s at %v", s.Marker, at)
	return nil
}

func (p planted) add(system handover.SystemID, e core.Entry) {
	e.ID += "+"
	p.Journals[system] = append(p.Journals[system], e)
}

func (p planted) remove(s clerks.Step, at clerks.Place) {
	gone := *p.at(s, at)
	p.Journals[at.System] = slices.DeleteFunc(p.Journals[at.System], func(e core.Entry) bool { return e.ID == gone.ID })
}

func TestCheck_FindsWhatIsPlanted(t *testing.T) {
	p := plan(t, 1, 5)
	h := p.Handovers[0]
	first, second := h.Steps[0], h.Steps[1]
	away := other(h, second)
	for name, c := range map[string]struct {
		plant func(planted)
		want  clerks.Proof
	}{
		"nothing":                 {func(planted) {}, clerks.Proof{}},
		"double by the interface": {func(j planted) { j.add(away.System, *j.at(second, away)) }, clerks.Proof{Double: 1}},
		"double by a clerk":       {func(j planted) { j.add(second.Place.System, *j.at(second, second.Place)) }, clerks.Proof{Double: 1}},
		"echo into the place of origin": {func(j planted) {
			e := *j.at(second, second.Place)
			e.By = core.ByInterface
			j.add(second.Place.System, e)
		}, clerks.Proof{Double: 1}},
		"loss": {func(j planted) { j.remove(second, away) }, clerks.Proof{Lost: 1}},
		"wrong order": {func(j planted) {
			a, b := j.at(first, away), j.at(second, away)
			a.Body, b.Body = b.Body, a.Body
			a.Kind, b.Kind, a.By, b.By, a.Documents, b.Documents = b.Kind, a.Kind, b.By, a.By, b.Documents, a.Documents
		}, clerks.Proof{Disorder: 1}},
		"foreign entry": {func(j planted) {
			j.add(away.System, core.Entry{Case: "y", By: core.ByInterface, Body: []byte("no marker")})
		}, clerks.Proof{Unexplained: 1}},
		"entry of another plan": {func(j planted) {
			j.add(away.System, core.Entry{Case: "y", By: core.ByInterface, Body: []byte("[M9999-01]")})
		}, clerks.Proof{Unexplained: 1}},
		"another organisation's dossier": {func(j planted) { j.at(second, away).Dossier = "sd-elsewhere" }, clerks.Proof{Misplaced: 1}},
		"another case":                   {func(j planted) { j.at(second, away).Case = "elsewhere" }, clerks.Proof{Misplaced: 1}},
		"another kind":                   {func(j planted) { j.at(second, away).Kind = "brief" }, clerks.Proof{WrongKind: 1}},
		"another content":                {func(j planted) { j.at(second, away).Body = []byte(`{"remark":"` + second.Marker + `"}`) }, clerks.Proof{Altered: 1}},
		"a recall of something":          {func(j planted) { j.at(second, away).Action = handover.ActionRecall }, clerks.Proof{WrongReference: 1}},
		"another document":               {func(j planted) { j.at(second, away).Documents = []string{"another"} }, clerks.Proof{WrongDocuments: 1}},
		"an answer that nobody expects": {func(j planted) {
			e := *j.at(first, first.Place)
			e.Kind, e.By = native.Kind(first.Place.System+":application-checked"), core.ByInterface
			j.add(first.Place.System, e)
		}, clerks.Proof{Unexplained: 1}},
	} {
		t.Run(name, func(t *testing.T) { finds(t, p, c.plant, c.want, name == "nothing") })
	}
}

// finds plants something and compares what the check counts.
func finds(t *testing.T, p clerks.Plan, plant func(planted), want clerks.Proof, once bool) {
	t.Helper()
	j := planted{t, perfect(p, forms())}
	plant(j)
	got := clerks.Check(p, j.Journals, forms())
	require.Equal(t, want, clerks.Proof{
		Double: got.Double, Lost: got.Lost, Leaked: got.Leaked, Disorder: got.Disorder, Unexplained: got.Unexplained, Misplaced: got.Misplaced, WrongKind: got.WrongKind,
		WrongReference: got.WrongReference, WrongDocuments: got.WrongDocuments, WrongAnswer: got.WrongAnswer, Altered: got.Altered, Unplayed: got.Unplayed,
	}, got.Findings)
	require.Equal(t, once, got.Once())
}

func TestCheck_ReturnedApplicationStandsNowhereButAtItsOriginWithOneAnswer(t *testing.T) {
	p := plan(t, 1, 50)
	h := chosen(t, p, played("forwarding-only"))
	s := h.Steps[0]
	answer := clerks.Step{Marker: s.Marker}
	at := func(j planted) *core.Entry {
		for i := range j.Journals[s.Place.System] {
			if e := &j.Journals[s.Place.System][i]; e.ID == id(answer, s.Place)+"?" {
				return e
			}
		}
		return nil
	}
	for name, c := range map[string]struct {
		plant func(planted)
		want  clerks.Proof
	}{
		"it stands at the receiver too": {func(j planted) {
			e := *j.at(s, s.Place)
			e.By, e.Dossier = core.ByInterface, "sd-horw"
			j.add("tutoris", e)
		}, clerks.Proof{Leaked: 1}},
		"it stands on the platform too": {func(j planted) {
			e := *j.at(s, s.Place)
			e.By, e.Dossier = core.ByInterface, ""
			j.add("casenet", e)
		}, clerks.Proof{Leaked: 1}},
		"it is not answered": {func(j planted) {
			gone := at(j).ID
			j.Journals[s.Place.System] = slices.DeleteFunc(j.Journals[s.Place.System], func(e core.Entry) bool { return e.ID == gone })
		}, clerks.Proof{Lost: 1}},
		"it is answered twice": {func(j planted) { j.add(s.Place.System, *at(j)) }, clerks.Proof{Double: 1}},
		"another rule is named": {func(j planted) {
			at(j).Body = []byte(strings.Replace(string(at(j).Body), "SH4", "SH5", 1))
		}, clerks.Proof{WrongAnswer: 1}},
		"it is said that it goes on": {func(j planted) {
			at(j).Body = []byte(strings.Replace(string(at(j).Body), "RETURNED", "FORWARD", 1))
		}, clerks.Proof{WrongAnswer: 1}},
		"the answer is not readable":         {func(j planted) { at(j).Body = []byte(s.Marker) }, clerks.Proof{Altered: 1}},
		"the answer stands in another case":  {func(j planted) { at(j).Case = "elsewhere" }, clerks.Proof{Misplaced: 1}},
		"the answer stands in another place": {func(j planted) { at(j).Dossier = "rav-elsewhere" }, clerks.Proof{Misplaced: 1}},
	} {
		t.Run(name, func(t *testing.T) { finds(t, p, c.plant, c.want, false) })
	}
}

func TestCheck_OnlyTheAssigningDossierCarriesTheProcedure(t *testing.T) {
	p := plan(t, 1, 50)
	h := chosen(t, p, func(h clerks.Handover) bool {
		return h.From == "IV" && h.To == "SH" && slices.ContainsFunc(h.Steps, func(s clerks.Step) bool { return s.Name == "case-closed" })
	})
	require.Equal(t, "SUSPENDED", h.Meanwhile)
	note := h.Steps[slices.IndexFunc(h.Steps, func(s clerks.Step) bool { return s.Name == "transfer-meeting-recorded" })]
	closed := h.Steps[slices.IndexFunc(h.Steps, func(s clerks.Step) bool { return s.Name == "case-closed" })]
	swap := func(s clerks.Step, o handover.OrganisationID, was, is string) func(planted) {
		return func(j planted) {
			e := j.at(s, h.Home(o))
			before := string(e.Body)
			e.Body = []byte(strings.Replace(before, `"procedure":"`+was+`"`, `"procedure":"`+is+`"`, 1))
			require.NotEqual(t, before, string(e.Body))
		}
	}
	for name, plant := range map[string]func(planted){
		"it is missing":                   swap(note, h.Parties.Assigning, "SUSPENDED", ""),
		"it is another one":               swap(note, h.Parties.Assigning, "SUSPENDED", "REDUCED"),
		"it is not taken up again":        swap(closed, h.Parties.Assigning, "FULL", ""),
		"the receiving one's is affected": swap(note, h.Parties.Receiving, "", "SUSPENDED"),
	} {
		t.Run(name, func(t *testing.T) { finds(t, p, plant, clerks.Proof{Altered: 1}, false) })
	}
}

func TestCheck_RecallRefersToItsEarlierEntryEverywhere(t *testing.T) {
	p := plan(t, 1, 50)
	h := chosen(t, p, func(h clerks.Handover) bool {
		return slices.ContainsFunc(h.Steps, func(s clerks.Step) bool { return s.Action == handover.ActionRecall })
	})
	s := h.Steps[slices.IndexFunc(h.Steps, func(s clerks.Step) bool { return s.Action == handover.ActionRecall })]
	for name, plant := range map[string]func(planted){
		"another entry":            func(j planted) { j.at(s, other(h, s)).Refers = id(h.Steps[0], other(h, s)) },
		"the entry of the origin":  func(j planted) { j.at(s, other(h, s)).Refers = id(clerks.Step{Marker: s.Refers}, s.Place) },
		"a correction, not recall": func(j planted) { j.at(s, other(h, s)).Action = handover.ActionCorrection },
		"a new entry":              func(j planted) { e := j.at(s, other(h, s)); e.Action, e.Refers = "", "" },
	} {
		t.Run(name, func(t *testing.T) { finds(t, p, plant, clerks.Proof{WrongReference: 1}, false) })
	}
}

func TestCheck_WhatIsMendedIsTheFirstThatTheOthersHear(t *testing.T) {
	p := plan(t, 1, 50)
	h := chosen(t, p, played("no-consent"))
	returned, mended := h.Steps[0], h.Steps[1]
	require.True(t, returned.Returned())
	require.Equal(t, handover.ActionCorrection, mended.Action)
	require.Greater(t, len(h.Steps), 2, "the case goes its way")
	away := other(h, mended)
	for name, c := range map[string]struct {
		plant func(planted)
		want  clerks.Proof
	}{
		"as it should be": {func(planted) {}, clerks.Proof{}},
		"as a correction": {func(j planted) {
			e := j.at(mended, away)
			e.Action, e.Refers = handover.ActionCorrection, "nothing"
		}, clerks.Proof{WrongReference: 1}},
		"not as a correction where it was returned": {func(j planted) {
			e := j.at(mended, mended.Place)
			e.Action, e.Refers = "", ""
		}, clerks.Proof{WrongReference: 1}},
		"with what was returned": {func(j planted) {
			e := *j.at(returned, returned.Place)
			e.By, e.Dossier = core.ByInterface, away.Organisation
			j.add(away.System, e)
		}, clerks.Proof{Leaked: 1}},
	} {
		t.Run(name, func(t *testing.T) { finds(t, p, c.plant, c.want, name == "as it should be") })
	}
}

func TestCheck_BetweenServicesOfOneSystemEachDossierCounts(t *testing.T) {
	p := plan(t, 1, 12)
	h := p.Handovers[11]
	require.Equal(t, "between-services", h.Play)
	h.Places[1].System = h.Places[0].System // both work in the same system
	for i := range h.Steps {
		if h.Steps[i].Place.System != "casenet" {
			h.Steps[i].Place.System = h.Places[0].System
		}
	}
	for _, at := range []clerks.Place{h.Home(h.Parties.Assigning), h.Home(h.Parties.Receiving)} {
		s := h.Steps[1+slices.IndexFunc(h.Steps[1:], func(s clerks.Step) bool { return s.Place != at })]
		finds(t, p, func(j planted) { j.remove(s, at) }, clerks.Proof{Lost: 1}, false)
		finds(t, p, func(j planted) { j.add(at.System, *j.at(s, at)) }, clerks.Proof{Double: 1}, false)
	}
	finds(t, p, func(planted) {}, clerks.Proof{}, true)
}

func TestCheck_RecordWithoutItsOriginIsUnexplained(t *testing.T) {
	p := plan(t, 1, 1)
	j := planted{t, perfect(p, forms())}
	s := p.Handovers[0].Steps[0]
	j.at(s, s.Place).By = core.ByInterface
	got := clerks.Check(p, j.Journals, forms())
	require.Equal(t, 3, got.Unexplained)
	require.Equal(t, 1, got.Unplayed)
}

func TestCheck_WithoutFormsKindsAndContentsAreNotCompared(t *testing.T) {
	p := plan(t, 1, 3)
	j := perfect(p, forms())
	for i := range j["casenet"] {
		j["casenet"][i].Kind, j["casenet"][i].Body[0] = "brief", '!'
	}
	require.True(t, clerks.Check(p, j, nil).Once())
}

func TestCheck_GroupsAndMessagesAreCounted(t *testing.T) {
	p := plan(t, 1, 40)
	got := clerks.Check(p, perfect(p, forms()), forms())
	require.True(t, got.Once(), got.Findings)
	require.Equal(t, got.Expected, got.Records)
	require.Len(t, got.MessageTypes, len(handover.Catalogue()))
	records, handovers := 0, 0
	for _, n := range got.MessageTypes {
		records += n
	}
	for _, g := range got.Groups {
		handovers += g.Handovers
	}
	require.Equal(t, p.Records(), records)
	require.Equal(t, 40-len(slices.DeleteFunc(slices.Clone(p.Handovers), func(h clerks.Handover) bool { return !h.Returned() })), handovers)
	require.Equal(t, map[string]int{"ALV>IV": 1, "IV>ALV": 1}, got.Groups["B"].Directions)

	j := planted{t, perfect(p, forms())}
	b := chosen(t, p, played("B-to-IV"))
	j.remove(b.Steps[0], other(b, b.Steps[0]))
	require.Equal(t, map[string]int{"IV>ALV": 1}, clerks.Check(p, j.Journals, forms()).Groups["B"].Directions, "what is lost does not stand everywhere")
}

func TestCheck_TimesRunFromEntryToRecord(t *testing.T) {
	p := plan(t, 1, 2)
	got := clerks.Check(p, perfect(p, forms()), nil)
	require.InDelta(t, 100, got.P50, 0.001)
	require.InDelta(t, 100, got.Max, 0.001)
	require.InDelta(t, float64(p.Steps()-1)+0.1, got.Elapsed, 0.001)
}

func TestReadJournals_DamageIsNamed(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, core.JournalName("klib")), []byte("{\n"), 0o600))
	_, err := clerks.ReadJournals(dir)
	require.ErrorContains(t, err, "klib.journal.jsonl")
}
