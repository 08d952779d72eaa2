package casenet_test

import (
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/casenet"
	"github.com/einmal-hub/einmal/mocks/core"
)

func TestCompose_EveryFormIsWhatTheContractDescribes(t *testing.T) {
	w := open(t, casenet.Options{})
	for seed := range uint64(40) {
		for _, p := range handover.Catalogue() {
			kind, content := casenet.Compose(p.Name(), facts(seed))
			require.NoError(t, w.Validate(kind, content), "%s %s", p.Name(), content)
		}
	}
	key := ""
	for i, p := range handover.Catalogue() {
		kind, content := casenet.Compose(p.Name(), facts(1))
		a := w.write(fmt.Sprintf("a%x", i), key, string(kind), content)
		require.Equal(t, http.StatusCreated, a.Status, "%s %s", p.Name(), a.raw)
		key = a.CaseID
	}
	require.Equal(t, len(handover.Catalogue()), w.Store().Len())
}

func TestCompose_UnknownMessageHasNoForm(t *testing.T) {
	kind, content := casenet.Compose("no-such-message", facts(1))
	require.Empty(t, kind)
	require.Empty(t, content)
}

func TestCompose_EveryCodeHasAWordOfTheContract(t *testing.T) {
	w := open(t, casenet.Options{})
	for _, c := range []struct {
		message handover.Name
		set     func(*core.Facts, string)
		codes   []string
	}{
		{"application-submitted", func(f *core.Facts, c string) { f.Process = c }, []string{"OPTIMA_ALV", "OPTIMA_IV", "OPTIMA_SH"}},
		{"application-submitted", func(f *core.Facts, c string) { f.TargetGroup = c }, []string{"A", "B", "C", "D", "E", "F", "G", "H", "I"}},
		{"application-submitted", func(f *core.Facts, c string) { f.Person.Sex = c }, []string{"MALE", "FEMALE", "UNKNOWN"}},
		{"application-submitted", func(f *core.Facts, c string) { f.Person.Language = c }, []string{"", "DE", "FR", "IT", "EN"}},
		{"application-submitted", func(f *core.Facts, c string) { f.ConsentKind = c }, []string{"CONSENT", "INFORMED"}},
		{"application-withdrawn", func(f *core.Facts, c string) { f.WithdrawalReason = c }, []string{"PERSON_WITHDREW", "AGENCY_WITHDREW", "OTHER"}},
		{"application-decided", func(f *core.Facts, c string) { f.Decision, f.RejectionReason = "REJECTED", c }, []string{
			"IV_REJECTION_RECENT", "NO_INTACT_WORK_OFFER", "NO_CAPACITY", "GOAL_NOT_REALISABLE", "OTHER",
		}},
		{"cost-approval-refused", func(f *core.Facts, c string) { f.RefusalReason = c }, []string{"NO_ENTITLEMENT", "NOT_NECESSARY", "OTHER"}},
		{"case-closed", func(f *core.Facts, c string) { f.ClosureReason = c }, []string{
			"REVOKED_BY_ASSIGNING", "GOAL_REACHED", "GOAL_NOT_REACHABLE", "COST_APPROVAL_REFUSED", "PARALLEL_CASE_LEADERSHIP", "CONSENT_WITHDRAWN",
		}},
		{"case-closed", func(f *core.Facts, c string) { f.Outcome = c }, []string{"SUCCESSFUL", "PARTIAL", "NOT_IMPLEMENTED", "OTHER"}},
		{"review-meeting-recorded", func(f *core.Facts, c string) { f.Participants[0].Part = c }, []string{"PERSON", "ASSIGNING", "RECEIVING", "OTHER"}},
	} {
		for _, code := range c.codes {
			f := facts(3)
			c.set(&f, code)
			kind, content := casenet.Compose(c.message, f)
			require.NoError(t, w.Validate(kind, content), "%s %s", c.message, code)
		}
	}
}

// Every question and every answer that the forms know has a word of the contract; a question is answered once, and in one way.
func TestCompose_DeclarationsAreWhatTheContractDescribes(t *testing.T) {
	w := open(t, casenet.Options{})
	var words map[string]map[string]string
	b, err := os.ReadFile("words.json")
	require.NoError(t, err)
	require.NoError(t, strict.JSON(b, &words))
	number := 0
	good := []core.Declaration{{Item: "WORK_CAPACITY_PERCENT", Number: &number}, {Item: "LAST_REGISTERED_ON", On: "2025-05-31"}}
	validate := func(ds ...core.Declaration) error {
		f := facts(1)
		f.Declarations = ds
		return w.Validate(casenet.Compose("application-submitted", f))
	}
	require.NoError(t, validate(good...))
	require.NoError(t, validate(), "nothing more to say")
	for item := range words["question"] {
		require.NoError(t, validate(core.Declaration{Item: item, Answer: "YES"}), item)
	}
	for answer := range words["answer"] {
		require.NoError(t, validate(core.Declaration{Item: "IV_APPEAL", Answer: answer}), answer)
	}
	require.ErrorContains(t, validate(good[0], good[0]), "statements[1].question: repeated")
	require.Error(t, validate(core.Declaration{Item: "IV_APPEAL"}))
	require.Error(t, validate(core.Declaration{Item: "IV_APPEAL", Answer: "YES", Number: &number}))
	require.Error(t, validate(core.Declaration{Item: "SHOE_SIZE", Number: &number}))
	require.Error(t, validate(core.Declaration{Item: "IV_APPEAL", Answer: "MAYBE"}))
}

func TestCompose_WhatMayBeMissingIsLeftOut(t *testing.T) {
	w := open(t, casenet.Options{})
	f := facts(5)
	f.Remark, f.Deputy, f.Lead, f.Strategy, f.FurtherMeasures, f.Result, f.ExtensionReason, f.AnswerBy = "", nil, nil, "", "", "", "", ""
	f.Person.Phone, f.Person.Email, f.Person.Language, f.Person.Street, f.Person.HouseNumber, f.Person.AHV = "", "", "", "", "", ""
	f.Participants[1].Agreed, f.StartOfCaseWork, f.NextReviewOn, f.Continue = false, "", "", false
	for _, p := range handover.Catalogue() {
		kind, content := casenet.Compose(p.Name(), f)
		if p.Name() == "cost-approval-reminder" && f.ReturnBy == "" {
			continue
		}
		require.NoError(t, w.Validate(kind, content), "%s %s", p.Name(), content)
		require.NotContains(t, string(content), `:""`)
		require.NotContains(t, string(content), `null`)
	}
}
