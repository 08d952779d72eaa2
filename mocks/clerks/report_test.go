package clerks_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
)

func reportPlan(t *testing.T, seed int64) clerks.Plan {
	t.Helper()
	p, err := clerks.ReportPlan(seed)
	require.NoError(t, err)
	return p
}

func reportTable(t *testing.T) clerks.Table {
	t.Helper()
	want, err := clerks.ReportTable()
	require.NoError(t, err)
	return want
}

// The checks that domain model and report print beside the table.
func TestReportTable_AddsUp(t *testing.T) {
	total, columns := map[string]int{}, map[string]map[string]int{}
	for _, l := range reportTable(t) {
		total[l.Name], columns[l.Name] = l.Total, l.Agencies
		sum := 0
		for _, n := range l.Agencies {
			sum += n
		}
		require.True(t, l.Agencies == nil || sum == l.Total, l.Name)
	}
	for _, agency := range []string{"IV", "ALV", "SH"} {
		sum := 0
		for _, outcome := range []string{"SUCCESSFUL", "PARTIAL", "NOT_IMPLEMENTED", "OTHER"} {
			sum += columns["closed: "+outcome][agency]
		}
		require.Equal(t, columns["closed"][agency], sum)
	}
	require.Equal(t, 52, total["applications"])
	require.Equal(t, 2, total["applications"]-total["accepted"]-total["rejected"], "undecided or withdrawn")
	require.Equal(t, 3, total["accepted"]-total["closed"], "still open")
	require.Equal(t, total["rejected"], total["rejected: IV_REJECTION_RECENT"]+total["rejected: OTHER"])
}

// One of the two matrices that the margins and "no case from the unemployment office to the IV" leave.
func TestReportPlan_HandsOverAsTheMarginsDemand(t *testing.T) {
	p := reportPlan(t, 1)
	matrix := map[string]int{}
	for _, h := range p.Handovers {
		matrix[h.From+">"+h.To]++
		require.False(t, h.Steps[0].Returned(), "the rejections of the report were people's")
		applied := h.Steps[0].Facts.AppliedOn
		require.True(t, applied >= "2018-10-01" && applied <= "2022-09-30", "the pilot ran then")
		require.LessOrEqual(t, h.Steps[len(h.Steps)-1].Facts.ClosedOn, "2022-11-29")
	}
	require.Equal(t, map[string]int{"IV>SH": 1, "ALV>SH": 12, "SH>IV": 21, "SH>ALV": 17, "SH>SH": 1}, matrix)
	require.Equal(t, p, reportPlan(t, 1))
	require.NotEqual(t, p, reportPlan(t, 2))
	_, err := clerks.ReportPlan(1, "casenet", "klib", "avam")
	require.ErrorContains(t, err, "none of them is there for")
}

// Acceptance of the issue: the 52 applications end as exactly the table of the report, counted from nothing but the native systems' journals.
func TestCount_TheReportOf2022EndsAsItsTable(t *testing.T) {
	for seed := range int64(10) {
		p := reportPlan(t, seed)
		j := perfect(p, forms())
		proof := clerks.Check(p, j, forms())
		require.True(t, proof.Once(), proof.Findings)
		got, err := clerks.Count(j, forms())
		require.NoError(t, err)
		require.Empty(t, got.Against(reportTable(t)))
	}
}

