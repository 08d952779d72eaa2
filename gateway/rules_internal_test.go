package gateway

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/gateway/config"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

func sample(t *testing.T) *rules {
	t.Helper()
	return load(t, "../deploy/examples/directory-lucerne.yaml")
}

func load(t *testing.T, directory string) *rules {
	t.Helper()
	all := map[handover.SystemID]*config.System{}
	for _, id := range []handover.SystemID{"avam", "osiv", "ivdossier", "klib", "tutoris", "casenet"} {
		all[id] = &config.System{}
	}
	r, err := loadRules(config.Config{Profile: "lucerne", Directory: directory, Systems: all})
	require.NoError(t, err)
	return r
}

// groupH is an application from a social service to the unemployment office that the rules of 2026 admit.
func groupH(t *testing.T, change ...func(*handover.ApplicationSubmitted)) handover.Message {
	t.Helper()
	birth, err := personal.ParseDate("1985-05-17")
	require.NoError(t, err)
	capacity := 100
	form := handover.ApplicationSubmitted{
		Assigning: "sd-kriens", Process: "OPTIMA_ALV", TargetGroup: "H", AppliedOn: "2026-03-02",
		Person: handover.Person{
			OfficialName: "Muster", FirstName: "Rahel", DateOfBirth: birth, Sex: handover.Female,
			Address: handover.Address{Zip: "6010", Town: "Kriens", Municipality: 1059},
		},
		Situation: handover.Situation{SocialCounselling: true, EconomicAssistance: true},
		Consent:   handover.Consent{Kind: "CONSENT", GivenOn: "2026-03-01"}, PlannedMonths: 6, Goal: "Arbeit", Reason: "Stellensuche", Contact: handover.Contact{Name: "Vera Amrein"},
		Declarations: []handover.Declaration{
			{Item: "CASE_LEADERSHIP_MOVES", Answer: "YES"}, {Item: "WORK_OFFER_WILLING", Answer: "CONFIRMED"}, {Item: "WORK_OFFER_ABLE", Answer: "CONFIRMED"},
			{Item: "WORK_OFFER_VIRTUES", Answer: "CONFIRMED"}, {Item: "INTACT_WORK_OFFER", Answer: "YES"}, {Item: "COMPULSORY_SCHOOL", Answer: "FINISHED"},
			{Item: "WORK_PERMIT", Answer: "CITIZEN"}, {Item: "WORK_CAPACITY_PERCENT", Number: &capacity}, {Item: "IV_PROCEDURE", Answer: "NONE"},
			{Item: "WILL_REGISTER", Answer: "YES"}, {Item: "EVER_REGISTERED", Answer: "NO"},
		},
	}
	for _, c := range change {
		c(&form)
	}
	return handover.Message{Payload: form, Envelope: handover.Envelope{Parties: handover.Parties{Assigning: form.Assigning, Receiving: form.Receiving}}}
}

func findings(o ledger.Opening) []string {
	var all []string
	if o.Check != nil {
		for _, f := range o.Check.Findings {
			all = append(all, f.Rule)
		}
	}
	return all
}

func TestTheReceiverIsTheOneWhoServesThePersonsResidence(t *testing.T) {
	r := sample(t)
	parties, o, err := r.Open(groupH(t))
	require.NoError(t, err)
	require.Equal(t, handover.Parties{Assigning: "sd-kriens", Receiving: "rav-luzern"}, parties)
	require.Empty(t, findings(o), "nothing is against it")
	require.Equal(t, "lucerne/regular-2025", o.Profile)
	require.Equal(t, map[handover.OrganisationID]handover.SystemID{"sd-kriens": "klib", "rav-luzern": "avam"}, o.Works)
	require.Equal(t, handover.Code("REDUCED"), o.During)
	require.Equal(t, handover.Code("FULL"), o.After)
}

