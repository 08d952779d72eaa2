package osiv

import (
	_ "embed"
	"strconv"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
)

// templates returns the forms of OSIV, by the message that they amount to.
func templates() map[handover.Name]template {
	return map[handover.Name]template{
		"application-submitted":       {"000101", assigning, fillApplication},
		"application-withdrawn":       {"000102", assigning, fillWithdrawal},
		"clarification-requested":     {"000103", receiving, fillQuestion},
		"clarification-answered":      {"000104", assigning, func(m form, f core.Facts) { m.Put("antwort", f.Answer) }},
		"application-decided":         {"000105", receiving, fillDecision},
		"transfer-meeting-scheduled":  {"000106", assigning, fillInvitation},
		"transfer-meeting-recorded":   {"000107", receiving, fillTransferNote},
		"job-search-exemption-signed": {"000108", ours, fillExemption},
		"cost-approval-requested":     {"000109", receiving, fillCostRequest},
		"cost-approval-signed":        {"000110", assigning, fillCostApproval},
		"cost-approval-refused":       {"000111", assigning, fillCostRefusal},
		"cost-approval-reminder":      {"000112", receiving, fillCostReminder},
		"measure-ordered":             {"000113", receiving, fillOrder},
		"measure-completed":           {"000114", receiving, fillMeasureEnd},
		"invoice-forwarded":           {"000115", receiving, fillInvoice},
		"sanction-hint":               {"000116", receiving, fillObservation},
		"review-meeting-scheduled":    {"000117", receiving, fillInvitation},
		"review-meeting-recorded":     {"000118", receiving, fillReviewNote},
		"extra-meeting-requested":     {"000119", assigning, fillExtraMeeting},
		"case-closed":                 {"000120", receiving, fillClosure},
		"consent-withdrawn":           {"000121", ours, func(m form, f core.Facts) { m.Put("widerrufenAm", f.WithdrawnOn) }},
		"application-checked":         {checkKind, gateway, fillCheck},
	}
}

func fillApplication(m form, f core.Facts) {
	m.Put("antragstellendeStelle", string(f.Assigning))
	m.Put("ersuchteStelle", string(f.Receiving))
	m.Code("verfahrensart", f.Process, map[string]string{"OPTIMA_ALV": "ALV", "OPTIMA_IV": "IV", "OPTIMA_SH": "SH"})
	m.Put("zielgruppe", "ZG-"+f.TargetGroup)
	m.Put("gesuchsdatum", f.AppliedOn)
	m.Code("ivAnmeldung", ivProcedure(f), map[string]string{"RUNNING": contract.RegistrationRunning, "CLOSED": contract.RegistrationClosed})
	fillPerson(m.part("versichertePerson"), f.Person)
	s := m.part("situation")
	s.Flag("sozialberatung", f.Situation.SocialCounselling)
	s.Flag("wirtschaftlicheHilfe", f.Situation.EconomicAssistance)
	s.Flag("stellensuchend", f.Situation.RegisteredJobseeker)
	s.Flag("arbeitslosenentschaedigung", f.Situation.UnemploymentBenefit)
	s.Flag("ivMassnahme", f.Situation.DisabilityMeasures)
	fillDeclarations(m, f)
	legal := m.part("rechtsgrundlage")
	legal.Code("art", f.ConsentKind, map[string]string{"CONSENT": "EINW", "INFORMED": "INFO"})
	legal.Put("vom", f.ConsentGivenOn)
	m.Put("dauerMonate", strconv.Itoa(f.PlannedMonths))
	m.Put("zielsetzung", f.Goal)
	m.Put("begruendung", f.Reason)
	m.employee("ansprechperson", &f.Contact)
	m.employee("stellvertretung", f.Deputy)
}

// ivProcedure is the state of the person's IV procedure, empty when nobody asked.
func ivProcedure(f core.Facts) string {
	for _, d := range f.Declarations {
		if d.Item == "IV_PROCEDURE" {
			return d.Answer
		}
	}
	return ""
}

//go:embed words.json
var wordsJSON []byte

