package osiv

import (
	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/ech0058"
	"github.com/einmal-hub/einmal/mocks/xsd"
)

// judge checks a content that stands alone: the registration first, then the schema, then the rules beyond it.
func (m *Mock) judge(code native.Kind, body []byte) (contract.Kind, error) {
	kind, known := contract.KindOf(code)
	root, err := strict.XML(body)
	if !known || err != nil || len(body) > contract.MaxContent {
		return kind, errMalformed
	}
	if !registered(root) {
		return kind, &refusal{reason: contract.ReasonNotRegistered, path: strict.PathOf(root)}
	}
	if err := m.schema.Check(root); err != nil {
		return kind, err
	}
	header := ech0058.Child(root, contract.Namespace, "meldungsrahmen")
	switch {
	case root.Tag != kind.Root:
		return kind, xsd.Wrong(root, "does not belong to the kind")
	case ech0058.Value(header, contract.HeaderNamespace, "subMessageType") != string(code):
		return kind, xsd.Wrong(header, "names another subMessageType than the kind")
	case !actionFits(root):
		return kind, xsd.Wrong(header, "has an action that does not fit")
	case !kind.Documents && len(documents(root)) > 0:
		return kind, xsd.Wrong(header, "names documents in a kind that has none")
	case own(root, "bis") < own(root, "von"):
		return kind, xsd.Wrong(root, "ends before it begins")
	}
	if err := attachmentsDiffer(root); err != nil {
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
	case root.Tag != "gesuchspruefung":
		return action == contract.ActionNew
	case own(root, "pruefergebnis") == "ZUR":
		return action == contract.ActionNegative
	default:
		return action == contract.ActionPositive
	}
}

// attachmentsDiffer refuses a document that is named twice.
func attachmentsDiffer(root *etree.Element) error {
	seen := map[string]bool{}
	for _, a := range attachments(root) {
		if seen[own(a, "sha256")] {
			return xsd.Wrong(a, "names a document for the second time")
		}
		seen[own(a, "sha256")] = true
	}
	return nil
}

// check demands a finding that refuses the application exactly when it was returned.
func check(root *etree.Element) error {
	refuses := false
	for _, f := range strict.Children(root, contract.Namespace, "befund") {
		refuses = refuses || own(f, "schwere") == "A"
	}
	if refuses != (own(root, "pruefergebnis") == "ZUR") {
		return xsd.Wrong(root, "has a result that does not follow from its findings")
	}
	return nil
}

// registered is OSIV's own guard: nobody can be entered without an IV registration.
func registered(root *etree.Element) bool {
	return root.Tag != "zusammenarbeitsgesuch" || own(root, "ivAnmeldung") != ""
}

// own is the value of a child in OSIV's namespace.
func own(el *etree.Element, local string) string {
	return ech0058.Value(el, contract.Namespace, local)
}

func rules(root *etree.Element) error {
	switch root.Tag {
	case "zusammenarbeitsgesuch":
		return application(root)
	case "gesuchsentscheid":
		if own(root, "entscheid") == "ABL" && own(root, "ablehnungsgrund") == "" {
			return xsd.Wrong(root, "rejects and lacks ablehnungsgrund")
		}
	case "uebergabeprotokoll":
		return transferNote(root)
	case "gesuchspruefung":
		return check(root)
	case "standortprotokoll":
		if goesOn := own(root, "weiterfuehrung"); (goesOn == "true" || goesOn == "1") && own(root, "naechstesGespraech") == "" {
			return xsd.Wrong(root, "goes on and lacks naechstesGespraech")
		}
	}
	return nil
}

func application(root *etree.Element) error {
	identification := ech0058.Child(ech0058.Child(root, contract.Namespace, "versichertePerson"), contract.Namespace, "identifikation")
	if vn := ech0058.Value(identification, contract.PersonNamespace, "vn"); vn != "" {
		if _, err := personal.ParseAHV(vn); err != nil {
			return xsd.Wrong(identification, "holds a vn with a wrong check digit")
		}
	}
	switch {
	case own(root, "antragstellendeStelle") == own(root, "ersuchteStelle"):
		return xsd.Wrong(root, "names the same office twice")
	case own(ech0058.Child(root, contract.Namespace, "rechtsgrundlage"), "vom") > own(root, "gesuchsdatum"):
		return xsd.Wrong(root, "has a legal basis that was given after the application")
	}
	return declarations(root)
}

// declarations checks that no question stands twice, and that the state of the IV procedure does not contradict the registration.
func declarations(root *etree.Element) error {
	asked := map[string]bool{}
	for _, d := range strict.Children(root, contract.Namespace, "erklaerung") {
		question := own(d, "frage")
		if asked[question] {
			return xsd.Wrong(d, "answers a question again")
		}
		asked[question] = true
		if question == "Q209" && own(d, "antwort") != map[string]string{"L": "W06", "E": "W07"}[own(root, "ivAnmeldung")] {
			return xsd.Wrong(d, "contradicts ivAnmeldung")
		}
	}
	return nil
}

func transferNote(root *etree.Element) error {
	for _, a := range strict.Children(root, contract.Namespace, "teilnehmende") {
		if agrees := own(a, "einverstanden"); agrees != "true" && agrees != "1" {
			return nil
		}
	}
	if own(root, "beginnFallarbeit") == "" || own(root, "naechstesGespraech") == "" {
		return xsd.Wrong(root, "is agreed and lacks beginnFallarbeit or naechstesGespraech")
	}
	return nil
}