func TestACaseIsJudgedByTheVersionOfItsDay(t *testing.T) {
	for day, version := range map[handover.Date]string{"2018-09-30": "lucerne/concept-2016", "2018-10-01": "lucerne/pilot-2018", "2025-02-01": "lucerne/regular-2025"} {
		_, o, err := sample(t).Open(groupH(t, func(a *handover.ApplicationSubmitted) {
			a.AppliedOn, a.Consent.GivenOn, a.Declarations = day, day, nil
		}))
		require.NoError(t, err)
		require.Equal(t, version, o.Profile)
	}
	_, _, err := sample(t).Open(groupH(t, func(a *handover.ApplicationSubmitted) { a.AppliedOn, a.Consent.GivenOn = "2015-01-01", "2015-01-01" }))
	require.Equal(t, fault.Park, fault.KindOf(err))
	require.Equal(t, "no-version", fault.CodeOf(err))
}

// A municipality that nobody serves, and every other reason for which there is no receiver, is answered with whom to ask, in the words of the profile.
func TestWhoeverCannotBeRoutedIsToldWhomToAsk(t *testing.T) {
	for name, test := range map[string]struct {
		change     func(*handover.ApplicationSubmitted)
		rule, hint string
	}{
		"nobody serves the municipality": {func(a *handover.ApplicationSubmitted) {
			a.Process, a.TargetGroup, a.Assigning, a.Person.Address.Municipality = "OPTIMA_SH", "G", "rav-luzern", 1061 // the city is not in that directory
		}, notServed, "041 000 00 03"},
		"an unknown municipality": {func(a *handover.ApplicationSubmitted) { a.Person.Address.Municipality = 9999 }, notServed, "041 000 00 01"},
		"an unknown receiver":     {func(a *handover.ApplicationSubmitted) { a.Receiving = "rav-nirgends" }, notListed, "weglassen"},
		"oneself": {func(a *handover.ApplicationSubmitted) {
			a.Process, a.TargetGroup = "OPTIMA_SH", "I"
		}, oneself, "selbst führen"},
	} {
		t.Run(name, func(t *testing.T) {
			r := sample(t)
			if test.rule == notServed {
				r = load(t, "testdata/directory.yaml")
			}
			parties, o, err := r.Open(groupH(t, test.change))
			require.NoError(t, err)
			require.True(t, o.Returned())
			require.Equal(t, []string{test.rule}, findings(o))
			require.Contains(t, o.Check.Findings[0].Hint, test.hint)
			require.Empty(t, parties.Receiving)
		})
	}
}

func TestAnOldMunicipalityNumberLeadsToTheOneThatItBecame(t *testing.T) {
	parties, _, err := sample(t).Open(groupH(t, func(a *handover.ApplicationSubmitted) { a.Person.Address.Municipality = 1057 })) // Honau, now Root
	require.NoError(t, err)
	require.Equal(t, handover.OrganisationID("rav-luzern"), parties.Receiving)
}

func TestARuleThatRefusesReturnsAndOneThatWarnsDoesNot(t *testing.T) {
	without := func(item handover.Code) func(*handover.ApplicationSubmitted) {
		return func(a *handover.ApplicationSubmitted) {
			for i := range a.Declarations {
				if a.Declarations[i].Item == item {
					a.Declarations = append(a.Declarations[:i:i], a.Declarations[i+1:]...)
					return
				}
			}
		}
	}
	_, o, err := sample(t).Open(groupH(t, without("INTACT_WORK_OFFER")))
	require.NoError(t, err)
	require.True(t, o.Returned())
	require.Contains(t, o.Check.Findings[0].Hint, "INTACT_WORK_OFFER")
	_, o, err = sample(t).Open(groupH(t, without("EVER_REGISTERED"), func(a *handover.ApplicationSubmitted) {
		a.Declarations = append(a.Declarations, handover.Declaration{Item: "EVER_REGISTERED", Answer: "YES"}, handover.Declaration{Item: "LAST_REGISTERED_ON", On: "2026-02-01"})
	}))
	require.NoError(t, err)
	require.False(t, o.Returned())
	require.Equal(t, []string{"ALV8"}, findings(o))
	require.Equal(t, handover.SeverityWarn, o.Check.Findings[0].Severity)
}