// fillDeclarations answers the further questions of the form.
func fillDeclarations(m form, f core.Facts) {
	var words map[string]map[string]string
	if err := strict.JSON(wordsJSON, &words); err != nil {
		return // the file is part of the program, and a test holds that it can be read
	}
	for _, d := range f.Declarations {
		s := m.part("erklaerung")
		s.Code("frage", d.Item, words["frage"])
		s.Code("antwort", d.Answer, words["antwort"])
		if d.Number != nil {
			s.Put("zahl", strconv.Itoa(*d.Number))
		}
		s.Put("tag", d.On)
	}
}

func fillPerson(m form, p core.Person) {
	id := m.part("identifikation")
	id.El.CreateAttr("xmlns:p", contract.PersonNamespace)
	id.Put("p:vn", p.AHV)
	local := id.part("p:localPersonId")
	local.Put("p:personIdCategory", "OSIV.VERSNR")
	local.Put("p:personId", "V2000001")
	id.Put("p:officialName", p.OfficialName)
	id.Put("p:firstName", p.FirstName)
	id.Code("p:sex", p.Sex, map[string]string{"MALE": "1", "FEMALE": "2", "UNKNOWN": "3"})
	id.part("p:dateOfBirth").Put("p:yearMonthDay", p.DateOfBirth)
	lives := m.part("wohnort")
	lives.Put("strasse", p.Street)
	lives.Put("hausnummer", p.HouseNumber)
	lives.Put("plz", p.Zip)
	lives.Put("ort", p.Town)
	lives.Put("gemeindenummer", strconv.Itoa(p.Municipality))
	m.Put("telefon", p.Phone)
	m.Put("email", p.Email)
	m.Code("korrespondenzsprache", p.Language, map[string]string{"DE": "1", "FR": "2", "IT": "3", "EN": "4"})
}

func fillWithdrawal(m form, f core.Facts) {
	m.Put("rueckzugAm", f.WithdrawnOn)
	m.Code("rueckzugsgrund", f.WithdrawalReason, map[string]string{"PERSON_WITHDREW": "21", "AGENCY_WITHDREW": "22", "OTHER": "29"})
}

func fillQuestion(m form, f core.Facts) {
	m.Put("frage", f.Question)
	m.Put("antwortBis", f.AnswerBy)
}

func fillDecision(m form, f core.Facts) {
	m.Code("entscheid", f.Decision, map[string]string{"ACCEPTED": "GUT", "REJECTED": "ABL"})
	if f.Decision == "REJECTED" {
		m.Code("ablehnungsgrund", f.RejectionReason, refusals())
	}
	m.Put("entschiedenAm", f.DecidedOn)
	m.employee("fallfuehrung", f.Lead)
}

func fillInvitation(m form, f core.Facts) {
	m.Put("beginn", f.MeetingAt.Format(time.RFC3339))
	m.Put("ort", f.MeetingPlace)
}

func fillParticipants(m form, f core.Facts) {
	m.Put("gespraechAm", f.HeldOn)
	for _, p := range f.Participants {
		a := m.part("teilnehmende")
		a.Put("name", p.Name)
		a.Code("rolle", p.Part, map[string]string{"PERSON": "VP", "ASSIGNING": "AS", "RECEIVING": "ES", "OTHER": "DR"})
		a.Flag("einverstanden", p.Agreed)
	}
}

func fillTransferNote(m form, f core.Facts) {
	fillParticipants(m, f)
	m.Flag("kannUndWillArbeiten", f.CanAndWantsWork)
	m.Put("beginnFallarbeit", f.StartOfCaseWork)
	m.Put("naechstesGespraech", f.NextReviewOn)
	m.Put("strategie", f.Strategy)
	m.Code(proceedings, f.Procedure, map[string]string{"FULL": "VOLL", "REDUCED": "RED", "SUSPENDED": "SIS"})
}

func fillReviewNote(m form, f core.Facts) {
	fillParticipants(m, f)
	m.Flag("weiterfuehrung", f.Continue)
	m.Put("naechstesGespraech", f.NextReviewOn)
	m.Put("weitereMassnahmen", f.FurtherMeasures)
}

func fillExemption(m form, f core.Facts) {
	m.Put("von", f.ExemptFrom)
	m.Put("bis", f.ExemptTo)
	m.Put("unterzeichnetAm", f.ExemptionSignedOn)
	m.Put("verlaengerungsgrund", f.ExtensionReason)
}

