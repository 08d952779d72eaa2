package tutoris

import (
	_ "embed"
	"strconv"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
)

// templates returns the forms of Tutoris, by the message that they amount to.
func templates() map[handover.Name]template {
	return map[handover.Name]template{
		"application-submitted":       {"TU01", assigning, fillApplication},
		"application-withdrawn":       {"TU02", assigning, fillWithdrawal},
		"clarification-requested":     {"TU03", receiving, fillQuestion},
		"clarification-answered":      {"TU04", assigning, fillAnswer},
		"application-decided":         {"TU05", receiving, fillDecision},
		"transfer-meeting-scheduled":  {"TU06", assigning, fillInvitation},
		"transfer-meeting-recorded":   {"TU07", receiving, fillTransferNote},
		"job-search-exemption-signed": {"TU08", ours, fillExemption},
		"cost-approval-requested":     {"TU09", receiving, fillCostRequest},
		"cost-approval-signed":        {"TU10", assigning, fillCostApproval},
		"cost-approval-refused":       {"TU11", assigning, fillCostRefusal},
		"cost-approval-reminder":      {"TU12", receiving, fillCostReminder},
		"measure-ordered":             {"TU13", receiving, fillOrder},
		"measure-completed":           {"TU14", receiving, fillMeasureEnd},
		"invoice-forwarded":           {"TU15", receiving, fillInvoice},
		"sanction-hint":               {"TU16", receiving, fillObservation},
		"review-meeting-scheduled":    {"TU17", receiving, fillInvitation},
		"review-meeting-recorded":     {"TU18", receiving, fillReviewNote},
		"extra-meeting-requested":     {"TU19", assigning, fillExtraMeeting},
		"case-closed":                 {"TU20", receiving, fillClosure},
		"consent-withdrawn":           {"TU21", ours, func(m form, f core.Facts) { m.Put("widerrufVom", f.WithdrawnOn) }},
		"application-checked":         {checkKind, gateway, fillCheck},
	}
}

func fillApplication(m form, f core.Facts) {
	m.Put("zuweisendeStelle", string(f.Assigning))
	m.Put("angefragteStelle", string(f.Receiving))
	m.Code("prozess", f.Process, map[string]string{"OPTIMA_ALV": "OPT-ALV", "OPTIMA_IV": "OPT-IV", "OPTIMA_SH": "OPT-SH"})
	m.Put("zielgruppe", f.TargetGroup)
	m.Put("antragsdatum", f.AppliedOn)
	fillPerson(m.part("klient"), f.Person)
	s := m.part("ansprueche")
	s.yes("persoenlicheHilfe", f.Situation.SocialCounselling)
	s.yes("wirtschaftlicheHilfe", f.Situation.EconomicAssistance)
	s.yes("beimRavGemeldet", f.Situation.RegisteredJobseeker)
	s.yes("arbeitslosenentschaedigung", f.Situation.UnemploymentBenefit)
	s.yes("eingliederung", f.Situation.DisabilityMeasures)
	fillDeclarations(m, f)
	legal := m.part("vollmacht")
	legal.Code("form", f.ConsentKind, map[string]string{"CONSENT": "unterschrieben", "INFORMED": "orientiert"})
	legal.Put("erteiltAm", f.ConsentGivenOn)
	m.Put("monate", strconv.Itoa(f.PlannedMonths))
	m.Put("ziel", f.Goal)
	m.Put("begruendung", f.Reason)
	m.employee("sachbearbeitung", &f.Contact)
	m.employee("stellvertretung", f.Deputy)
	m.documents(f)
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
		s := m.part("angabe")
		s.Code("merkmal", d.Item, words["merkmal"])
		s.Code("auspraegung", d.Answer, words["auspraegung"])
		if d.Number != nil {
			s.Put("wert", strconv.Itoa(*d.Number))
		}
		s.Put("datum", d.On)
	}
}

