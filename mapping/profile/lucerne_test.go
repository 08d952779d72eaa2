package profile_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/mapping/profile"
	"github.com/stretchr/testify/require"
)

type code = handover.Code

// loaded keeps what was loaded; profiles never change.
var loaded sync.Map

func load(t testing.TB, name string) *profile.Profile {
	t.Helper()
	if p, ok := loaded.Load(name); ok {
		return p.(*profile.Profile)
	}
	p, err := profile.Load(name)
	require.NoError(t, err)
	loaded.Store(name, p)
	return p
}

func version(t testing.TB, name string) profile.Version {
	t.Helper()
	v, ok := load(t, "lucerne").Version(name)
	require.True(t, ok)
	return v
}

// application is an application that is in order, if its direction is.
type application struct{ profile.Application }

// answer sets or replaces an answer; a number and a day are written as "=20" and "@2026-01-31", "" takes the answer away.
func (a *application) answer(item code, with string) {
	a.Form.Declarations = slices.DeleteFunc(slices.Clone(a.Form.Declarations), func(d handover.Declaration) bool { return d.Item == item })
	d := handover.Declaration{Item: item}
	switch {
	case with == "":
		return
	case with[0] == '@':
		d.On = handover.Date(with[1:])
	case with[0] == '=':
		n := 0
		_, _ = fmt.Sscanf(with, "=%d", &n)
		d.Number = &n
	default:
		d.Answer = code(with)
	}
	a.Form.Declarations = append(a.Form.Declarations, d)
}

// good are answers that no rule objects to, for handovers to an agency that wants an intact work offer.
func good() map[code]string {
	return map[code]string{
		"CASE_LEADERSHIP_MOVES": "YES", "INTACT_WORK_OFFER": "YES", "WORK_OFFER_WILLING": "CONFIRMED", "WORK_OFFER_ABLE": "CONFIRMED",
		"WORK_OFFER_VIRTUES": "CONFIRMED", "COMPULSORY_SCHOOL": "FINISHED", "WORK_PERMIT": "CITIZEN", "WORK_CAPACITY_PERCENT": "=80", "IV_PROCEDURE": "NONE",
		"IV_CLAIM_CLARIFICATION": "CLOSED", "IV_PENSION_QUESTION": "SETTLED", "IV_APPEAL": "NONE", "WILL_REGISTER": "YES", "EVER_REGISTERED": "NO",
		"WANTS_AND_CAN_WORK": "CONFIRMED", "HIGH_SUPPORT_NEED": "CONFIRMED", "IV_RELEVANT_DAMAGE": "NO", "IV_REJECTION": "NONE", "MEDICAL_CLARIFICATION": "NOT_NEEDED",
		"WORK_ABILITY_ATTESTED": "YES", "SOCIAL_IMPEDIMENT_DEBTS": "YES", "SOCIAL_ASSISTANCE_CLAIM": "YES", "JOB_SEARCH_AGREEMENT": "AT_TRANSFER_MEETING",
	}
}

// situations say who belongs to which group, beside the state of the IV procedure.
func situations() map[code]handover.Situation {
	ale := handover.Situation{UnemploymentBenefit: true, RegisteredJobseeker: true}
	return map[code]handover.Situation{
		"A": {}, "B": ale, "C": {}, "D": {SocialCounselling: true}, "E": {EconomicAssistance: true}, "F": ale, "G": ale, "H": {EconomicAssistance: true},
		"I": {UnemploymentBenefit: true, RegisteredJobseeker: true, EconomicAssistance: true},
	}
}

func procedures() map[code]string {
	return map[code]string{"A": "CLOSED", "B": "CLOSED", "C": "RUNNING", "D": "RUNNING"}
}

