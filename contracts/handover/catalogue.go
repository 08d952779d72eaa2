package handover

import (
	"reflect"
	"slices"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/go-json-experiment/json"
)

// Catalogue returns one zero payload of every message, in the order of the process.
func Catalogue() []Payload {
	return []Payload{
		ApplicationSubmitted{}, ApplicationWithdrawn{}, ClarificationRequested{}, ClarificationAnswered{},
		ApplicationDecided{}, TransferMeetingScheduled{}, TransferMeetingRecorded{}, JobSearchExemptionSigned{},
		CostApprovalRequested{}, CostApprovalSigned{}, CostApprovalRefused{}, CostApprovalReminder{},
		MeasureOrdered{}, MeasureCompleted{}, InvoiceForwarded{}, SanctionHint{},
		ReviewMeetingScheduled{}, ReviewMeetingRecorded{}, ExtraMeetingRequested{}, CaseClosed{}, ConsentWithdrawn{}, ApplicationChecked{},
	}
}

// Opens reports whether a message opens a case.
func Opens(n Name) bool { return n == ApplicationSubmitted{}.Name() }

// inCatalogue reports whether p is a value, not a pointer, of a type of the catalogue.
func inCatalogue(p Payload) bool {
	return slices.ContainsFunc(Catalogue(), func(zero Payload) bool { return reflect.TypeOf(zero) == reflect.TypeOf(p) })
}

// EncodePayload returns the payload as JSON with the personal values revealed. Seal the bytes or keep them in memory.
func EncodePayload(p Payload) ([]byte, error) {
	b, err := json.Marshal(p, personal.Revealed(), json.Deterministic(true))
	if err != nil {
		return nil, fault.New(fault.Park, "handover.encode", "encode", "the payload cannot be written as JSON")
	}
	return b, nil
}

// DecodePayload reads the payload of a named message strictly: no unknown, repeated or differently spelt members, no member
// missing that is not optional, no null, no invalid UTF-8, nothing after the object. An absent yes or no would otherwise
// turn into a no that nobody said. It does not validate the content; see [Message.Validate]. Errors are of kind Park and name the
// member's place, never its value.
func DecodePayload(n Name, b []byte) (Payload, error) {
	for _, zero := range Catalogue() {
		if zero.Name() != n {
			continue
		}
		p := reflect.New(reflect.TypeOf(zero))
		if err := strict.JSON(b, p.Interface()); err != nil {
			return nil, fault.Wrap(fault.Park, "handover.decode", err)
		}
		if err := complete(p.Type().Elem(), b); err != nil {
			return nil, fault.Wrap(fault.Park, "handover.decode", err)
		}
		return p.Elem().Interface().(Payload), nil
	}
	return nil, fault.New(fault.Park, "handover.decode", "unknown-message", "the message is not in this version's catalogue").
		Hint("update this gateway, or ask the sender which version it uses")
}