func fillPerson(m form, p core.Person) {
	id := m.part("person")
	id.El.CreateAttr("xmlns:p", contract.PersonNamespace)
	id.Put("p:vn", p.AHV)
	local := id.part("p:localPersonId")
	local.Put("p:personIdCategory", "TUTORIS.KLNR")
	local.Put("p:personId", "K3000001")
	id.Put("p:officialName", p.OfficialName)
	id.Put("p:firstName", p.FirstName)
	id.Code("p:sex", p.Sex, map[string]string{"MALE": "1", "FEMALE": "2", "UNKNOWN": "3"})
	id.part("p:dateOfBirth").Put("p:yearMonthDay", p.DateOfBirth)
	lives := m.part("adresse")
	lives.Put("strasse", p.Street)
	lives.Put("hausnummer", p.HouseNumber)
	lives.Put("plz", p.Zip)
	lives.Put("ort", p.Town)
	lives.Put("bfsNummer", strconv.Itoa(p.Municipality))
	m.Put("telefon", p.Phone)
	m.Put("mail", p.Email)
	m.Code("sprache", p.Language, map[string]string{"DE": "de", "FR": "fr", "IT": "it", "EN": "en"})
}

func fillWithdrawal(m form, f core.Facts) {
	m.Put("zurueckgezogenAm", f.WithdrawnOn)
	m.Code("rueckzugsgrund", f.WithdrawalReason, map[string]string{"PERSON_WITHDREW": "person", "AGENCY_WITHDREW": "stelle", "OTHER": "anderer"})
}

func fillQuestion(m form, f core.Facts) {
	m.Put("frage", f.Question)
	m.Put("frist", f.AnswerBy)
}

func fillAnswer(m form, f core.Facts) {
	m.Put("antwort", f.Answer)
	m.documents(f)
}

func fillDecision(m form, f core.Facts) {
	m.Code("ergebnis", f.Decision, map[string]string{"ACCEPTED": "angenommen", "REJECTED": "abgelehnt"})
	if f.Decision == "REJECTED" {
		m.Code("ablehnungsgrund", f.RejectionReason, refusals())
	}
	m.Put("entscheiddatum", f.DecidedOn)
	m.employee("kuenftigeFallfuehrung", f.Lead)
}

func fillInvitation(m form, f core.Facts) {
	m.Put("am", f.MeetingAt.Format(time.RFC3339))
	m.Put("ort", f.MeetingPlace)
}

func fillParticipants(m form, f core.Facts) {
	m.Put("gespraechVom", f.HeldOn)
	for _, p := range f.Participants {
		a := m.part("anwesend")
		a.Put("name", p.Name)
		a.Code("rolle", p.Part, map[string]string{"PERSON": "klient", "ASSIGNING": "zuweisend", "RECEIVING": "angefragt", "OTHER": "dritte"})
		a.yes("stimmtZu", p.Agreed)
	}
}

func fillTransferNote(m form, f core.Facts) {
	fillParticipants(m, f)
	m.yes("arbeitsbereit", f.CanAndWantsWork)
	m.Put("fallfuehrungAb", f.StartOfCaseWork)
	m.Put("standortAm", f.NextReviewOn)
	m.Put("vorgehen", f.Strategy)
	m.Code(proceedings, f.Procedure, map[string]string{"FULL": "voll", "REDUCED": "reduziert", "SUSPENDED": "sistiert"})
	m.documents(f)
}

func fillReviewNote(m form, f core.Facts) {
	fillParticipants(m, f)
	m.yes("weiterfuehren", f.Continue)
	m.Put("standortAm", f.NextReviewOn)
	m.Put("massnahmenplan", f.FurtherMeasures)
}

func fillExemption(m form, f core.Facts) {
	m.Put("von", f.ExemptFrom)
	m.Put("bis", f.ExemptTo)
	m.Put("unterschriebenAm", f.ExemptionSignedOn)
	m.Put("verlaengerung", f.ExtensionReason)
	m.documents(f)
}

func fillCostRequest(m form, f core.Facts) {
	m.Put("gutsprachenummer", f.Approval)
	m.Put("massnahme", f.Measure)
	m.Put("anbieterName", f.Provider)
	m.Put("von", f.MeasureFrom)
	m.Put("bis", f.MeasureTo)
	m.Amount("betrag", f.AmountCents)
	m.Put("retourBis", f.ReturnBy)
}