func TestCount_SeesWhatIsDifferentInTheJournals(t *testing.T) {
	p := reportPlan(t, 1)
	find := func(n handover.Name, what func(core.Facts) bool) (clerks.Handover, clerks.Step, clerks.Place) {
		for _, h := range p.Handovers {
			for _, s := range h.Steps {
				if s.Name == n && s.Action == "" && what(s.Facts) {
					return h, s, h.Home(h.Parties.Receiving)
				}
			}
		}
		require.Fail(t, "the plan has none")
		return clerks.Handover{}, clerks.Step{}, clerks.Place{}
	}
	any := func(core.Facts) bool { return true }
	_, application, at := find("application-submitted", any)
	_, decision, decided := find("application-decided", func(f core.Facts) bool { return f.RejectionReason == "IV_REJECTION_RECENT" })
	_, request, asked := find("cost-approval-requested", any)
	_, signed, approved := find("cost-approval-signed", any)
	for name, c := range map[string]struct {
		plant func(planted)
		want  []string
	}{
		"nothing":                     {func(planted) {}, nil},
		"an application more":         {func(j planted) { e := *j.at(application, at); e.Case += "+"; j.add(at.System, e) }, []string{"applications", "by assigning agency", "by receiving agency"}},
		"a decision twice":            {func(j planted) { j.add(decided.System, *j.at(decision, decided)) }, []string{"rejected", "rejected: IV_REJECTION_RECENT"}},
		"another reason":              {func(j planted) { reword(j.at(decision, decided), "IV_REJECTION_RECENT", "OTHER") }, []string{"rejected: IV_REJECTION_RECENT", "rejected: OTHER"}},
		"accepted after all":          {func(j planted) { reword(j.at(decision, decided), "word for REJECTED", "word for ACCEPTED") }, []string{"accepted", "rejected", "rejected: IV_REJECTION_RECENT"}},
		"a request that is missing":   {func(j planted) { j.remove(request, asked) }, []string{"cost approvals requested"}},
		"an approval that is missing": {func(j planted) { j.remove(signed, approved) }, []string{"cost approvals signed"}},
		"a decision that is recalled": {func(j planted) {
			e := *j.at(decision, decided)
			e.Action, e.Refers = handover.ActionRecall, e.ID
			j.add(decided.System, e)
		}, []string{"rejected", "rejected: IV_REJECTION_RECENT"}},
	} {
		t.Run(name, func(t *testing.T) {
			j := planted{t, perfect(p, forms())}
			c.plant(j)
			got, err := clerks.Count(j.Journals, forms())
			require.NoError(t, err)
			require.Equal(t, c.want, got.Against(reportTable(t)))
		})
	}
}

func reword(e *core.Entry, from, to string) {
	e.Body = bytes.Replace(e.Body, []byte(from), []byte(to), 1)
}

func TestCount_CorrectionOfACorrectionCounts(t *testing.T) {
	p := reportPlan(t, 1)
	h := chosen(t, p, func(h clerks.Handover) bool {
		return slices.ContainsFunc(h.Steps, func(s clerks.Step) bool {
			return s.Name == "case-closed" && s.Facts.Outcome == "PARTIAL" && s.Action == ""
		})
	})
	s := h.Steps[slices.IndexFunc(h.Steps, func(s clerks.Step) bool { return s.Name == "case-closed" })]
	at := h.Home(h.Parties.Receiving)
	j := planted{t, perfect(p, forms())}
	for _, outcome := range []string{"SUCCESSFUL", "OTHER"} {
		e := *j.at(s, at)
		e.Refers, e.Action = j.Journals[at.System][len(j.Journals[at.System])-1].ID, handover.ActionCorrection
		if outcome == "SUCCESSFUL" {
			e.Refers = e.ID
		}
		e.Body = bytes.Clone(e.Body)
		reword(&e, "PARTIAL", outcome)
		e.ID += "+" + native.RecordID(outcome)
		j.Journals[at.System] = append(j.Journals[at.System], e)
	}
	got, err := clerks.Count(j.Journals, forms())
	require.NoError(t, err)
	require.Equal(t, []string{"closed: PARTIAL", "closed: OTHER"}, got.Against(reportTable(t)))
}

func TestCount_NeedsEveryForm(t *testing.T) {
	p := reportPlan(t, 1)
	j := perfect(p, forms())
	_, err := clerks.Count(j, nil)
	require.ErrorContains(t, err, "the form of avam is not known")
	mute := forms()
	mute["klib"] = clerks.System{Compose: mute["osiv"].Compose, Compare: clerks.CompareJSON("assigning")}
	_, err = clerks.Count(j, mute)
	require.ErrorContains(t, err, "klib: the form of application-submitted shows none")
	j["klib"][0].Body = []byte("{")
	_, err = clerks.Count(j, forms())
	require.ErrorContains(t, err, "cannot be read")
}

func TestTable_IsPrintedBesideTheExpectedOne(t *testing.T) {
	var out bytes.Buffer
	got := clerks.Table{{Name: "closed", Total: 3, Agencies: map[string]int{"IV": 1, "ALV": 2}}}
	require.NoError(t, got.Print(&out, clerks.Table{{Name: "closed", Total: 4, Agencies: map[string]int{"SH": 4}}, {Name: "accepted", Total: 1}}))
	require.Equal(t, "closed 3 1 2 0 4 0 0 4", strings.Join(strings.Fields(strings.Split(out.String(), "\n")[1]), " "))
	require.Equal(t, "accepted 0 1", strings.Join(strings.Fields(strings.Split(out.String(), "\n")[2]), " "))
	require.Error(t, got.Print(broken{}, got))
}
