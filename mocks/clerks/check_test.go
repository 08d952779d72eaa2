package clerks_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
)

// perfect returns the journals of a plan that was played without a fault.
func perfect(p clerks.Plan) clerks.Journals {
	j := clerks.Journals{}
	sequence := map[native.CaseKey]uint64{}
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	for _, h := range p.Handovers {
		for _, s := range h.Steps {
			for _, id := range h.Systems {
				key := native.CaseKey(h.Steps[0].Marker + string(id))
				sequence[key]++
				e := core.Entry{
					Number: uint64(len(j[id])) + 1, ID: native.RecordID(s.Marker + string(id)), Case: key, Sequence: sequence[key],
					Kind: native.Kind(s.Name), Organisation: s.Organisation, Dossier: h.Dossiers[id], By: core.ByInterface,
					At: at.Add(100 * time.Millisecond), Body: []byte("<x>" + s.Facts.Remark + "</x>"),
				}
				if id == s.System {
					e.By, e.At = core.ByClerk, at
				}
				j[id] = append(j[id], e)
			}
			at = at.Add(time.Second)
		}
	}
	return j
}

// mark returns the step of a marker's number in the first handover.
func mark(p clerks.Plan, step int) clerks.Step { return p.Handovers[0].Steps[step] }

// other returns a system of the first handover that a step was not entered in.
func other(p clerks.Plan, step int) handover.SystemID {
	for _, id := range p.Handovers[0].Systems {
		if id != mark(p, step).System {
			return id
		}
	}
	return ""
}

func at(j clerks.Journals, id handover.SystemID, s clerks.Step) int {
	for i, e := range j[id] {
		if string(e.ID) == s.Marker+string(id) {
			return i
		}
	}
	return -1
}

func TestCheck_FindsWhatIsPlanted(t *testing.T) {
	p := plan(t, 1, 5)
	target := other(p, 1)
	for name, c := range map[string]struct {
		plant func(clerks.Journals)
		want  clerks.Proof
	}{
		"nothing": {func(clerks.Journals) {}, clerks.Proof{}},
		"double by the interface": {func(j clerks.Journals) {
			j[target] = append(j[target], j[target][at(j, target, mark(p, 1))])
		}, clerks.Proof{Double: 1}},
		"double by a clerk": {func(j clerks.Journals) {
			own := mark(p, 1).System
			j[own] = append(j[own], j[own][at(j, own, mark(p, 1))])
		}, clerks.Proof{Double: 1}},
		"echo into the system of origin": {func(j clerks.Journals) {
			own := mark(p, 1).System
			e := j[own][at(j, own, mark(p, 1))]
			e.By = core.ByInterface
			j[own] = append(j[own], e)
		}, clerks.Proof{Double: 1}},
		"loss": {func(j clerks.Journals) {
			i := at(j, target, mark(p, 1))
			j[target] = append(append([]core.Entry(nil), j[target][:i]...), j[target][i+1:]...)
		}, clerks.Proof{Lost: 1}},
		"wrong order": {func(j clerks.Journals) {
			i, k := at(j, target, mark(p, 0)), at(j, target, mark(p, 1))
			j[target][i].Body, j[target][k].Body = j[target][k].Body, j[target][i].Body
			j[target][i].By, j[target][k].By = j[target][k].By, j[target][i].By
		}, clerks.Proof{Disorder: 1}},
		"foreign entry": {func(j clerks.Journals) {
			j[target] = append(j[target], core.Entry{ID: "x", Case: "y", By: core.ByInterface, Body: []byte("no marker")})
		}, clerks.Proof{Unexplained: 1}},
		"entry of another plan": {func(j clerks.Journals) {
			j[target] = append(j[target], core.Entry{ID: "x", Case: "y", By: core.ByInterface, Body: []byte("[M9999-01]")})
		}, clerks.Proof{Unexplained: 1}},
		"another organisation's dossier": {func(j clerks.Journals) {
			j[target][at(j, target, mark(p, 1))].Dossier = "sd-elsewhere"
		}, clerks.Proof{Misplaced: 1}},
		"another case": {func(j clerks.Journals) {
			j[target][at(j, target, mark(p, 1))].Case = "elsewhere"
		}, clerks.Proof{Misplaced: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			j := perfect(p)
			require.GreaterOrEqual(t, at(j, target, mark(p, 1)), 0)
			c.plant(j)
			got := clerks.Check(p, j, nil)
			require.Equal(t, c.want, clerks.Proof{
				Double: got.Double, Lost: got.Lost, Disorder: got.Disorder, Unexplained: got.Unexplained, Misplaced: got.Misplaced,
				WrongKind: got.WrongKind, Unplayed: got.Unplayed,
			}, got.Findings)
			require.Equal(t, name == "nothing", got.Once())
		})
	}
}

func TestCheck_RecordWithoutItsOriginIsUnexplained(t *testing.T) {
	p := plan(t, 1, 1)
	j := perfect(p)
	own, s := mark(p, 0).System, mark(p, 0)
	j[own][at(j, own, s)].By = core.ByInterface
	got := clerks.Check(p, j, nil)
	require.Equal(t, 3, got.Unexplained)
	require.Equal(t, 1, got.Unplayed)
}

func TestCheck_KindsAreComparedWithTheForms(t *testing.T) {
	p := plan(t, 1, 1)
	forms := map[handover.SystemID]clerks.System{"avam": {Compose: func(handover.Name, core.Facts) (native.Kind, []byte) { return "else", nil }}}
	require.Equal(t, p.Steps(), clerks.Check(p, perfect(p), forms).WrongKind)
}

func TestCheck_ContentsAreComparedWithTheForms(t *testing.T) {
	p := plan(t, 1, 1)
	compose := func(n handover.Name, f core.Facts) (native.Kind, []byte) {
		return native.Kind(n), []byte("<x>" + f.Remark + "</x>")
	}
	forms := map[handover.SystemID]clerks.System{}
	for _, id := range p.Handovers[0].Systems {
		forms[id] = clerks.System{Compose: compose, Compare: func(want, got []byte) []string {
			if string(want) == string(got) {
				return nil
			}
			return []string{"/x"}
		}}
	}
	j := perfect(p)
	require.Zero(t, clerks.Check(p, j, forms).Altered)
	j["klib"][0].Body = []byte(string(j["klib"][0].Body) + "!")
	got := clerks.Check(p, j, forms)
	require.Equal(t, 1, got.Altered)
	require.Contains(t, got.Findings[0].String(), "differs at /x")
}

func TestCheck_TimesRunFromEntryToRecord(t *testing.T) {
	p := plan(t, 1, 2)
	got := clerks.Check(p, perfect(p), nil)
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