// base is an application of a group in a direction, written "SH>ALV".
func base(t testing.TB, v profile.Version, group code, direction string) *application {
	t.Helper()
	from, to, _ := strings.Cut(direction, ">")
	born, err := personal.ParseDate("1985-04-01")
	require.NoError(t, err)
	a := &application{profile.Application{
		Assigning: profile.Party{Organisation: "o1", Agency: code(from)}, Receiving: profile.Party{Organisation: "o2", Agency: code(to)}, Responsible: true,
		Form: handover.ApplicationSubmitted{
			Assigning: "o1", Receiving: "o2", Process: "OPTIMA_" + code(to), TargetGroup: group, AppliedOn: v.ValidFrom, PlannedMonths: 6,
			Person: handover.Person{DateOfBirth: born, Sex: handover.Male}, Situation: situations()[group],
			Consent: handover.Consent{Kind: "CONSENT", GivenOn: v.ValidFrom},
		},
	}}
	for item, with := range good() {
		if _, asked := v.Item(item); asked {
			a.answer(item, with)
		}
	}
	if with, ok := procedures()[group]; ok {
		a.answer("IV_PROCEDURE", with)
	}
	if to == "SH" {
		a.answer("INTACT_WORK_OFFER", "NO")
		a.Receiving.Offers = []code{"CASE_LEADERSHIP"}
	}
	return a
}

// statuses lists what came out, by rule.
func statuses(rulings []profile.Ruling) map[string]profile.Status {
	out := map[string]profile.Status{}
	for _, r := range rulings {
		out[r.Rule] = r.Status
	}
	return out
}

func blocked(rulings []profile.Ruling) []string {
	var ids []string
	for _, r := range rulings {
		if r.Blocks() {
			ids = append(ids, r.Rule)
		}
	}
	return ids
}

// The concept itself says that the RAV cannot use OPTIMA-IV until the law is changed (C 7.2).
func TestLucerne_EveryAllowedDirectionIsAdmissible(t *testing.T) {
	count := map[string]int{}
	for _, v := range load(t, "lucerne").Versions() {
		for _, g := range v.Groups {
			for _, d := range g.Directions {
				name := string(d.From + ">" + d.To)
				t.Run(v.Name+" "+string(g.Code)+" "+name, func(t *testing.T) {
					a := base(t, v, g.Code, name)
					require.NoError(t, v.Check(a.Form))
					rulings := v.Judge(a.Application)
					var want []string
					if v.Name == "concept-2016" && name == "ALV>IV" {
						want = []string{"IV9", "IV10"}
					}
					require.Equal(t, want, blocked(rulings))
					require.Equal(t, want == nil, profile.Admissible(rulings))
				})
				count[v.Name]++
			}
		}
	}
	require.Equal(t, map[string]int{"concept-2016": 12, "pilot-2018": 11, "regular-2025": 11}, count)
}

func answering(item code, with string) func(*application) {
	return func(a *application) { a.answer(item, with) }
}

func asItIs(*application) {}

// The outcomes, short enough for a table.
const (
	ok, no, warn, silent = profile.Satisfied, profile.Refused, profile.Warned, profile.NotAnswered
	nothing              = profile.Status("") // the rule has no say
	later                = "pilot-2018 regular-2025"
)

func offers(codes ...code) func(*application) {
	return func(a *application) { a.Receiving.Offers = codes }
}

func examples() []example {
	return slices.Concat(
		commonExamples(), threeAgencies(), impediments(), members(), workOfferExamples(), ageExamples(), unemploymentExamples(), disabilityExamples(), socialExamples(), groupExamples(), elsewhere(),
	)
}

