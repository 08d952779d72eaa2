package profile_test

import (
	"testing"

	"github.com/einmal-hub/einmal/mapping/profile"
	"github.com/stretchr/testify/require"
)

// P11: each measure is paid by the agency where the person is entitled to benefits, and asked for there.
func TestP11_TheFinancerFollowsFromTheEntitlement(t *testing.T) {
	v := version(t, "regular-2025")
	for _, c := range []struct {
		name, group, direction string
		change                 func(*application)
		want                   code
	}{
		{"ALE, led by the IV", "F", "ALV>IV", asItIs, "ALV"},
		{"ALE and closed IV procedure, led by the IV", "B", "ALV>IV", asItIs, "ALV"},
		{"ALE and a measure of the IV, led by the IV", "F", "ALV>IV", func(a *application) { a.Form.Situation.DisabilityMeasures = true }, "IV"},
		{"ALE before IV, led by the RAV", "B", "IV>ALV", asItIs, "ALV"},
		{"IV and no ALE, led by the RAV", "A", "IV>ALV", asItIs, "IV"},
		{"IV, led by the social service", "C", "IV>SH", asItIs, "IV"},
		{"ALE, led by the social service", "G", "ALV>SH", asItIs, "ALV"},
		{"neither, led by the RAV", "H", "SH>ALV", asItIs, "SH"},
		{"neither, led by the IV", "E", "SH>IV", asItIs, "SH"},
		{"ALE and social assistance, led by the RAV", "I", "SH>ALV", asItIs, "ALV"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := base(t, v, code(c.group), c.direction)
			c.change(a)
			f, missing := v.Financer(a.Application)
			require.Empty(t, missing)
			require.Equal(t, c.want, f.Agency)
			require.NotEmpty(t, f.Source)
		})
	}
}

// P11: who pays is always one of the two agencies of the case, so the request for approval has somebody to go to, or the agency that leads pays itself and asks nobody.
func TestP11_TheFinancerIsAPartyOfTheCase(t *testing.T) {
	for _, v := range load(t, "lucerne").Versions() {
		for _, g := range v.Groups {
			for _, d := range g.Directions {
				a := base(t, v, g.Code, string(d.From+">"+d.To))
				f, missing := v.Financer(a.Application)
				require.Empty(t, missing)
				require.Contains(t, []code{d.From, d.To}, f.Agency, "%s %s %s", v.Name, g.Code, d.Process)
			}
		}
	}
}

func TestFinancer_AMissingAnswerDecidesNothing(t *testing.T) {
	v := version(t, "regular-2025")
	a := base(t, v, "E", "SH>IV")
	a.answer("IV_PROCEDURE", "")
	f, missing := v.Financer(a.Application)
	require.Equal(t, []code{"IV_PROCEDURE"}, missing)
	require.Zero(t, f)
	a.Form.Situation.DisabilityMeasures = true
	f, missing = v.Financer(a.Application)
	require.Empty(t, missing, "certain without it")
	require.Equal(t, code("IV"), f.Agency)
}

func TestFinancer_IsThatOfTheProfile(t *testing.T) {
	v, err := load(t, "lippe").On("2018-05-02")
	require.NoError(t, err)
	for process, want := range map[code]code{"IQIB": "JOBCENTER", "ACCOMPANIMENT": "INTEGRATION_OFFICE"} {
		a := profile.Application{}
		a.Form.Process = process
		f, _ := v.Financer(a)
		require.Equal(t, want, f.Agency)
	}
}
