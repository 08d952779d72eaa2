package profile_test

import (
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/mapping/profile"
)

// elsewhere shows where rules have no say: in other processes, and in cases with a running IV procedure, which the concept does not ask for a work offer (C 3.2.2).
func elsewhere() []example {
	var all []example
	say := func(group code, direction string, change func(*application), rules ...string) {
		for _, r := range rules {
			all = append(all, example{r, "", group, direction, change, nothing})
		}
	}
	say("G", "ALV>SH", asItIs, "ALV1", "ALV2", "ALV3", "ALV4", "ALV5", "ALV6", "ALV7", "IWO1", "IWO2", "IWO3", "IWO4")
	say("G", "ALV>SH", asItIs, "IV1", "IV2", "IV3", "IV4", "IV5", "IV6", "IV7", "IV8")
	say("H", "SH>ALV", asItIs, "SH1", "SH2", "SH3", "SH4", "SH5", "SH6", "SH7", "SH8")
	running := answering("IV_PROCEDURE", "RUNNING")
	say("E", "SH>IV", running, "IV2", "IV3", "IV4", "IV5", "IWO1", "IWO2", "IWO3", "IWO4")
	return all
}

// unlike changes what is said of the person.
func unlike(change func(*handover.Situation)) func(*application) {
	return func(a *application) { change(&a.Form.Situation) }
}

// threeAgencies shows each way in which an agency may be a third one.
func threeAgencies() []example {
	measures := func(s *handover.Situation) { s.DisabilityMeasures = true }
	return []example{
		{"G4", "", "F", "ALV>IV", asItIs, ok},
		{"G4", "", "E", "SH>IV", asItIs, ok},
		{"G4", "", "H", "SH>ALV", unlike(func(s *handover.Situation) { *s = handover.Situation{DisabilityMeasures: true} }), no},
		{"G4", "", "G", "ALV>SH", unlike(measures), no},
		{"G4", "", "G", "ALV>SH", unlike(func(s *handover.Situation) { *s = handover.Situation{DisabilityMeasures: true} }), no},
		{"G4", "", "F", "ALV>IV", unlike(func(s *handover.Situation) { s.SocialCounselling = true }), no},
		{"G4", "", "E", "SH>IV", unlike(func(s *handover.Situation) { s.UnemploymentBenefit = true }), no},
		{"G4", "", "A", "IV>ALV", unlike(func(s *handover.Situation) { s.EconomicAssistance = true }), no},
		{"G4", "", "H", "SH>ALV", answering("IV_PROCEDURE", "RUNNING"), no},
	}
}

// impediments shows that each social impediment alone is enough.
func impediments() []example {
	var all []example
	for _, only := range []code{"ADDICTION", "FAMILY", "CHILD_CARE", "EVENTS", "DEBTS"} {
		all = append(all, example{"SH2", "", "G", "ALV>SH", func(a *application) {
			for _, item := range []code{"ADDICTION", "FAMILY", "CHILD_CARE", "EVENTS", "DEBTS"} {
				a.answer("SOCIAL_IMPEDIMENT_"+item, "NO")
			}
			a.answer("SOCIAL_IMPEDIMENT_"+only, "YES")
		}, ok})
	}
	return all
}

// members shows each part of the definitions of target groups.
func members() []example {
	counselled := func(s *handover.Situation) { s.SocialCounselling, s.EconomicAssistance = true, false }
	assisted := func(s *handover.Situation) { s.SocialCounselling, s.EconomicAssistance = false, true }
	alone := func(s *handover.Situation) { s.SocialCounselling, s.EconomicAssistance = false, false }
	insured := func(s *handover.Situation) { s.UnemploymentBenefit = true }
	uninsured := func(s *handover.Situation) { s.UnemploymentBenefit = false }
	all := []example{
		{"GROUP-A", "", "A", "IV>ALV", unlike(insured), no},
		{"GROUP-B", "", "B", "IV>ALV", answering("IV_PROCEDURE", "NONE"), no},
		{"GROUP-C", "", "C", "IV>SH", unlike(assisted), no},
		{"GROUP-C", "", "C", "IV>SH", answering("IV_PROCEDURE", "CLOSED"), no},
		{"GROUP-E", "", "E", "SH>IV", answering("IV_PROCEDURE", "RUNNING"), no},
		{"GROUP-F", "", "F", "ALV>IV", answering("IV_PROCEDURE", "RUNNING"), no},
		{"GROUP-F", "", "F", "ALV>IV", answering("IV_RELEVANT_DAMAGE", "YES"), no},
		{"GROUP-G", "", "G", "ALV>SH", unlike(counselled), no},
		{"GROUP-G", "", "G", "ALV>SH", unlike(uninsured), no},
		{"GROUP-I", "", "I", "SH>ALV", unlike(uninsured), no},
	}
	for group, direction := range map[code]string{"D": "IV>SH", "E": "SH>IV", "H": "SH>ALV", "I": "SH>ALV"} {
		rule := "GROUP-" + string(group)
		all = append(all, example{rule, "", group, direction, unlike(counselled), ok}, example{rule, "", group, direction, unlike(assisted), ok},
			example{rule, "", group, direction, unlike(alone), no})
	}
	return all
}

// ageExamples show that the age limit moves with the year of birth and is met on the day of the application. The rule is the same in every version.
func ageExamples() []example {
	var all []example
	for _, c := range []struct {
		sex, born, applied string
		want               profile.Status
	}{
		{"MALE", "1961-03-01", "2026-02-28", ok},
		{"MALE", "1961-03-01", "2026-03-01", no},
		{"UNKNOWN", "1961-03-02", "2026-03-01", ok},
		{"MALE", "1955-03-01", "2020-02-28", ok}, // before women's age limit moved
		{"FEMALE", "1955-03-01", "2019-02-28", ok},
		{"FEMALE", "1955-03-01", "2019-03-01", no},
		{"FEMALE", "1961-03-01", "2025-05-31", ok},
		{"FEMALE", "1961-03-01", "2025-06-01", no},
		{"FEMALE", "1962-03-01", "2026-08-31", ok},
		{"FEMALE", "1962-03-01", "2026-09-01", no},
		{"FEMALE", "1963-01-31", "2027-10-30", ok},
		{"FEMALE", "1963-01-31", "2027-10-31", no},
		{"FEMALE", "1964-01-01", "2028-12-31", ok},
		{"FEMALE", "1964-01-01", "2029-01-01", no},
		{"FEMALE", "1960-12-31", "2025-02-01", no},
	} {
		all = append(all, example{"IWO3", "", "H", "SH>ALV", func(a *application) {
			a.Form.Person.DateOfBirth, _ = personal.ParseDate(c.born)
			a.Form.Person.Sex, a.Form.AppliedOn = code(c.sex), handover.Date(c.applied)
		}, c.want})
	}
	return all
}
