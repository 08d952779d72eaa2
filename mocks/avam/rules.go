package avam

import (
	"errors"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/ech0058"
	"github.com/einmal-hub/einmal/mocks/xsd"
)

// content checks a content that stands alone.
func (m *Mock) content(kind native.Kind, body []byte) error {
	root, err := strict.XML(body)
	if err != nil {
		return err
	}
	if err := m.schema.Check(root); err != nil {
		return err
	}
	return rules(kind, root)
}

// kindOf returns the kind with a code, for messages that name one.
func kindOf(code native.Kind) (contract.Kind, error) {
	k, ok := contract.KindOf(code)
	if !ok {
		return k, errors.New("the kind is not one of OPT01 to OPT22")
	}
	return k, nil
}

// rules checks what the contract demands beyond its schemas. The content is valid by the schema.
func rules(code native.Kind, root *etree.Element) error {
	kind, err := kindOf(code)
	if err != nil {
		return err
	}
	header := ech0058.Child(root, contract.Namespace, "deliveryHeader")
	switch {
	case root.Tag != kind.Root:
		return xsd.Wrong(root, "does not belong to the kind")
	case ech0058.Value(header, contract.HeaderNamespace, "messageType") != string(code):
		return xsd.Wrong(header, "names another messageType than the kind")
	case !actionFits(root):
		return xsd.Wrong(header, "has an action that does not fit")
	}
	if err := documentsDiffer(root); err != nil {
		return err
	}
	if err := period(ech0058.Child(root, contract.Namespace, "validity")); err != nil {
		return err
	}
	switch root.Tag {
	case "application":
		return application(root)
	case "admissionDecision":
		return decision(root)
	case "transferNote":
		return transferNote(root)
	case "reviewNote":
		return reviewNote(root)
	case "admissionCheck":
		return check(root)
	}
	return nil
}

// actionFits reports whether the action of the frame is one of the content: a report for the check of an application, and nothing else; with the number of an earlier
// entry for a recall or correction.
func actionFits(root *etree.Element) bool {
	action := frame().Value(root, "action")
	switch {
	case action == "3" || action == "4":
		return frame().Value(root, "referenceMessageId") != ""
	case root.Tag != "admissionCheck":
		return action == "1"
	case own(root, "checkResult") == "Z":
		return action == ech0058.ActionReportNegative
	default:
		return action == ech0058.ActionReportPositive
	}
}

// documentsDiffer refuses a document that is named twice.
func documentsDiffer(root *etree.Element) error {
	seen := map[string]bool{}
	for _, d := range strict.Children(root, contract.Namespace, "document") {
		hash := own(d, "sha256")
		if seen[hash] {
			return xsd.Wrong(d, "is named for the second time")
		}
		seen[hash] = true
	}
	return nil
}

// check demands a finding that refuses the application exactly when it was returned.
func check(root *etree.Element) error {
	refuses := false
	for _, f := range strict.Children(root, contract.Namespace, "finding") {
		refuses = refuses || own(f, "weight") == "1"
	}
	if refuses != (own(root, "checkResult") == "Z") {
		return xsd.Wrong(root, "has a result that does not follow from its findings")
	}
	return nil
}

// own is the value of a child in AVAM's namespace.
func own(el *etree.Element, local string) string { return ech0058.Value(el, contract.Namespace, local) }

func period(el *etree.Element) error {
	if el != nil && own(el, "to") < own(el, "from") {
		return xsd.Wrong(el, "ends before it begins")
	}
	return nil
}

func application(root *etree.Element) error {
	identification := ech0058.Child(ech0058.Child(root, contract.Namespace, "insuredPerson"), contract.Namespace, "identification")
	if vn := ech0058.Value(identification, contract.PersonNamespace, "vn"); vn != "" {
		if _, err := personal.ParseAHV(vn); err != nil {
			return xsd.Wrong(identification, "holds a vn with a wrong check digit")
		}
	}
	switch {
	case own(root, "applicantOffice") == own(root, "requestedOffice"):
		return xsd.Wrong(root, "names the same office twice")
	case own(ech0058.Child(root, contract.Namespace, "legalBasis"), "givenOn") > own(root, "filedOn"):
		return xsd.Wrong(root, "has a legal basis that was given after the application")
	}
	return statements(root)
}

// statements refuses a question that is answered twice.
func statements(root *etree.Element) error {
	seen := map[string]bool{}
	for _, s := range strict.Children(root, contract.Namespace, "statement") {
		question := own(s, "question")
		if seen[question] {
			return xsd.Wrong(s, "answers a question for the second time")
		}
		seen[question] = true
	}
	return nil
}

func decision(root *etree.Element) error {
	if own(root, "decision") == "2" && own(root, "refusalCode") == "" {
		return xsd.Wrong(root, "rejects and lacks refusalCode")
	}
	return nil
}

func transferNote(root *etree.Element) error {
	for _, a := range strict.Children(root, contract.Namespace, "attendee") {
		if agrees := own(a, "agrees"); agrees != "true" && agrees != "1" {
			return nil
		}
	}
	if own(root, "leadershipFrom") == "" || own(root, "nextConversationOn") == "" {
		return xsd.Wrong(root, "is agreed and lacks leadershipFrom or nextConversationOn")
	}
	return nil
}

func reviewNote(root *etree.Element) error {
	goesOn := own(root, "caseworkContinues")
	if (goesOn == "true" || goesOn == "1") && own(root, "nextConversationOn") == "" {
		return xsd.Wrong(root, "goes on and lacks nextConversationOn")
	}
	return nil
}
