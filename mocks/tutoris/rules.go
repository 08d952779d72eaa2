package tutoris

import (
	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/ech0058"
	"github.com/einmal-hub/einmal/mocks/xsd"
)

// judge checks a content that stands alone: the schema, then the rules beyond it.
func (m *Mock) judge(code native.Kind, body []byte) (contract.Kind, error) {
	kind, known := contract.KindOf(code)
	root, err := strict.XML(body)
	if !known || err != nil || len(body) > contract.MaxContent {
		return kind, errMalformed
	}
	if err := m.schema.Check(root); err != nil {
		return kind, err
	}
	header := ech0058.Child(root, contract.Namespace, "kopf")
	switch {
	case root.Tag != kind.Root:
		return kind, xsd.Wrong(root, "does not belong to the kind")
	case ech0058.Value(header, contract.HeaderNamespace, "messageType") != string(code):
		return kind, xsd.Wrong(header, "names another messageType than the kind")
	case !actionFits(root):
		return kind, xsd.Wrong(header, "has an action that does not fit")
	case own(root, "bis") < own(root, "von"):
		return kind, xsd.Wrong(root, "ends before it begins")
	}
	if err := documentsDiffer(root); err != nil {
		return kind, err
	}
	return kind, rules(root)
}

// actionFits reports whether the action of the frame is one of the content: a report for the check of an application, and nothing else; with the number of an earlier
// entry for a recall or correction.
func actionFits(root *etree.Element) bool {
	action := frame().Value(root, "action")
	switch {
	case action == contract.ActionRecall || action == contract.ActionCorrection:
		return frame().Value(root, "referenceMessageId") != ""
	case root.Tag != "antragspruefung":
		return action == contract.ActionNew
	case own(root, "pruefergebnis") == returned:
		return action == contract.ActionNegative
	default:
		return action == contract.ActionPositive
	}
}

// documentsDiffer refuses a document that is named twice.
func documentsDiffer(root *etree.Element) error {
	seen := map[string]bool{}
	for _, d := range strict.Children(root, contract.Namespace, "beilage") {
		if seen[own(d, "sha256")] {
			return xsd.Wrong(d, "names a document for the second time")
		}
		seen[own(d, "sha256")] = true
	}
	return nil
}

// What stands in a check: the result and the weight of a finding that go together.
const (
	returned = "zurueckgewiesen"
	refusing = "ausschluss"
)

// check demands a finding that refuses the application exactly when it was returned.
func check(root *etree.Element) error {
	refuses := false
	for _, f := range strict.Children(root, contract.Namespace, "befund") {
		refuses = refuses || own(f, "schwere") == refusing
	}
	if refuses != (own(root, "pruefergebnis") == returned) {
		return xsd.Wrong(root, "has a result that does not follow from its findings")
	}
	return nil
}

// own is the value of a child in the namespace of Tutoris.
func own(el *etree.Element, local string) string {
	return ech0058.Value(el, contract.Namespace, local)
}

func rules(root *etree.Element) error {
	switch root.Tag {
	case "antrag":
		return application(root)
	case "antragsentscheid":
		if own(root, "ergebnis") == "abgelehnt" && own(root, "ablehnungsgrund") == "" {
			return xsd.Wrong(root, "rejects and lacks ablehnungsgrund")
		}
	case "uebergabenotiz":
		return transferNote(root)
	case "antragspruefung":
		return check(root)
	case "standortnotiz":
		if own(root, "weiterfuehren") == "J" && own(root, "standortAm") == "" {
			return xsd.Wrong(root, "goes on and lacks standortAm")
		}
	}
	return nil
}

func application(root *etree.Element) error {
	identification := ech0058.Child(ech0058.Child(root, contract.Namespace, "klient"), contract.Namespace, "person")
	if vn := ech0058.Value(identification, contract.PersonNamespace, "vn"); vn != "" {
		if _, err := personal.ParseAHV(vn); err != nil {
			return xsd.Wrong(identification, "holds a vn with a wrong check digit")
		}
	}
	switch {
	case own(root, "zuweisendeStelle") == own(root, "angefragteStelle"):
		return xsd.Wrong(root, "names the same office twice")
	case own(ech0058.Child(root, contract.Namespace, "vollmacht"), "erteiltAm") > own(root, "antragsdatum"):
		return xsd.Wrong(root, "has a legal basis that was given after the application")
	}
	asked := map[string]bool{}
	for _, d := range strict.Children(root, contract.Namespace, "angabe") {
		if asked[own(d, "merkmal")] {
			return xsd.Wrong(d, "says something again")
		}
		asked[own(d, "merkmal")] = true
	}
	return nil
}

func transferNote(root *etree.Element) error {
	for _, a := range strict.Children(root, contract.Namespace, "anwesend") {
		if own(a, "stimmtZu") != "J" {
			return nil
		}
	}
	if own(root, "fallfuehrungAb") == "" || own(root, "standortAm") == "" {
		return xsd.Wrong(root, "is agreed and lacks fallfuehrungAb or standortAm")
	}
	return nil
}
