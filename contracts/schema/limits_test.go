package schema_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/invopop/jsonschema"
	"github.com/stretchr/testify/require"
)

// The control characters, the replacement character and what XML cannot carry, as they stand in a class of a pattern. The characters
// themselves stand there and no escapes, because the dialects of patterns do not agree about escapes.
const (
	notInLine = "\x00-\x1f\x7f-\u009f\ufffd-\uffff"
	notInText = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\u009f\ufffd-\uffff"
)

type rule func(*jsonschema.Schema)

// line is a text without line breaks, of least to most characters.
func line(least, most uint64) rule { return bounded(notInLine, least, most) }

// text is a text that may have line breaks and tabs.
func text(least, most uint64) rule { return bounded(notInText, least, most) }

func bounded(not string, least, most uint64) rule {
	return func(s *jsonschema.Schema) {
		s.MaxLength, s.Not = &most, &jsonschema.Schema{Pattern: "[" + not + "]"}
		if least > 0 {
			s.MinLength, s.Pattern = &least, `\S`
		}
	}
}

func between(least, most int) rule {
	return func(s *jsonschema.Schema) {
		s.Minimum, s.Maximum = json.Number(strconv.Itoa(least)), json.Number(strconv.Itoa(most))
	}
}

// private marks a value that is about a person without being of a type that says so.
func private(s *jsonschema.Schema) { s.Extras = map[string]any{"x-personal": true} }

func both(a, b rule) rule {
	return func(s *jsonschema.Schema) { a(s); b(s) }
}

func items(least, most uint64) rule {
	return func(s *jsonschema.Schema) { s.MinItems, s.MaxItems = &least, &most }
}

func oneOf(codes ...any) rule {
	return func(s *jsonschema.Schema) { s.Enum, s.Pattern = codes, "" }
}

// limits are what Validate demands of one member. The test that compares both finds a limit that stands in one place only.
func limits() map[string]map[string]rule {
	free, name, approval := text(1, 2000), text(1, 100), line(1, 40)
	amount, crowd := between(1, 999_999_999), items(2, 20)
	return map[string]map[string]rule{
		"ApplicationSubmitted":     {"plannedMonths": between(1, 60), "declarations": items(1, 60), "goal": free, "reason": free},
		"Declaration":              {"answer": private, "number": both(between(0, 999_999), private), "on": private},
		"ClarificationRequested":   {"question": free},
		"ClarificationAnswered":    {"answer": free},
		"ApplicationDecided":       {"decision": oneOf("ACCEPTED", "REJECTED")},
		"TransferMeetingScheduled": {"place": text(1, 200)},
		"ReviewMeetingScheduled":   {"place": text(1, 200)},
		"TransferMeetingRecorded":  {"participants": crowd, "strategy": text(0, 2000)},
		"ReviewMeetingRecorded":    {"participants": crowd, "measures": text(0, 2000)},
		"ExtraMeetingRequested":    {"reason": free},
		"JobSearchExemptionSigned": {"extensionReason": text(0, 2000)},
		"CostApprovalRequested":    {"approval": approval, "measure": text(1, 200), "provider": text(1, 200), "amountCents": amount},
		"CostApprovalSigned":       {"approval": approval, "signedBy": name},
		"CostApprovalRefused":      {"approval": approval},
		"CostApprovalReminder":     {"approval": approval},
		"MeasureOrdered":           {"approval": approval},
		"MeasureCompleted":         {"approval": approval, "result": text(0, 2000)},
		"InvoiceForwarded":         {"approval": approval, "amountCents": amount},
		"SanctionHint":             {"hint": free},
		"Person": {
			"officialName": name, "firstName": name, "sex": oneOf("MALE", "FEMALE", "UNKNOWN"), "phone": text(0, 40), "email": text(0, 254),
		},
		"Address": {
			"street": text(0, 60), "houseNumber": text(0, 12), "town": text(1, 40), "municipality": between(1, 9999),
			"zip": func(s *jsonschema.Schema) { s.Pattern = `^[1-9][0-9]{3}$` },
		},
		"Document": {
			"name": line(1, 200), "size": both(between(1, handover.DocumentLimit), private), "mediaType": mediaType,
			"sha256": both(func(s *jsonschema.Schema) { s.Pattern = `^[0-9a-f]{64}$` }, private),
		},
		"ApplicationChecked": {"outcome": oneOf("RETURNED", "FORWARD"), "profile": line(1, 100), "findings": items(1, 60)},
		"RuleFinding": {
			"rule": both(line(1, 40), private), "severity": both(oneOf("REFUSE", "WARN"), private), "reason": private, "source": both(line(1, 200), private),
			"text": text(1, 500), "hint": text(0, 2000),
		},
		"Contact":     {"name": name, "phone": text(0, 40), "email": text(0, 254)},
		"Participant": {"name": name},
	}
}

// mediaType is a type and a subtype without parameters.
func mediaType(s *jsonschema.Schema) {
	const name = `[a-z0-9][a-z0-9!#$&^_.+-]*`
	most := uint64(100)
	s.MaxLength, s.Pattern = &most, "^"+name+"/"+name+"$"
}

// limit applies the limits to a struct's schema; every message has the remark, and a list of documents is the same everywhere.
func limit(t *testing.T, name string, s *jsonschema.Schema) {
	t.Helper()
	if remark, ok := s.Properties.Get("remark"); ok {
		text(0, 2000)(remark)
	}
	if documents, ok := s.Properties.Get("documents"); ok {
		items(1, 20)(documents)
	}
	for member, r := range limits()[name] {
		p, ok := s.Properties.Get(member)
		require.True(t, ok, "%s has no member %s", name, member)
		r(p)
	}
	for _, one := range alternatives()[name] {
		s.OneOf = append(s.OneOf, obligatory(one))
	}
}

// alternatives are members of which exactly one is there.
func alternatives() map[string][]string {
	return map[string][]string{"Declaration": {"answer", "number", "on"}}
}

// condition makes members obligatory when a document looks in a certain way.
type condition struct{ when, then, otherwise *jsonschema.Schema }

func conditions() map[handover.Name]condition {
	refused := member("severity", &jsonschema.Schema{Const: "REFUSE"})
	return map[handover.Name]condition{
		"application-checked": {
			when: member("outcome", &jsonschema.Schema{Const: "RETURNED"}), then: member("findings", &jsonschema.Schema{Contains: refused}),
			otherwise: member("findings", &jsonschema.Schema{Not: &jsonschema.Schema{Contains: refused}}),
		},
		"application-decided":     {when: member("decision", &jsonschema.Schema{Const: "REJECTED"}), then: obligatory("reason")},
		"review-meeting-recorded": {when: member("continue", &jsonschema.Schema{Const: true}), then: obligatory("nextReviewOn")},
		"transfer-meeting-recorded": {
			when: member("participants", &jsonschema.Schema{Items: member("agreed", &jsonschema.Schema{Const: true})}),
			then: obligatory("startOfCaseWork", "nextReviewOn"),
		},
	}
}

// member is a schema of an object that has a member of a certain kind.
func member(name string, s *jsonschema.Schema) *jsonschema.Schema {
	p := jsonschema.NewProperties()
	p.Set(name, s)
	return &jsonschema.Schema{Properties: p, Required: []string{name}}
}

func obligatory(names ...string) *jsonschema.Schema { return &jsonschema.Schema{Required: names} }
