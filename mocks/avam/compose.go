package avam

import (
	"strconv"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/mocks/core"
)

// templates returns the forms of AVAM, by the message that they amount to.
func templates() map[handover.Name]template {
	return map[handover.Name]template{
		"application-submitted":       {"OPT01", assigning, fillApplication},
		"application-withdrawn":       {"OPT02", assigning, fillWithdrawal},
		"clarification-requested":     {"OPT03", receiving, fillInquiry},
		"clarification-answered":      {"OPT04", assigning, func(m form, f core.Facts) { m.put("replyText", f.Answer) }},
		"application-decided":         {"OPT05", receiving, fillDecision},
		"transfer-meeting-scheduled":  {"OPT06", assigning, fillInvitation},
		"transfer-meeting-recorded":   {"OPT07", receiving, fillTransferNote},
		"job-search-exemption-signed": {"OPT08", ours, fillExemption},
		"cost-approval-requested":     {"OPT09", receiving, fillCostRequest},
		"cost-approval-signed":        {"OPT10", assigning, fillCostApproval},
		"cost-approval-refused":       {"OPT11", assigning, fillCostRefusal},
		"cost-approval-reminder":      {"OPT12", receiving, fillCostReminder},
		"measure-ordered":             {"OPT13", receiving, fillOrder},
		"measure-completed":           {"OPT14", receiving, fillMeasureEnd},
		"invoice-forwarded":           {"OPT15", receiving, fillInvoice},
		"sanction-hint":               {"OPT16", receiving, fillObservation},
		"review-meeting-scheduled":    {"OPT17", receiving, fillInvitation},
		"review-meeting-recorded":     {"OPT18", receiving, fillReviewNote},
		"extra-meeting-requested":     {"OPT19", assigning, fillExtraMeeting},
		"case-closed":                 {"OPT20", receiving, fillClosure},
		"consent-withdrawn":           {"OPT21", ours, func(m form, f core.Facts) { m.put("effectiveOn", f.WithdrawnOn) }},
	}
}

func fillApplication(m form, f core.Facts) {
	m.put("applicantOffice", string(f.Assigning))
	m.put("requestedOffice", string(f.Receiving))
	m.code("procedure", f.Process, map[string]string{"OPTIMA_ALV": "1", "OPTIMA_IV": "2", "OPTIMA_SH": "3"})
	m.code("targetGroup", f.TargetGroup, map[string]string{
		"A": "01", "B": "02", "C": "03", "D": "04", "E": "05", "F": "06", "G": "07", "H": "08", "I": "09",
	})
	m.put("filedOn", f.AppliedOn)
	fillPerson(m.part("insuredPerson"), f.Person)
	s := m.part("status")
	s.flag("socialCounselling", f.Situation.SocialCounselling)
	s.flag("economicAid", f.Situation.EconomicAssistance)
	s.flag("jobseeker", f.Situation.RegisteredJobseeker)
	s.flag("dailyAllowance", f.Situation.UnemploymentBenefit)
	s.flag("disabilityMeasure", f.Situation.DisabilityMeasures)
	legal := m.part("legalBasis")
	legal.code("basis", f.ConsentKind, map[string]string{"CONSENT": "35A1", "INFORMED": "35A1TER"})
	legal.put("givenOn", f.ConsentGivenOn)
	m.put("durationMonths", strconv.Itoa(f.PlannedMonths))
	m.put("objective", f.Goal)
	m.put("grounds", f.Reason)
	m.adviser("adviser", &f.Contact)
	m.adviser("deputyAdviser", f.Deputy)
}

func fillPerson(m form, p core.Person) {
	id := m.part("identification")
	id.el.CreateAttr("xmlns:p", contract.PersonNamespace)
	id.put("p:vn", p.AHV)
	local := id.part("p:localPersonId")
	local.put("p:personIdCategory", "AVAM.PERSNR")
	local.put("p:personId", "P1000001")
	id.put("p:officialName", p.OfficialName)
	id.put("p:firstName", p.FirstName)
	id.code("p:sex", p.Sex, map[string]string{"MALE": "1", "FEMALE": "2", "UNKNOWN": "3"})
	id.part("p:dateOfBirth").put("p:yearMonthDay", p.DateOfBirth)
	lives := m.part("residence")
	lives.put("street", p.Street)
	lives.put("houseNumber", p.HouseNumber)
	lives.put("swissZipCode", p.Zip)
	lives.put("town", p.Town)
	lives.put("municipalityId", strconv.Itoa(p.Municipality))
	m.put("phone", p.Phone)
	m.put("mail", p.Email)
	m.code("correspondence", p.Language, map[string]string{"DE": "D", "FR": "F", "IT": "I", "EN": "E"})
}

func fillWithdrawal(m form, f core.Facts) {
	m.put("effectiveOn", f.WithdrawnOn)
	m.code("withdrawalCode", f.WithdrawalReason, map[string]string{"PERSON_WITHDREW": "W10", "AGENCY_WITHDREW": "W20", "OTHER": "W90"})
}

