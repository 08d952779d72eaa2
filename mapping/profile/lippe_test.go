package profile_test

import (
	"testing"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping/profile"
	"github.com/stretchr/testify/require"
)

// lippeBase is an application that is in order, if its direction is.
func lippeBase(_ testing.TB, v profile.Version, group code, _ string) *application {
	a := &application{profile.Application{
		Assigning: profile.Party{Organisation: "jobcenter", Agency: "JOBCENTER"}, Receiving: profile.Party{Organisation: "netzwerk", Agency: "PROVIDER"},
		Form: handover.ApplicationSubmitted{
			Process: "IQIB", TargetGroup: group, AppliedOn: v.ValidFrom, PlannedMonths: 24, Consent: handover.Consent{Kind: "CONSENT", GivenOn: v.ValidFrom},
		},
	}}
	if group == "PLACED" {
		a.Assigning, a.Receiving = a.Receiving, profile.Party{Organisation: "inklusion", Agency: "INTEGRATION_OFFICE"}
		a.Form.Process = "ACCOMPANIMENT"
	}
	a.answer("IMPAIRMENT", "LEARNING")
	a.answer("FAILED_MEASURES", "=2")
	a.answer("WISHES_CONSIDERED", "CONFIRMED")
	a.answer("EMPLOYED_SINCE", "@2014-01-01")
	return a
}

func lippeExamples() []example {
	return []example{
		{"LI1", "", "IQIB", "", asItIs, ok},
		{"LI1", "", "IQIB", "", answering("IMPAIRMENT", "NONE"), no},
		{"LI1", "", "PLACED", "", answering("IMPAIRMENT", "NONE"), ""},
		{"LI2", "", "IQIB", "", asItIs, ok},
		{"LI2", "", "IQIB", "", answering("FAILED_MEASURES", "=1"), no},
		{"LI2", "", "PLACED", "", answering("FAILED_MEASURES", "=0"), ""},
		{"LI3", "", "IQIB", "", asItIs, ok},
		{"LI3", "", "IQIB", "", func(a *application) { a.Form.PlannedMonths = 25 }, no},
		{"LI3", "", "PLACED", "", func(a *application) { a.Form.PlannedMonths = 25 }, ""},
		{"LI4", "", "PLACED", "", asItIs, ok},
		{"LI4", "", "PLACED", "", answering("EMPLOYED_SINCE", "@2099-01-01"), no},
		{"LI4", "", "PLACED", "", answering("EMPLOYED_SINCE", ""), silent},
		{"LI4", "", "IQIB", "", answering("EMPLOYED_SINCE", "@2099-01-01"), ""},
		{"LI5", "", "IQIB", "", asItIs, ok},
		{"LI5", "", "IQIB", "", answering("WISHES_CONSIDERED", "NOT_CONFIRMED"), no},
		{"LI5", "", "PLACED", "", answering("WISHES_CONSIDERED", "NOT_CONFIRMED"), ""},
		{"LI6", "", "IQIB", "", asItIs, ok},
		{"LI6", "", "PLACED", "", asItIs, ok},
		{"LI6", "", "IQIB", "", func(a *application) { a.Form.Consent.GivenOn = "" }, no},
		{"LI6", "", "IQIB", "", func(a *application) { a.Form.TargetGroup = "PLACED" }, no},
		{"LI7", "", "IQIB", "", asItIs, ok},
		{"LI7", "", "IQIB", "", func(a *application) { a.Receiving.Full = true }, warn},
		{"LI7", "", "PLACED", "", func(a *application) { a.Receiving.Full = true }, ""},
		{"GROUP-IQIB", "", "IQIB", "", asItIs, ok},
		{"GROUP-IQIB", "", "IQIB", "", answering("IMPAIRMENT", "NONE"), no},
		{"GROUP-IQIB", "", "IQIB", "", answering("FAILED_MEASURES", "=1"), no},
		{"GROUP-PLACED", "", "PLACED", "", asItIs, ok},
		{"GROUP-PLACED", "", "PLACED", "", answering("EMPLOYED_SINCE", "@2099-01-01"), no},
	}
}

// Another country's measures, agencies and rules load into the same code and judge an application.
func TestLippe_IsJudgedByTheSameCode(t *testing.T) {
	v, err := load(t, "lippe").On("2018-05-02")
	require.NoError(t, err)
	require.Equal(t, "lippe/second-2017", v.ID)
	a := lippeBase(t, v, "IQIB", "")
	require.NoError(t, v.Check(a.Form))
	require.Empty(t, blocked(v.Judge(a.Application)))
	a.answer("FAILED_MEASURES", "=1")
	a.Form.PlannedMonths = 25
	require.Equal(t, []string{"LI2", "LI3", "GROUP-IQIB"}, blocked(v.Judge(a.Application)))
	require.Equal(t, "EUR", v.Currency)
}
