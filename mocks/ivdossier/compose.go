package ivdossier

import (
	_ "embed"
	"fmt"
	"strconv"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
)

// template is what the clerk chooses for one message: the form, and what she fills in.
type template struct {
	kind native.Kind
	fill func(*page, core.Facts)
}

// templates returns the forms of the office, by the message that they amount to.
func templates() map[handover.Name]template {
	return map[handover.Name]template{
		"application-submitted":       {"antrag", fillApplication},
		"application-withdrawn":       {"rueckzug", fillWithdrawal},
		"clarification-requested":     {"rueckfrage", func(p *page, f core.Facts) { p.put("Frage", f.Question); p.day("Antwort-bis", f.AnswerBy) }},
		"clarification-answered":      {"antwort", fillAnswer},
		"application-decided":         {"entscheid", fillDecision},
		"transfer-meeting-scheduled":  {"uebergabetermin", fillMeeting},
		"transfer-meeting-recorded":   {"uebergabenotiz", fillTransferNote},
		"job-search-exemption-signed": {"befreiung", fillExemption},
		"cost-approval-requested":     {"kostenanfrage", fillCostRequest},
		"cost-approval-signed":        {"kostengutsprache", fillCostApproval},
		"cost-approval-refused":       {"kostenablehnung", fillCostRefusal},
		"cost-approval-reminder":      {"kostenerinnerung", func(p *page, f core.Facts) { p.put("Kostennummer", f.Approval); p.day("Rückgabe-bis", f.ReturnBy) }},
		"measure-ordered":             {"massnahmenauftrag", fillOrder},
		"measure-completed":           {"massnahmenende", fillMeasureEnd},
		"invoice-forwarded":           {"rechnung", fillInvoice},
		"sanction-hint":               {"hinweis", func(p *page, f core.Facts) { p.day("Festgestellt-am", f.ObservedOn); p.put("Sachverhalt", f.Hint) }},
		"review-meeting-scheduled":    {"standorttermin", fillMeeting},
		"review-meeting-recorded":     {"standortnotiz", fillReviewNote},
		"extra-meeting-requested": {"zusatzgespraech", func(p *page, f core.Facts) {
			p.day("Gewünscht-am", f.ExtraRequestedOn)
			p.put("Anlass", f.ExtraReason)
		}},
		"case-closed":         {"abschluss", fillClosure},
		"consent-withdrawn":   {"widerruf", func(p *page, f core.Facts) { p.day("Widerrufen-am", f.WithdrawnOn) }},
		"application-checked": {"vorpruefung", fillCheck},
	}
}

// Compose returns what a clerk of the office enters for a message when she knows the facts: the kind of document and its content. An unknown message gives nothing. She leaves the head empty, as
// staff do: whose document it is follows from the folder that it lies in.
func Compose(n handover.Name, facts core.Facts) (native.Kind, []byte) {
	t, known := templates()[n]
	if !known {
		return "", nil
	}
	var p page
	t.fill(&p, facts)
	p.put("Bemerkung", facts.Remark)
	b, err := p.content()
	if err != nil {
		return "", nil
	}
	return t.kind, b
}

//go:embed words.json
var wordsJSON []byte

func fillApplication(p *page, f core.Facts) {
	p.put("Antragsteller", string(f.Assigning))
	p.put("Ersuchte-Stelle", string(f.Receiving))
	p.word("Verfahren", f.Process, map[string]string{"OPTIMA_ALV": "OPTIMA-ALV", "OPTIMA_IV": "OPTIMA-IV", "OPTIMA_SH": "OPTIMA-SH"})
	p.put("Zielgruppe", f.TargetGroup)
	p.day("Antragsdatum", f.AppliedOn)
	fillPerson(p, f.Person)
	p.flag("Situation.Sozialberatung", f.Situation.SocialCounselling)
	p.flag("Situation.Wirtschaftliche-Sozialhilfe", f.Situation.EconomicAssistance)
	p.flag("Situation.Stellensuchend-gemeldet", f.Situation.RegisteredJobseeker)
	p.flag("Situation.Arbeitslosenentschädigung", f.Situation.UnemploymentBenefit)
	p.flag("Situation.IV-Massnahme", f.Situation.DisabilityMeasures)
	fillDeclarations(p, f)
	p.word("Rechtsgrundlage.Art", f.ConsentKind, map[string]string{"CONSENT": "Einwilligung", "INFORMED": "Information"})
	p.day("Rechtsgrundlage.Vom", f.ConsentGivenOn)
	p.put("Dauer-in-Monaten", strconv.Itoa(f.PlannedMonths))
	p.put("Zielsetzung", f.Goal)
	p.put("Begründung", f.Reason)
	p.employee("Ansprechperson", &f.Contact)
	p.employee("Stellvertretung", f.Deputy)
	fillDocuments(p, f)
}

