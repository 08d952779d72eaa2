package handover

// ApprovalState is where one cost approval (Kostengutsprache) stands. Source: concept 3.2.1 and 5.2.
type ApprovalState string

// The states of a cost approval. What is overdue is still REQUESTED: a reminder changes nothing.
const (
	NoApproval        ApprovalState = ""
	ApprovalRequested ApprovalState = "REQUESTED"
	ApprovalSigned    ApprovalState = "SIGNED"
	ApprovalRefused   ApprovalState = "REFUSED"
	MeasureInProgress ApprovalState = "ORDERED"
	MeasureEnded      ApprovalState = "COMPLETED"
	MeasureInvoiced   ApprovalState = "INVOICED"
)

// ApprovalTransition is one line of the table of cost approvals.
type ApprovalTransition struct {
	From    ApprovalState
	Message Name
	To      ApprovalState
}

// ApprovalTransitions returns the table: no measure is ordered without a signed approval (P10), and no invoice is handed on before the measure has
// ended (concept 5.2). A measure may be invoiced in parts.
func ApprovalTransitions() []ApprovalTransition {
	return []ApprovalTransition{
		{NoApproval, "cost-approval-requested", ApprovalRequested},
		{ApprovalRequested, "cost-approval-reminder", ApprovalRequested},
		{ApprovalRequested, "cost-approval-signed", ApprovalSigned},
		{ApprovalRequested, "cost-approval-refused", ApprovalRefused},
		{ApprovalSigned, "measure-ordered", MeasureInProgress},
		{MeasureInProgress, "measure-completed", MeasureEnded},
		{MeasureEnded, "invoice-forwarded", MeasureInvoiced},
		{MeasureInvoiced, "invoice-forwarded", MeasureInvoiced},
	}
}

// ApprovalOf returns the number of the cost approval that a message is about; "" for a message that is about none.
func ApprovalOf(p Payload) string {
	switch p := p.(type) {
	case CostApprovalRequested:
		return p.Approval
	case CostApprovalSigned:
		return p.Approval
	case CostApprovalRefused:
		return p.Approval
	case CostApprovalReminder:
		return p.Approval
	case MeasureOrdered:
		return p.Approval
	case MeasureCompleted:
		return p.Approval
	case InvoiceForwarded:
		return p.Approval
	}
	return ""
}

// NextApproval returns where an approval stands after a message about it, or [RefusedApproval].
func NextApproval(from ApprovalState, n Name) (ApprovalState, Refusal) {
	for _, t := range ApprovalTransitions() {
		if t.From == from && t.Message == n {
			return t.To, ""
		}
	}
	return from, RefusedApproval
}