func commonExamples() []example {
	same := func(a *application) { a.Assigning.Agency = "ALV" }
	return []example{
		{"G1", "", "H", "SH>ALV", asItIs, ok},
		{"G1", "", "H", "SH>ALV", func(a *application) { a.Responsible = false }, no},
		{"G1", "", "I", "SH>SH", func(a *application) { a.Responsible = false }, nothing},
		{"G2", "", "H", "SH>ALV", asItIs, ok},
		{"G2", "", "H", "SH>ALV", func(a *application) { a.Form.Consent.Kind = "INFORMED" }, no},
		{"G2", "", "A", "IV>ALV", func(a *application) { a.Form.Consent.Kind = "INFORMED" }, ok},
		{"G2", "", "H", "SH>ALV", func(a *application) { a.Form.Consent.GivenOn = "" }, no},
		{"G2", "", "H", "SH>ALV", same, no}, // no ground is known between two unemployment offices
		{"G3", "", "H", "SH>ALV", asItIs, ok},
		{"G3", "", "H", "SH>ALV", answering("CASE_LEADERSHIP_MOVES", "NO"), no},
		{"G3", "", "H", "SH>ALV", answering("CASE_LEADERSHIP_MOVES", ""), silent},
		{"G4", "", "G", "ALV>SH", asItIs, ok},
		{"G4", "", "H", "SH>ALV", func(a *application) { a.Form.Situation.DisabilityMeasures = true }, no},
		{"G4", "", "E", "SH>IV", func(a *application) { a.Form.Situation.RegisteredJobseeker = true }, no},
		{"G4", "", "F", "ALV>IV", func(a *application) { a.Form.Situation.EconomicAssistance = true }, no},
		{"G5", "", "H", "SH>ALV", asItIs, ok},
		{"G5", "", "G", "SH>ALV", asItIs, no},
		{"G5", "", "Z", "SH>ALV", asItIs, no},
		{"G5", "", "H", "SH>ALV", func(a *application) { a.Form.Process = "OPTIMA_SH" }, no},
		{"G5", "concept-2016", "D", "SH>IV", asItIs, ok},
		{"G5", later, "D", "SH>IV", asItIs, no},
		{"G5", "concept-2016", "I", "SH>SH", asItIs, no},
		{"G5", later, "I", "SH>SH", asItIs, ok},
		{"G5", later, "I", "SH>SH", func(a *application) { a.Receiving.Organisation = a.Assigning.Organisation }, no},
		{"G5a", "", "H", "SH>ALV", asItIs, ok},
		{"G5a", "", "I", "SH>SH", asItIs, warn},
		{"G6", "", "H", "SH>ALV", asItIs, ok},
		{"G6", "", "H", "SH>ALV", func(a *application) { a.Receiving.Full = true }, warn},
	}
}

func workOfferExamples() []example {
	return []example{
		{"IWO1", "", "H", "SH>ALV", asItIs, ok},
		{"IWO1", "", "E", "SH>IV", answering("WORK_OFFER_WILLING", "NOT_CONFIRMED"), no},
		{"IWO1", "", "H", "SH>ALV", answering("WORK_OFFER_WILLING", ""), silent},
		{"IWO2", "", "H", "SH>ALV", asItIs, ok},
		{"IWO2", "", "H", "SH>ALV", answering("WORK_OFFER_ABLE", "NOT_CONFIRMED"), no},
		{"IWO2", "", "E", "SH>IV", answering("WORK_OFFER_ABLE", "NOT_CONFIRMED"), no},
		{"IWO3", "", "H", "SH>ALV", asItIs, ok},
		{"IWO3", "", "H", "SH>ALV", answering("WORK_PERMIT", "EXPECTED"), ok},
		{"IWO3", "", "H", "SH>ALV", answering("WORK_PERMIT", "NONE"), no},
		{"IWO3", "", "H", "SH>ALV", answering("COMPULSORY_SCHOOL", "NOT_FINISHED"), no},
		{"IWO3", "", "E", "SH>IV", answering("COMPULSORY_SCHOOL", "NOT_FINISHED"), no},
		{"IWO4", "", "H", "SH>ALV", asItIs, ok},
		{"IWO4", "", "H", "SH>ALV", answering("WORK_OFFER_VIRTUES", "NOT_CONFIRMED"), no},
		{"IWO4", "", "E", "SH>IV", answering("WORK_OFFER_VIRTUES", "NOT_CONFIRMED"), no},
	}
}