func fillCostApproval(m form, f core.Facts) {
	m.Put("gutsprachenummer", f.Approval)
	m.Put("unterschriebenAm", f.ApprovalSignedOn)
	m.Put("unterschriebenVon", f.SignedBy)
	m.documents(f)
}

func fillCostRefusal(m form, f core.Facts) {
	m.Put("gutsprachenummer", f.Approval)
	m.Put("ablehnungsdatum", f.RefusedOn)
	m.Code("gutspracheablehnungsgrund", f.RefusalReason, map[string]string{"NO_ENTITLEMENT": "keinAnspruch", "NOT_NECESSARY": "nichtNotwendig", "OTHER": "anderer"})
}

func fillCostReminder(m form, f core.Facts) {
	m.Put("gutsprachenummer", f.Approval)
	m.Put("retourBis", f.ReturnBy)
}

func fillOrder(m form, f core.Facts) {
	m.Put("gutsprachenummer", f.Approval)
	m.Put("auftragVom", f.OrderedOn)
	m.Put("von", f.MeasureFrom)
	m.Put("bis", f.MeasureTo)
}

func fillMeasureEnd(m form, f core.Facts) {
	m.Put("gutsprachenummer", f.Approval)
	m.Put("endeAm", f.CompletedOn)
	m.Put("resultat", f.Result)
}

func fillInvoice(m form, f core.Facts) {
	m.Put("gutsprachenummer", f.Approval)
	m.Put("rechnungVom", f.InvoicedOn)
	m.Amount("betrag", f.InvoiceCents)
	m.documents(f)
}

func fillObservation(m form, f core.Facts) {
	m.Put("festgestelltAm", f.ObservedOn)
	m.Put("feststellungstext", f.Hint)
}

func fillExtraMeeting(m form, f core.Facts) {
	m.Put("gewuenschtAm", f.ExtraRequestedOn)
	m.Put("grundText", f.ExtraReason)
}

func fillClosure(m form, f core.Facts) {
	m.Put("abschlussdatum", f.ClosedOn)
	m.Code("abschlussgrund", f.ClosureReason, map[string]string{
		"REVOKED_BY_ASSIGNING": "widerruf", "GOAL_REACHED": "zielErreicht", "GOAL_NOT_REACHABLE": "zielNichtErreichbar", "COST_APPROVAL_REFUSED": "gutspracheAbgelehnt",
		"PARALLEL_CASE_LEADERSHIP": "parallelfuehrung", "CONSENT_WITHDRAWN": "vollmachtWiderrufen",
	})
	m.Code("abschlussresultat", f.Outcome, map[string]string{"SUCCESSFUL": "erfolgreich", "PARTIAL": "teilweise", "NOT_IMPLEMENTED": "nichtUmgesetzt", "OTHER": "anderes"})
	m.Code(proceedings, f.Procedure, map[string]string{"FULL": "voll", "REDUCED": "reduziert", "SUSPENDED": "sistiert"})
	m.documents(f)
}

// fillCheck writes what no clerk does: how the check of an application stands in the dossier.
func fillCheck(m form, f core.Facts) {
	m.Code("pruefergebnis", f.CheckOutcome, map[string]string{"RETURNED": returned, "FORWARD": "weitergeleitet"})
	m.Put("regelwerk", f.CheckProfile)
	for _, x := range f.Findings {
		d := m.part("befund")
		d.Put("regel", x.Rule)
		d.Code("schwere", x.Severity, map[string]string{"REFUSE": refusing, "WARN": "hinweis"})
		d.Code("ablehnungsgrund", x.Reason, refusals())
		d.Put("quelle", x.Source)
		d.Put("wortlaut", x.Text)
		d.Put("empfehlung", x.Hint)
	}
}

// refusals are the reasons of a rejection.
func refusals() map[string]string {
	return map[string]string{
		"IV_REJECTION_RECENT": "ivAblehnung", "NO_INTACT_WORK_OFFER": "keinArbeitsangebot", "NO_CAPACITY": "keineKapazitaet", "GOAL_NOT_REALISABLE": "zielUnrealistisch", "OTHER": "anderer",
	}
}