// Persons without IV registration stand in the alternative that the concept asks for (P7); which groups those are is data of the directory.
func TestP7_CasesOfPersonsWithoutRegistrationStandBesideOSIV(t *testing.T) {
	for group, system := range map[handover.Code]handover.SystemID{"E": "ivdossier", "F": "ivdossier", "D": "osiv", "B": "osiv"} {
		_, o, err := sample(t).Open(groupH(t, func(a *handover.ApplicationSubmitted) { a.Process, a.TargetGroup = "OPTIMA_IV", group }))
		require.NoError(t, err)
		require.Equal(t, system, o.Works["iv-luzern"], group)
	}
}

func TestTheAnswerFitsIntoItsMessage(t *testing.T) {
	_, o, err := sample(t).Open(groupH(t, func(a *handover.ApplicationSubmitted) { a.Declarations = nil }))
	require.NoError(t, err)
	require.True(t, o.Returned())
	var p handover.ApplicationChecked
	p.Outcome, p.Profile = o.Check.Outcome, o.Profile
	for _, f := range o.Check.Findings {
		p.Findings = append(p.Findings, handover.RuleFinding{Rule: f.Rule, Severity: f.Severity, Reason: f.Reason, Source: f.Source, Text: personal.Text(f.Text), Hint: personal.Text(f.Hint)})
	}
	require.NoError(t, p.Validate())
}

func TestEverythingWrongWithProfileAndDirectoryIsFoundAtOnce(t *testing.T) {
	_, err := loadRules(config.Config{Profile: "luzern", Directory: "testdata/none.yaml"})
	var found fault.Findings
	require.ErrorAs(t, err, &found)
	require.Len(t, found, 2)
	require.Equal(t, fault.Stop, fault.KindOf(err))
	require.True(t, strings.Contains(found.Error(), "profile") && strings.Contains(found.Error(), "none.yaml"))
}

func TestACaseOfAnUnknownVersionWaitsForAPerson(t *testing.T) {
	hint := handover.Message{Payload: handover.SanctionHint{ObservedOn: "2026-01-01", Hint: "x"}}
	_, err := sample(t).Check(hint, "lucerne/of-tomorrow")
	require.Equal(t, "unknown-version", fault.CodeOf(err))
	expects, err := sample(t).Check(hint, "lucerne/pilot-2018")
	require.NoError(t, err)
	require.Nil(t, expects)
	closed := handover.Message{Payload: handover.CaseClosed{ClosedOn: "2026-01-01", Reason: "NOT_A_REASON", Outcome: "SUCCESSFUL"}}
	_, err = sample(t).Check(closed, "lucerne/pilot-2018")
	require.Equal(t, fault.Park, fault.KindOf(err))
}

// A cost approval is to come back within 10 days (concept 3.2.1).
func TestACostApprovalIsExpectedWithinTenDays(t *testing.T) {
	asked := handover.Message{Payload: handover.CostApprovalRequested{}, Envelope: handover.Envelope{Time: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}}
	expects, err := sample(t).Check(asked, "lucerne/regular-2025")
	require.NoError(t, err)
	require.Equal(t, &ledger.Expected{Deadline: "COST_APPROVAL_RETURN", By: "2026-03-12"}, expects)
}

// The mark of what may stand twice is never empty, also in a case that was opened under a version that is not known here.
func TestWhatMayStandTwiceIsAlwaysMarked(t *testing.T) {
	require.NotEmpty(t, sample(t).Repeated("lucerne/regular-2025"))
	require.NotEmpty(t, sample(t).Repeated(""))
	require.NotEmpty(t, sample(t).Repeated("elsewhere/of-tomorrow"))
}