func unemploymentExamples() []example {
	return []example{
		{"ALV1", "", "H", "SH>ALV", asItIs, ok},
		{"ALV1", "", "G", "SH>ALV", asItIs, no},
		{"ALV1", "", "G", "ALV>ALV", asItIs, ok},
		{"ALV2", "", "H", "SH>ALV", answering("WORK_CAPACITY_PERCENT", "=20"), ok},
		{"ALV2", "", "H", "SH>ALV", answering("WORK_CAPACITY_PERCENT", "=19"), no},
		{"ALV2", "", "H", "SH>ALV", answering("WORK_CAPACITY_PERCENT", "=0"), no},
		{"ALV2", "", "H", "SH>ALV", answering("WORK_CAPACITY_PERCENT", "=101"), silent},
		{"ALV2", "", "H", "SH>ALV", answering("INTACT_WORK_OFFER", "NO"), no},
		{"ALV3", "", "A", "IV>ALV", asItIs, ok},
		{"ALV3", "", "A", "IV>ALV", answering("IV_PROCEDURE", "RUNNING"), ok},
		{"ALV3", "", "A", "IV>ALV", answering("IV_CLAIM_CLARIFICATION", "RUNNING"), no},
		{"ALV3", "", "H", "SH>ALV", answering("IV_CLAIM_CLARIFICATION", ""), ok},
		{"ALV4", "", "A", "IV>ALV", asItIs, ok},
		{"ALV4", "", "A", "IV>ALV", func(a *application) { a.Form.Situation.DisabilityMeasures = true }, no},
		{"ALV5", "", "A", "IV>ALV", asItIs, ok},
		{"ALV5", "", "A", "IV>ALV", answering("IV_PENSION_QUESTION", "OPEN"), no},
		{"ALV5", "", "H", "SH>ALV", answering("IV_PENSION_QUESTION", ""), ok},
		{"ALV6", "", "A", "IV>ALV", asItIs, ok},
		{"ALV6", "", "A", "IV>ALV", answering("IV_APPEAL", "RUNNING"), no},
		{"ALV6", "", "H", "SH>ALV", answering("IV_APPEAL", ""), ok},
		{"ALV7", "", "H", "SH>ALV", asItIs, ok},
		{"ALV7", "", "H", "SH>ALV", answering("WILL_REGISTER", "NO"), no},
		{"ALV7", "", "I", "SH>ALV", answering("WILL_REGISTER", ""), ok},
		{"ALV8", "", "H", "SH>ALV", asItIs, ok},
		{"ALV8", "", "H", "SH>ALV", func(a *application) { a.Form.Situation.RegisteredJobseeker = true }, warn},
		{"ALV8", "pilot-2018", "H", "SH>ALV", func(a *application) {
			a.answer("EVER_REGISTERED", "YES")
			a.answer("LAST_REGISTERED_ON", "@2018-03-31")
		}, ok},
		{"ALV8", "pilot-2018", "H", "SH>ALV", func(a *application) {
			a.answer("EVER_REGISTERED", "YES")
			a.answer("LAST_REGISTERED_ON", "@2018-04-01")
		}, warn},
		{"ALV8", "", "H", "SH>ALV", answering("EVER_REGISTERED", ""), silent},
		{"ALV8", "regular-2025", "H", "SH>ALV", func(a *application) {
			a.answer("EVER_REGISTERED", "YES")
			a.answer("LAST_REGISTERED_ON", "@2024-07-31")
		}, ok},
		{"ALV8", "", "H", "IV>ALV", asItIs, nothing},
		{"ALV8", "", "H", "SH>IV", asItIs, nothing},
		{"ALV8", "", "I", "SH>ALV", asItIs, nothing},
	}
}