func fillInquiry(m form, f core.Facts) {
	m.put("inquiryText", f.Question)
	m.put("replyBy", f.AnswerBy)
}

func fillDecision(m form, f core.Facts) {
	m.code("decision", f.Decision, map[string]string{"ACCEPTED": "1", "REJECTED": "2"})
	if f.Decision == "REJECTED" {
		m.code("refusalCode", f.RejectionReason, map[string]string{
			"IV_REJECTION_RECENT": "R10", "NO_INTACT_WORK_OFFER": "R20", "NO_CAPACITY": "R30", "GOAL_NOT_REALISABLE": "R40", "OTHER": "R90",
		})
	}
	m.put("decidedOn", f.DecidedOn)
	m.adviser("caseLead", f.Lead)
}

func fillInvitation(m form, f core.Facts) {
	m.put("startsAt", f.MeetingAt.Format(time.RFC3339))
	m.put("venue", f.MeetingPlace)
}

func fillAttendees(m form, f core.Facts) {
	m.put("conversationOn", f.HeldOn)
	for _, p := range f.Participants {
		a := m.part("attendee")
		a.put("name", p.Name)
		a.code("capacity", p.Part, map[string]string{"PERSON": "P", "ASSIGNING": "A", "RECEIVING": "R", "OTHER": "X"})
		a.flag("agrees", p.Agreed)
	}
}

func fillTransferNote(m form, f core.Facts) {
	fillAttendees(m, f)
	m.flag("declaredFitAndWilling", f.CanAndWantsWork)
	m.put("leadershipFrom", f.StartOfCaseWork)
	m.put("nextConversationOn", f.NextReviewOn)
	m.put("plannedSteps", f.Strategy)
}

func fillReviewNote(m form, f core.Facts) {
	fillAttendees(m, f)
	m.flag("caseworkContinues", f.Continue)
	m.put("nextConversationOn", f.NextReviewOn)
	m.put("furtherSteps", f.FurtherMeasures)
}

func fillExemption(m form, f core.Facts) {
	m.validity(f.ExemptFrom, f.ExemptTo)
	m.put("signedOn", f.ExemptionSignedOn)
	m.put("extensionGrounds", f.ExtensionReason)
}

func fillCostRequest(m form, f core.Facts) {
	m.put("costNumber", f.Approval)
	m.put("measureName", f.Measure)
	m.put("organiser", f.Provider)
	m.validity(f.MeasureFrom, f.MeasureTo)
	m.francs(f.AmountCents)
	m.put("returnUntil", f.ReturnBy)
}

func fillCostApproval(m form, f core.Facts) {
	m.put("costNumber", f.Approval)
	m.put("signedOn", f.ApprovalSignedOn)
	m.put("signatory", f.SignedBy)
}

func fillCostRefusal(m form, f core.Facts) {
	m.put("costNumber", f.Approval)
	m.put("refusedOn", f.RefusedOn)
	m.code("costRefusalCode", f.RefusalReason, map[string]string{"NO_ENTITLEMENT": "K10", "NOT_NECESSARY": "K20", "OTHER": "K90"})
}

func fillCostReminder(m form, f core.Facts) {
	m.put("costNumber", f.Approval)
	m.put("returnUntil", f.ReturnBy)
}

func fillOrder(m form, f core.Facts) {
	m.put("costNumber", f.Approval)
	m.put("orderedOn", f.OrderedOn)
	m.validity(f.MeasureFrom, f.MeasureTo)
}

func fillMeasureEnd(m form, f core.Facts) {
	m.put("costNumber", f.Approval)
	m.put("endedOn", f.CompletedOn)
	m.put("resultText", f.Result)
}

func fillInvoice(m form, f core.Facts) {
	m.put("costNumber", f.Approval)
	m.put("invoiceDate", f.InvoicedOn)
	m.francs(f.InvoiceCents)
}

func fillObservation(m form, f core.Facts) {
	m.put("noticedOn", f.ObservedOn)
	m.put("observationText", f.Hint)
}

func fillExtraMeeting(m form, f core.Facts) {
	m.put("requestedOn", f.ExtraRequestedOn)
	m.put("grounds", f.ExtraReason)
}

func fillClosure(m form, f core.Facts) {
	m.put("closedOn", f.ClosedOn)
	m.code("closureCode", f.ClosureReason, map[string]string{
		"REVOKED_BY_ASSIGNING": "A10", "GOAL_REACHED": "A20", "GOAL_NOT_REACHABLE": "A30", "COST_APPROVAL_REFUSED": "A40",
		"PARALLEL_CASE_LEADERSHIP": "A50", "CONSENT_WITHDRAWN": "A60",
	})
	m.code("outcomeCode", f.Outcome, map[string]string{"SUCCESSFUL": "1", "PARTIAL": "2", "NOT_IMPLEMENTED": "3", "OTHER": "9"})
}
