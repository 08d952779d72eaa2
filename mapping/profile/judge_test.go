package profile_test

import (
	"slices"
	"testing"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping/profile"
	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestJudge_AMissingAnswerNamesWhatToFillIn(t *testing.T) {
	v := version(t, "regular-2025")
	a := base(t, v, "H", "SH>ALV")
	a.answer("INTACT_WORK_OFFER", "")
	a.answer("WORK_CAPACITY_PERCENT", "")
	for _, r := range v.Judge(a.Application) {
		if r.Rule != "ALV2" {
			continue
		}
		require.Equal(t, []handover.Code{"INTACT_WORK_OFFER", "WORK_CAPACITY_PERCENT"}, r.Missing)
		require.Equal(t, "Please answer: Does the person have an intact work offer? (INTACT_WORK_OFFER); Ability to work in per cent (WORK_CAPACITY_PERCENT)", r.Hint.In("en"))
		require.Contains(t, r.Hint.In("de"), "Bitte beantworten: Hat die Person ein intaktes Arbeitsangebot?")
		require.True(t, r.Blocks())
	}
}

// A rule that is certain to be broken does not ask for more.
func TestJudge_WhatIsCertainAsksNothing(t *testing.T) {
	v := version(t, "regular-2025")
	a := base(t, v, "H", "SH>ALV")
	a.answer("INTACT_WORK_OFFER", "NO")
	a.answer("WORK_CAPACITY_PERCENT", "")
	require.Equal(t, profile.Refused, statuses(v.Judge(a.Application))["ALV2"])
}

// Whether a rule has a say may itself be unanswered; then the answer is asked for, and the rule does not pass unseen.
func TestJudge_UnclearWhetherARuleApplies(t *testing.T) {
	v := version(t, "regular-2025")
	a := base(t, v, "E", "SH>IV")
	a.answer("IV_PROCEDURE", "")
	a.answer("IV_RELEVANT_DAMAGE", "YES")
	for _, r := range v.Judge(a.Application) {
		if r.Rule == "IV5" {
			require.Equal(t, profile.NotAnswered, r.Status)
			require.Equal(t, []handover.Code{"IV_PROCEDURE"}, r.Missing)
		}
	}
	a.answer("IV_RELEVANT_DAMAGE", "NO")
	require.Equal(t, profile.Satisfied, statuses(v.Judge(a.Application))["IV5"], "it holds whether it applies or not")
}

func TestJudge_ASoftRuleNeverBlocks(t *testing.T) {
	v := version(t, "regular-2025")
	a := base(t, v, "H", "SH>ALV")
	a.answer("EVER_REGISTERED", "")
	a.Receiving.Full = true
	rulings := v.Judge(a.Application)
	require.Equal(t, profile.NotAnswered, statuses(rulings)["ALV8"])
	require.Equal(t, profile.Warned, statuses(rulings)["G6"])
	require.True(t, profile.Admissible(rulings))
}

func TestJudge_AnswersOfAnotherKindAreNone(t *testing.T) {
	v := version(t, "regular-2025")
	for _, with := range []string{"=1", "@2026-01-01", "MAYBE"} {
		a := base(t, v, "H", "SH>ALV")
		a.answer("CASE_LEADERSHIP_MOVES", with)
		require.Equal(t, profile.NotAnswered, statuses(v.Judge(a.Application))["G3"])
		err := v.Check(a.Form)
		require.Equal(t, fault.Park, fault.KindOf(err))
		require.ErrorContains(t, err, "declarations[")
	}
}

func TestCheck_NamesEveryUnknownCode(t *testing.T) {
	v := version(t, "regular-2025")
	a := base(t, v, "H", "SH>ALV")
	a.Form.Process, a.Form.TargetGroup, a.Form.Consent.Kind, a.Form.Declarations = "IQIB", "Z", "TOLD", []handover.Declaration{{Item: "SHOE_SIZE"}}
	var found fault.Findings
	require.ErrorAs(t, v.Check(a.Form), &found)
	var paths []string
	for _, f := range found {
		paths = append(paths, f.Path)
	}
	require.Equal(t, []string{"process", "targetGroup", "consent.kind", "declarations[0].item"}, paths)
	require.False(t, profile.Admissible(v.Judge(a.Application)))
}

// Rulings go to logs and to the other side: they must not carry what the person is.
func TestJudge_RulingsHoldNothingPersonal(t *testing.T) {
	v := version(t, "regular-2025")
	a := base(t, v, "H", "SH>ALV")
	a.answer("WORK_CAPACITY_PERCENT", "=17")
	b, err := json.Marshal(v.Judge(a.Application))
	require.NoError(t, err)
	require.NotContains(t, string(b), "1985")
	require.NotContains(t, string(b), "17\"")
}

// drawn is any application, sensible or not.
func drawn(t *rapid.T, v profile.Version) profile.Application {
	pick := func(name string, codes ...handover.Code) handover.Code {
		return rapid.SampledFrom(append(codes, "", "X")).Draw(t, name)
	}
	list := func(name string) []handover.Code {
		var codes []handover.Code
		for _, e := range v.Codes(name) {
			codes = append(codes, e.Code)
		}
		return codes
	}
	a := profile.Application{
		Assigning: profile.Party{Organisation: "a", Agency: pick("from", list("agency")...)}, Receiving: profile.Party{Organisation: "b", Agency: pick("to", list("agency")...)},
		Responsible: rapid.Bool().Draw(t, "responsible"),
		Form: handover.ApplicationSubmitted{
			Process: pick("process", list("process")...), TargetGroup: pick("group", list("targetGroup")...), AppliedOn: "2026-03-02",
			Consent: handover.Consent{Kind: pick("consent", list("consent")...), GivenOn: "2026-03-01"},
		},
	}
	for _, i := range v.Items {
		n := rapid.IntRange(-5, 120).Draw(t, "number")
		switch rapid.IntRange(0, 3).Draw(t, string(i.Code)) {
		case 0:
			a.Form.Declarations = append(a.Form.Declarations, handover.Declaration{Item: i.Code, Answer: pick("answer", i.Answers...)})
		case 1:
			a.Form.Declarations = append(a.Form.Declarations, handover.Declaration{Item: i.Code, Number: &n})
		case 2:
			a.Form.Declarations = append(a.Form.Declarations, handover.Declaration{Item: i.Code, On: "2025-03-02"})
		}
	}
	return a
}

func TestJudge_AnyApplicationGetsSpeakingRulings(t *testing.T) {
	for _, name := range profile.Names() {
		for _, v := range load(t, name).Versions() {
			rapid.Check(t, func(t *rapid.T) {
				a := drawn(t, v)
				rulings := v.Judge(a)
				require.Equal(t, rulings, v.Judge(a))
				for _, r := range rulings {
					require.Equal(t, r.Status == profile.NotAnswered, len(r.Missing) > 0)
					require.Equal(t, r.Status != profile.Satisfied, r.Hint.In("en") != "" && r.Hint.In("de") != "")
					for _, m := range r.Missing {
						_, known := v.Item(m)
						require.True(t, known || m == "AGE_MONTHS" || m == "BIRTH_YEAR", m)
					}
				}
			})
		}
	}
}

// One more answer never takes a certainty back: what was satisfied or refused without it stays so.
func TestJudge_AnswersOnlyAddCertainty(t *testing.T) {
	v := version(t, "regular-2025")
	rapid.Check(t, func(t *rapid.T) {
		a := drawn(t, v)
		before := statuses(v.Judge(a))
		for _, i := range v.Items {
			answered := slices.ContainsFunc(a.Form.Declarations, func(d handover.Declaration) bool { return d.Item == i.Code })
			if !answered && len(i.Answers) > 0 {
				a.Form.Declarations = append(a.Form.Declarations, handover.Declaration{Item: i.Code, Answer: rapid.SampledFrom(i.Answers).Draw(t, "later")})
			}
		}
		after := statuses(v.Judge(a))
		for rule, status := range before {
			if now, still := after[rule]; still && status != profile.NotAnswered {
				require.Equal(t, status, now, rule)
			}
		}
	})
}

func TestDue_CountsAsTheDeadlineSays(t *testing.T) {
	for name, c := range map[string]struct {
		count      int
		unit       handover.Code
		from, want handover.Date
	}{
		"calendar days":              {10, profile.CalendarDays, "2026-02-25", "2026-03-07"},
		"no days":                    {0, profile.CalendarDays, "2026-02-25", "2026-02-25"},
		"working days over weekends": {10, profile.WorkingDays, "2026-02-27", "2026-03-13"},
		"working days from Saturday": {1, profile.WorkingDays, "2026-02-28", "2026-03-02"},
		"months":                     {3, profile.Months, "2026-01-15", "2026-04-14"},
		"months from the 31st":       {3, profile.Months, "2026-01-31", "2026-04-30"},
		"months from the 1st":        {3, profile.Months, "2026-01-01", "2026-03-31"},
		"month to February":          {1, profile.Months, "2028-01-30", "2028-02-29"},
	} {
		t.Run(name, func(t *testing.T) {
			due, err := profile.Deadline{Count: c.count, Unit: c.unit}.Due(c.from)
			require.NoError(t, err)
			require.Equal(t, c.want, due)
		})
	}
	for _, from := range []handover.Date{"", "soon", "2100-12-30"} {
		_, err := profile.Deadline{Count: 10, Unit: profile.CalendarDays}.Due(from)
		require.Equal(t, fault.Park, fault.KindOf(err))
	}
}

func TestRate_IsDatedAndBillableByItsCondition(t *testing.T) {
	v := version(t, "regular-2025")
	for day, want := range map[handover.Date]int64{"2016-03-14": 22700, "2025-01-31": 22700, "2025-02-01": 30000} {
		r, ok := v.Rate("IV", day)
		require.True(t, ok)
		require.Equal(t, want, r.AmountCents)
	}
	_, ok := v.Rate("IV", "2016-03-13")
	require.False(t, ok)
	r, _ := v.Rate("ALV", "2026-03-02")
	a := base(t, v, "H", "SH>ALV")
	require.True(t, v.Billable(r, a.Application))
	a.Form.Situation.RegisteredJobseeker = true
	require.False(t, v.Billable(r, a.Application), "registered before the handover")
	iv, _ := v.Rate("IV", "2026-03-02")
	a.answer("IV_PROCEDURE", "")
	require.False(t, v.Billable(iv, a.Application), "not known counts as not billable")
}

func TestWords_StandInBothLanguages(t *testing.T) {
	v := version(t, "regular-2025")
	require.Equal(t, "In Prüfung", v.State(handover.UnderReview).In("de"))
	require.Equal(t, "No case", v.State(handover.NoCase).In("en"))
	require.Equal(t, "Closure", v.Message("case-closed").In("en"))
	require.Equal(t, "Kein intaktes Arbeitsangebot", v.Word("rejection", "NO_INTACT_WORK_OFFER").In("de"))
	require.Equal(t, "Closure", v.Message("case-closed").In("rm", "en"))
	require.Empty(t, v.Message("case-closed").In("rm"))
	require.Nil(t, v.Word("rejection", "X"))
	require.Nil(t, v.Codes("no-such-list"))
}
