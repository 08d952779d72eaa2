package handover

import "github.com/einmal-hub/einmal/contracts/personal"

// JobSearchExemptionSigned is the agreement on exemption from the search for work (Vereinbarung/ALV, concept 3.2.3).
type JobSearchExemptionSigned struct {
	From            Date          `json:"from"`
	To              Date          `json:"to"`
	SignedOn        Date          `json:"signedOn"`
	ExtensionReason personal.Text `json:"extensionReason,omitzero"` // why it is longer than usual
	Documents       []Document    `json:"documents,omitzero"`       // the signed agreement
	Remark          personal.Text `json:"remark,omitzero"`
}

// Name returns job-search-exemption-signed.
func (JobSearchExemptionSigned) Name() Name { return "job-search-exemption-signed" }

// Validate checks the obligatory fields.
func (m JobSearchExemptionSigned) Validate() error {
	var c check
	c.date("from", m.From)
	c.date("to", m.To)
	c.order("to", m.From, m.To)
	c.date("signedOn", m.SignedOn)
	c.personal("extensionReason", m.ExtensionReason, 0, remarkLimit)
	c.documents(m.Documents)
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

// CostApprovalRequested asks the financing agency to approve a measure (Kostengutsprache, concept 5.2).
type CostApprovalRequested struct {
	Approval    string        `json:"approval"` // the request's number at the receiving agency
	Measure     personal.Text `json:"measure"`
	Provider    personal.Text `json:"provider"`
	From        Date          `json:"from"`
	To          Date          `json:"to"`
	AmountCents int64         `json:"amountCents"` // Swiss centimes (Rappen)
	ReturnBy    Date          `json:"returnBy,omitzero"`
	Remark      personal.Text `json:"remark,omitzero"`
}

// Name returns cost-approval-requested.
func (CostApprovalRequested) Name() Name { return "cost-approval-requested" }

// Validate checks the obligatory fields.
func (m CostApprovalRequested) Validate() error {
	var c check
	c.approval(m.Approval)
	c.personal("measure", m.Measure, 1, 200)
	c.personal("provider", m.Provider, 1, 200)
	c.date("from", m.From)
	c.date("to", m.To)
	c.order("to", m.From, m.To)
	c.amount(m.AmountCents)
	c.day("returnBy", m.ReturnBy)
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

// CostApprovalSigned is the signed approval.
type CostApprovalSigned struct {
	Approval  string        `json:"approval"`
	SignedOn  Date          `json:"signedOn"`
	SignedBy  personal.Text `json:"signedBy"`
	Documents []Document    `json:"documents,omitzero"` // the signed approval
	Remark    personal.Text `json:"remark,omitzero"`
}

// Name returns cost-approval-signed.
func (CostApprovalSigned) Name() Name { return "cost-approval-signed" }

// Validate checks the obligatory fields.
func (m CostApprovalSigned) Validate() error {
	var c check
	c.approval(m.Approval)
	c.date("signedOn", m.SignedOn)
	c.personal("signedBy", m.SignedBy, 1, 100)
	c.documents(m.Documents)
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

// CostApprovalRefused is the financing agency's no.
type CostApprovalRefused struct {
	Approval  string        `json:"approval"`
	RefusedOn Date          `json:"refusedOn"`
	Reason    Code          `json:"reason"`
	Remark    personal.Text `json:"remark,omitzero"`
}

// Name returns cost-approval-refused.
func (CostApprovalRefused) Name() Name { return "cost-approval-refused" }

// Validate checks the obligatory fields.
func (m CostApprovalRefused) Validate() error {
	var c check
	c.approval(m.Approval)
	c.date("refusedOn", m.RefusedOn)
	c.code("reason", m.Reason, true)
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

// CostApprovalReminder reminds of an approval that was not returned in time.
type CostApprovalReminder struct {
	Approval string        `json:"approval"`
	ReturnBy Date          `json:"returnBy"`
	Remark   personal.Text `json:"remark,omitzero"`
}

// Name returns cost-approval-reminder.
func (CostApprovalReminder) Name() Name { return "cost-approval-reminder" }

// Validate checks the obligatory fields.
func (m CostApprovalReminder) Validate() error {
	var c check
	c.approval(m.Approval)
	c.date("returnBy", m.ReturnBy)
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

// MeasureOrdered confirms the order to the provider (Auftragsbestätigung).
type MeasureOrdered struct {
	Approval  string        `json:"approval"`
	OrderedOn Date          `json:"orderedOn"`
	From      Date          `json:"from"`
	To        Date          `json:"to"`
	Remark    personal.Text `json:"remark,omitzero"`
}

// Name returns measure-ordered.
func (MeasureOrdered) Name() Name { return "measure-ordered" }

// Validate checks the obligatory fields.
func (m MeasureOrdered) Validate() error {
	var c check
	c.approval(m.Approval)
	c.date("orderedOn", m.OrderedOn)
	c.date("from", m.From)
	c.date("to", m.To)
	c.order("to", m.From, m.To)
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

// MeasureCompleted says that the measure has ended.
type MeasureCompleted struct {
	Approval    string        `json:"approval"`
	CompletedOn Date          `json:"completedOn"`
	Result      personal.Text `json:"result,omitzero"`
	Remark      personal.Text `json:"remark,omitzero"`
}

// Name returns measure-completed.
func (MeasureCompleted) Name() Name { return "measure-completed" }

// Validate checks the obligatory fields.
func (m MeasureCompleted) Validate() error {
	var c check
	c.approval(m.Approval)
	c.date("completedOn", m.CompletedOn)
	c.personal("result", m.Result, 0, remarkLimit)
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

// InvoiceForwarded hands the provider's invoice on to the financing agency.
type InvoiceForwarded struct {
	Approval    string        `json:"approval"`
	InvoicedOn  Date          `json:"invoicedOn"`
	AmountCents int64         `json:"amountCents"`
	Documents   []Document    `json:"documents,omitzero"` // the provider's invoice
	Remark      personal.Text `json:"remark,omitzero"`
}

// Name returns invoice-forwarded.
func (InvoiceForwarded) Name() Name { return "invoice-forwarded" }

// Validate checks the obligatory fields.
func (m InvoiceForwarded) Validate() error {
	var c check
	c.approval(m.Approval)
	c.date("invoicedOn", m.InvoicedOn)
	c.amount(m.AmountCents)
	c.documents(m.Documents)
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

// SanctionHint tells the assigning agency of a fact that it may have to judge; it is never a sanction (P1).
type SanctionHint struct {
	ObservedOn Date          `json:"observedOn"`
	Hint       personal.Text `json:"hint"`
	Remark     personal.Text `json:"remark,omitzero"`
}

// Name returns sanction-hint.
func (SanctionHint) Name() Name { return "sanction-hint" }

// Validate checks the obligatory fields.
func (m SanctionHint) Validate() error {
	var c check
	c.date("observedOn", m.ObservedOn)
	c.personal("hint", m.Hint, 1, remarkLimit)
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

// approval checks the number of a cost approval.
func (c *check) approval(s string) { c.text("approval", s, 1, 40) }

// amount bounds an amount of money: more than nothing, less than ten million francs.
func (c *check) amount(cents int64) {
	c.must(cents > 0 && cents < 1_000_000_000, "amountCents", "out-of-range", "the amount lies above 0 and below 10 000 000 francs")
}