// fillDocuments says what the documents are; where their files lie is said when the form is saved.
func fillDocuments(p *page, f core.Facts) {
	for i, d := range f.Documents {
		item := fmt.Sprintf("Dokumente[%d].", i+1)
		p.put(item+"Name", d.Name)
		p.put(item+"Typ", d.MediaType)
		p.put(item+"Grösse", strconv.Itoa(len(d.Content)))
		p.put(item+"Prüfsumme", d.SHA256())
	}
}

// fillProcedure says how the office leads its own procedure from now on.
func fillProcedure(p *page, f core.Facts) {
	p.word("Verfahrensführung", f.Procedure, map[string]string{"REDUCED": "eingeschränkt", "SUSPENDED": "sistiert", "FULL": "uneingeschränkt"})
}

// rejections are the words of why an application is rejected.
func rejections() map[string]string {
	return map[string]string{
		"IV_REJECTION_RECENT": "IV-Ablehnung vor weniger als einem Jahr", "NO_INTACT_WORK_OFFER": "kein intaktes Arbeitsangebot",
		"NO_CAPACITY": "keine Kapazität", "GOAL_NOT_REALISABLE": "Zielsetzung nicht realisierbar", "OTHER": "Sonstiges",
	}
}

func fillAnswer(p *page, f core.Facts) {
	p.put("Antwort", f.Answer)
	fillDocuments(p, f)
}

func fillCheck(p *page, f core.Facts) {
	p.word("Ergebnis", f.CheckOutcome, map[string]string{"RETURNED": "zurückgewiesen", "FORWARD": "weitergeleitet"})
	p.put("Regelwerk", f.CheckProfile)
	for i, r := range f.Findings {
		item := fmt.Sprintf("Befunde[%d].", i+1)
		p.put(item+"Regel", r.Rule)
		p.word(item+"Gewicht", r.Severity, map[string]string{"REFUSE": "Ausschluss", "WARN": "Hinweis"})
		p.word(item+"Ablehnungsgrund", r.Reason, rejections())
		p.put(item+"Quelle", r.Source)
		p.put(item+"Wortlaut", r.Text)
		p.put(item+"Abhilfe", r.Hint)
	}
}

func fillPerson(p *page, person core.Person) {
	p.put("Person.Nachname", person.OfficialName)
	p.put("Person.Vorname", person.FirstName)
	p.day("Person.Geburtsdatum", person.DateOfBirth)
	p.word("Person.Geschlecht", person.Sex, map[string]string{"MALE": "männlich", "FEMALE": "weiblich", "UNKNOWN": "unbekannt"})
	if n := person.AHV; len(n) == 13 {
		p.put("Person.AHV-Nummer", n[:3]+"."+n[3:7]+"."+n[7:11]+"."+n[11:])
	}
	p.put("Person.Strasse", person.Street)
	p.put("Person.Hausnummer", person.HouseNumber)
	p.put("Person.PLZ", person.Zip)
	p.put("Person.Ort", person.Town)
	p.put("Person.BFS-Nummer", strconv.Itoa(person.Municipality))
	p.put("Person.Telefon", person.Phone)
	p.put("Person.E-Mail", person.Email)
	p.word("Person.Sprache", person.Language, map[string]string{"DE": "Deutsch", "FR": "Französisch", "IT": "Italienisch", "EN": "Englisch"})
}

func fillDeclarations(p *page, f core.Facts) {
	var words map[string]map[string]string
	if err := strict.JSON(wordsJSON, &words); err != nil {
		return // the file is part of the program, and a test holds that it can be read
	}
	for i, d := range f.Declarations {
		item := fmt.Sprintf("Erklärungen[%d].", i+1)
		p.word(item+"Frage", d.Item, words["Frage"])
		p.word(item+"Antwort", d.Answer, words["Antwort"])
		if d.Number != nil {
			p.put(item+"Zahl", strconv.Itoa(*d.Number))
		}
		p.day(item+"Tag", d.On)
	}
}

func fillWithdrawal(p *page, f core.Facts) {
	p.day("Zurückgezogen-am", f.WithdrawnOn)
	p.word("Grund", f.WithdrawalReason, map[string]string{"PERSON_WITHDREW": "Person zieht zurück", "AGENCY_WITHDREW": "Stelle zieht zurück", "OTHER": "Sonstiges"})
}

func fillDecision(p *page, f core.Facts) {
	p.word("Entscheid", f.Decision, map[string]string{"ACCEPTED": "angenommen", "REJECTED": "abgelehnt"})
	if f.Decision == "REJECTED" {
		p.word("Ablehnungsgrund", f.RejectionReason, rejections())
	}
	p.day("Entschieden-am", f.DecidedOn)
	p.employee("Fallführung", f.Lead)
}