func disabilityExamples() []example {
	return []example{
		{"IV1", "", "E", "SH>IV", asItIs, ok},
		{"IV1", "", "F", "ALV>IV", asItIs, ok},
		{"IV1", "", "F", "SH>IV", asItIs, no},
		{"IV1", "", "E", "ALV>IV", asItIs, no},
		{"IV1", "concept-2016", "D", "SH>IV", asItIs, ok},
		{"IV1", later, "D", "SH>IV", asItIs, no},
		{"IV2", "", "E", "SH>IV", asItIs, ok},
		{"IV2", "", "E", "SH>IV", answering("INTACT_WORK_OFFER", "NO"), no},
		{"IV3", "", "E", "SH>IV", asItIs, ok},
		{"IV3", "", "E", "SH>IV", answering("WANTS_AND_CAN_WORK", "NOT_CONFIRMED"), no},
		{"IV4", "", "E", "SH>IV", asItIs, ok},
		{"IV4", "", "E", "SH>IV", answering("HIGH_SUPPORT_NEED", "NOT_CONFIRMED"), no},
		{"IV5", "", "E", "SH>IV", asItIs, ok},
		{"IV5", "", "E", "SH>IV", answering("IV_RELEVANT_DAMAGE", "SUSPECTED"), no},
		{"IV6", "concept-2016", "E", "SH>IV", asItIs, ok},
		{"IV6", "concept-2016", "E", "SH>IV", answering("IV_PROCEDURE", "CLOSED"), warn},
		{"IV6", later, "E", "SH>IV", answering("IV_REJECTION", ""), ok},
		{"IV6", later, "B", "ALV>IV", asItIs, ok},
		{"IV6", "pilot-2018", "B", "ALV>IV", func(a *application) { a.answer("IV_REJECTION", "REJECTED"); a.answer("IV_REJECTED_ON", "@2017-09-30") }, ok},
		{"IV6", "pilot-2018", "B", "ALV>IV", func(a *application) { a.answer("IV_REJECTION", "REJECTED"); a.answer("IV_REJECTED_ON", "@2017-10-01") }, no},
		{"IV6", "regular-2025", "B", "ALV>IV", func(a *application) { a.answer("IV_REJECTION", "REJECTED"); a.answer("IV_REJECTED_ON", "@2024-01-31") }, ok},
		{"IV6", "regular-2025", "B", "ALV>IV", func(a *application) { a.answer("IV_REJECTION", "REJECTED"); a.answer("IV_REJECTED_ON", "@2024-02-01") }, no},
		{"IV6", later, "B", "ALV>IV", answering("IV_REJECTION", "REJECTED"), silent},
		{"IV7", "", "E", "SH>IV", asItIs, ok},
		{"IV7", "", "B", "ALV>IV", answering("IV_PROCEDURE", "RUNNING"), no},
		{"IV8", "", "E", "SH>IV", asItIs, ok},
		{"IV8", "", "E", "SH>IV", answering("MEDICAL_CLARIFICATION", "NEEDED"), no},
		{"IV8", "regular-2025", "E", "SH>IV", answering("WORK_ABILITY_ATTESTED", "NO"), no},
		{"IV9", "concept-2016", "F", "ALV>IV", asItIs, no},
		{"IV9", later, "F", "ALV>IV", asItIs, ok},
		{"IV10", "concept-2016", "B", "ALV>IV", asItIs, no},
		{"IV10", later, "B", "ALV>IV", asItIs, ok},
	}
}

