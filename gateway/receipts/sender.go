package receipts

import (
	"slices"

	"github.com/einmal-hub/einmal/gateway/ledger"
)

// ForSender returns the receipts as the sender of the messages may read them. What einmal itself asks at the gate is about the sender's own message and is told, except what it says of
// other cases of the person. What waits at a place of somebody else's is told with its reason only when that is one of einmal's own. What operators are to do next is for operators.
func ForSender(all []Receipt) []Receipt {
	out := slices.Clone(all)
	for i, r := range out {
		if r.Reason == nil {
			continue
		}
		reason := ledger.Reason{Code: r.Reason.Code, Text: r.Reason.Text, Path: r.Reason.Path}
		switch own := r.to == ledger.Gate || r.to == r.origin; {
		case own && !ofOtherCases(reason.Code):
			if r.to == ledger.Gate {
				reason.Next = r.Reason.Next // it says what to correct in the sender's own system
			}
		case impersonal(reason.Code):
		default:
			reason = ledger.Reason{Code: untold, Text: "a person must decide; the reason concerns others than the sender"}
		}
		out[i].Reason = &reason
	}
	return out
}

// untold stands for a reason that the sender is not told.
const untold = "not-told"

// ofOtherCases reports whether a reason names another case of the same person, which may be other agencies' business.
func ofOtherCases(code string) bool { return code == "second-claim" }

// impersonal reports whether a reason says what a machine could not find out, and nothing about the person.
func impersonal(code string) bool {
	switch code {
	case "held", "outcome-unknown", "ledger-set-back", "recorded-twice", "message-lost", "native-case-unknown", "nothing-to-recall", "unknown-system", "panic", "document-missing", "document-changed":
		return true
	}
	return false
}