func fillCostRequest(m form, f core.Facts) {
	m.Put("kostennummer", f.Approval)
	m.Put("massnahme", f.Measure)
	m.Put("anbieter", f.Provider)
	m.Put("von", f.MeasureFrom)
	m.Put("bis", f.MeasureTo)
	m.Amount("betrag", f.AmountCents)
	m.Put("rueckgabeBis", f.ReturnBy)
}

func fillCostApproval(m form, f core.Facts) {
	m.Put("kostennummer", f.Approval)
	m.Put("unterzeichnetAm", f.ApprovalSignedOn)
	m.Put("unterzeichnetVon", f.SignedBy)
}

func fillCostRefusal(m form, f core.Facts) {
	m.Put("kostennummer", f.Approval)
	m.Put("abgelehntAm", f.RefusedOn)
	m.Code("kostenablehnungsgrund", f.RefusalReason, map[string]string{"NO_ENTITLEMENT": "31", "NOT_NECESSARY": "32", "OTHER": "39"})
}

func fillCostReminder(m form, f core.Facts) {
	m.Put("kostennummer", f.Approval)
	m.Put("rueckgabeBis", f.ReturnBy)
}

func fillOrder(m form, f core.Facts) {
	m.Put("kostennummer", f.Approval)
	m.Put("bestelltAm", f.OrderedOn)
	m.Put("von", f.MeasureFrom)
	m.Put("bis", f.MeasureTo)
}

func fillMeasureEnd(m form, f core.Facts) {
	m.Put("kostennummer", f.Approval)
	m.Put("beendetAm", f.CompletedOn)
	m.Put("ergebnis", f.Result)
}

func fillInvoice(m form, f core.Facts) {
	m.Put("kostennummer", f.Approval)
	m.Put("rechnungsdatum", f.InvoicedOn)
	m.Amount("betrag", f.InvoiceCents)
}

func fillObservation(m form, f core.Facts) {
	m.Put("wahrgenommenAm", f.ObservedOn)
	m.Put("sachverhalt", f.Hint)
}

func fillExtraMeeting(m form, f core.Facts) {
	m.Put("beantragtAm", f.ExtraRequestedOn)
	m.Put("anlass", f.ExtraReason)
}

func fillClosure(m form, f core.Facts) {
	m.Put("abgeschlossenAm", f.ClosedOn)
	m.Code("abschlussgrund", f.ClosureReason, map[string]string{
		"REVOKED_BY_ASSIGNING": "41", "GOAL_REACHED": "42", "GOAL_NOT_REACHABLE": "43", "COST_APPROVAL_REFUSED": "44",
		"PARALLEL_CASE_LEADERSHIP": "45", "CONSENT_WITHDRAWN": "46",
	})
	m.Code("abschlussergebnis", f.Outcome, map[string]string{"SUCCESSFUL": "51", "PARTIAL": "52", "NOT_IMPLEMENTED": "53", "OTHER": "59"})
	m.Code(proceedings, f.Procedure, map[string]string{"FULL": "VOLL", "REDUCED": "RED", "SUSPENDED": "SIS"})
}

// fillCheck writes what no clerk does: how the check of an application stands in the dossier.
func fillCheck(m form, f core.Facts) {
	m.Code("pruefergebnis", f.CheckOutcome, map[string]string{"RETURNED": "ZUR", "FORWARD": "WEI"})
	m.Put("regelwerk", f.CheckProfile)
	for _, x := range f.Findings {
		d := m.part("befund")
		d.Put("regel", x.Rule)
		d.Code("schwere", x.Severity, map[string]string{"REFUSE": "A", "WARN": "H"})
		d.Code("ablehnungsgrund", x.Reason, refusals())
		d.Put("quelle", x.Source)
		d.Put("wortlaut", x.Text)
		d.Put("empfehlung", x.Hint)
	}
}

// refusals are the reasons of a rejection.
func refusals() map[string]string {
	return map[string]string{
		"IV_REJECTION_RECENT": "11", "NO_INTACT_WORK_OFFER": "12", "NO_CAPACITY": "13", "GOAL_NOT_REALISABLE": "14", "OTHER": "19",
	}
}
