package clerks_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/avam"
	"github.com/einmal-hub/einmal/mocks/casenet"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/ivdossier"
	"github.com/einmal-hub/einmal/mocks/klib"
	"github.com/einmal-hub/einmal/mocks/osiv"
	"github.com/einmal-hub/einmal/mocks/tutoris"
)

// Plans are checked, and the report is counted, in the own words of all six systems of the first home.
func TestCount_TheReportOf2022IsCountedFromEverySystemsOwnForm(t *testing.T) {
	f := map[handover.SystemID]clerks.System{
		"klib":      {Compose: klib.Compose, Compare: clerks.CompareJSON("interneNotiz")},
		"avam":      {Compose: avam.Compose, Compare: clerks.CompareXML("deliveryHeader", "localPersonId")},
		"casenet":   {Compose: casenet.Compose, Compare: clerks.CompareJSON()},
		"osiv":      {Compose: osiv.Compose, Compare: clerks.CompareXML("meldungsrahmen", "localPersonId")},
		"tutoris":   {Compose: tutoris.Compose, Compare: clerks.CompareXML("kopf", "localPersonId")},
		"ivdossier": {Compose: ivdossier.Compose, Compare: clerks.CompareJSON("Kopf")},
	}
	p := reportPlan(t, 0)
	j := perfect(p, f)
	proof := clerks.Check(p, j, f)
	require.True(t, proof.Once(), proof.Findings)
	got, err := clerks.Count(j, f)
	require.NoError(t, err)
	require.Empty(t, got.Against(reportTable(t)))
	n := plan(t, 0, 120)
	proof = clerks.Check(n, perfect(n, f), f)
	require.True(t, proof.Once(), proof.Findings)
}