func socialExamples() []example {
	return []example{
		{"SH1", "", "G", "ALV>SH", asItIs, ok},
		{"SH1", "", "C", "IV>SH", asItIs, ok},
		{"SH1", "", "H", "ALV>SH", asItIs, no}, // the slip of C 3.2.3
		{"SH1", "", "G", "IV>SH", asItIs, no},
		{"SH1", "", "C", "ALV>SH", asItIs, no},
		{"SH1", "", "I", "SH>SH", asItIs, nothing},
		{"SH1", "", "G", "ALV>IV", asItIs, nothing},
		{"SH2", "", "G", "ALV>SH", asItIs, ok},
		{"SH2", "", "G", "ALV>SH", func(a *application) {
			for _, item := range []code{"ADDICTION", "FAMILY", "CHILD_CARE", "EVENTS", "DEBTS"} {
				a.answer("SOCIAL_IMPEDIMENT_"+item, "NO")
			}
		}, no},
		{"SH2", "", "G", "ALV>SH", answering("SOCIAL_IMPEDIMENT_DEBTS", "NO"), silent},
		{"SH3", "", "G", "ALV>SH", asItIs, ok},
		{"SH3", "", "G", "ALV>SH", answering("SOCIAL_ASSISTANCE_CLAIM", "NO"), no},
		{"SH3", "", "I", "ALV>SH", answering("SOCIAL_ASSISTANCE_CLAIM", ""), ok},
		{"SH3", "", "D", "IV>SH", answering("SOCIAL_ASSISTANCE_CLAIM", ""), ok},
		{"SH4", "", "G", "ALV>SH", asItIs, ok},
		{"SH4", "", "C", "IV>SH", offers(), no},
		{"SH4", "", "D", "IV>SH", offers(), nothing},
		{"SH4", "", "I", "ALV>SH", offers(), nothing},
		{"SH5", "", "G", "ALV>SH", asItIs, ok},
		{"SH5", "", "I", "ALV>SH", offers("CASE_LEADERSHIP", "ADDICTION_ONLY"), no},
		{"SH6", "", "I", "ALV>SH", offers("CASE_LEADERSHIP", "ONLY_WITH_ECONOMIC_ASSISTANCE"), ok},
		{"SH6", "", "G", "ALV>SH", offers("CASE_LEADERSHIP", "ONLY_WITH_ECONOMIC_ASSISTANCE"), no},
		{"SH6", "", "G", "ALV>SH", asItIs, ok},
		{"SH7", "", "G", "ALV>SH", asItIs, ok},
		{"SH7", "", "C", "IV>SH", answering("INTACT_WORK_OFFER", "YES"), no},
		{"SH7", "concept-2016", "I", "ALV>SH", asItIs, nothing},
		{"SH7", "concept-2016", "G", "ALV>IV", asItIs, nothing},
		{"SH8", "", "G", "ALV>SH", answering("JOB_SEARCH_AGREEMENT", "SIGNED"), ok},
		{"SH8", "", "G", "ALV>SH", answering("JOB_SEARCH_AGREEMENT", "NO"), no},
		{"SH8", "", "C", "IV>SH", asItIs, nothing},
		{"SH8", "", "G", "ALV>IV", asItIs, nothing},
	}
}

func groupExamples() []example {
	return []example{
		{"GROUP-A", "", "A", "IV>ALV", asItIs, ok},
		{"GROUP-A", "", "A", "IV>ALV", answering("IV_PROCEDURE", "NONE"), no},
		{"GROUP-B", "", "B", "IV>ALV", asItIs, ok},
		{"GROUP-B", "", "B", "IV>ALV", func(a *application) { a.Form.Situation.UnemploymentBenefit = false }, no},
		{"GROUP-C", "", "C", "IV>SH", asItIs, ok},
		{"GROUP-C", "", "C", "IV>SH", func(a *application) { a.Form.Situation.SocialCounselling = true }, no},
		{"GROUP-D", "", "D", "IV>SH", asItIs, ok},
		{"GROUP-D", "", "D", "IV>SH", answering("IV_PROCEDURE", "CLOSED"), no},
		{"GROUP-E", "", "E", "SH>IV", asItIs, ok},
		{"GROUP-E", "", "E", "SH>IV", answering("IV_RELEVANT_DAMAGE", "YES"), no},
		{"GROUP-F", "", "F", "ALV>IV", asItIs, ok},
		{"GROUP-F", "", "F", "ALV>IV", func(a *application) { a.Form.Situation.UnemploymentBenefit = false }, no},
		{"GROUP-G", "", "G", "ALV>SH", asItIs, ok},
		{"GROUP-G", "", "G", "ALV>SH", func(a *application) { a.Form.Situation.EconomicAssistance = true }, no},
		{"GROUP-H", "", "H", "SH>ALV", asItIs, ok},
		{"GROUP-H", "", "H", "SH>ALV", func(a *application) { a.Form.Situation.UnemploymentBenefit = true }, no},
		{"GROUP-I", "", "I", "SH>ALV", asItIs, ok},
		{"GROUP-I", "", "I", "SH>ALV", func(a *application) { a.Form.Situation.EconomicAssistance = false }, no},
	}
}

func TestLucerne_CaseBetweenSocialServicesIsARulingNotACrash(t *testing.T) {
	for name, want := range map[string][]string{"concept-2016": {"G5"}, "pilot-2018": nil, "regular-2025": nil} {
		v := version(t, name)
		require.Equal(t, want, blocked(v.Judge(base(t, v, "I", "SH>SH").Application)), name)
	}
}