func fillMeeting(p *page, f core.Facts) {
	zone, err := time.LoadLocation(contract.Zone)
	if err != nil {
		return // the form stays empty, and the desk refuses it
	}
	p.put("Beginn", f.MeetingAt.In(zone).Format("02.01.2006 15:04"))
	p.put("Ort", f.MeetingPlace)
}

func fillParticipants(p *page, f core.Facts) {
	p.day("Gespräch-am", f.HeldOn)
	for i, a := range f.Participants {
		item := fmt.Sprintf("Teilnehmende[%d].", i+1)
		p.put(item+"Name", a.Name)
		p.word(item+"Rolle", a.Part, map[string]string{"PERSON": "Person", "ASSIGNING": "antragstellende Stelle", "RECEIVING": "ersuchte Stelle", "OTHER": "Weitere"})
		p.flag(item+"Einverstanden", a.Agreed)
	}
}

func fillTransferNote(p *page, f core.Facts) {
	fillParticipants(p, f)
	p.flag("Kann-und-will-arbeiten", f.CanAndWantsWork)
	p.day("Beginn-der-Fallarbeit", f.StartOfCaseWork)
	p.day("Nächstes-Gespräch-am", f.NextReviewOn)
	p.put("Strategie", f.Strategy)
	fillProcedure(p, f)
	fillDocuments(p, f)
}

func fillReviewNote(p *page, f core.Facts) {
	fillParticipants(p, f)
	p.flag("Weiterführung", f.Continue)
	p.day("Nächstes-Gespräch-am", f.NextReviewOn)
	p.put("Weitere-Massnahmen", f.FurtherMeasures)
}

func fillExemption(p *page, f core.Facts) {
	p.day("Von", f.ExemptFrom)
	p.day("Bis", f.ExemptTo)
	p.day("Unterzeichnet-am", f.ExemptionSignedOn)
	p.put("Grund-der-Verlängerung", f.ExtensionReason)
	fillDocuments(p, f)
}

func fillCostRequest(p *page, f core.Facts) {
	p.put("Kostennummer", f.Approval)
	p.put("Massnahme", f.Measure)
	p.put("Anbieter", f.Provider)
	p.day("Von", f.MeasureFrom)
	p.day("Bis", f.MeasureTo)
	p.amount("Betrag", f.AmountCents)
	p.day("Rückgabe-bis", f.ReturnBy)
}

func fillCostApproval(p *page, f core.Facts) {
	p.put("Kostennummer", f.Approval)
	p.day("Unterzeichnet-am", f.ApprovalSignedOn)
	p.put("Unterzeichnet-von", f.SignedBy)
	fillDocuments(p, f)
}

func fillCostRefusal(p *page, f core.Facts) {
	p.put("Kostennummer", f.Approval)
	p.day("Abgelehnt-am", f.RefusedOn)
	p.word("Grund", f.RefusalReason, map[string]string{"NO_ENTITLEMENT": "kein Anspruch", "NOT_NECESSARY": "nicht notwendig", "OTHER": "Sonstiges"})
}

func fillOrder(p *page, f core.Facts) {
	p.put("Kostennummer", f.Approval)
	p.day("Bestellt-am", f.OrderedOn)
	p.day("Von", f.MeasureFrom)
	p.day("Bis", f.MeasureTo)
}

func fillMeasureEnd(p *page, f core.Facts) {
	p.put("Kostennummer", f.Approval)
	p.day("Beendet-am", f.CompletedOn)
	p.put("Ergebnis", f.Result)
}

func fillInvoice(p *page, f core.Facts) {
	p.put("Kostennummer", f.Approval)
	p.day("Rechnungsdatum", f.InvoicedOn)
	p.amount("Betrag", f.InvoiceCents)
	fillDocuments(p, f)
}

func fillClosure(p *page, f core.Facts) {
	p.day("Abgeschlossen-am", f.ClosedOn)
	p.word("Grund", f.ClosureReason, map[string]string{
		"REVOKED_BY_ASSIGNING": "Auftrag widerrufen", "GOAL_REACHED": "Ziel erreicht", "GOAL_NOT_REACHABLE": "Ziel nicht erreichbar",
		"COST_APPROVAL_REFUSED": "Kostengutsprache abgelehnt", "PARALLEL_CASE_LEADERSHIP": "doppelte Fallführung", "CONSENT_WITHDRAWN": "Einwilligung widerrufen",
	})
	p.word("Ergebnis", f.Outcome, map[string]string{
		"SUCCESSFUL": "erfolgreich umgesetzt", "PARTIAL": "teilweise umgesetzt", "NOT_IMPLEMENTED": "nicht umgesetzt", "OTHER": "Sonstiges",
	})
	fillProcedure(p, f)
	fillDocuments(p, f)
}
