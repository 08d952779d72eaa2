package ivdossier

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
	"github.com/einmal-hub/einmal/contracts/personal"
)

// Validate checks a content by the contract. The error names the field, never its value.
func (m *Mock) Validate(kind native.Kind, body []byte) error {
	form, known := m.forms.Kind(kind)
	if !known {
		return errors.New("there is no form of this kind")
	}
	p, err := pageOf(body)
	if err != nil {
		return errors.New("the content is not names with texts")
	}
	for _, w := range p {
		field, known := form.Field(w.name)
		if !known {
			return fmt.Errorf("the form has no field %s", w.name)
		}
		if why := m.objection(field, w.text); why != "" {
			return fmt.Errorf("%s %s", w.name, why)
		}
	}
	if err := errors.Join(complete(form, p), coherent(p)); err != nil {
		return err
	}
	return sensible(kind, p)
}

// objection says what is wrong with a value, "" for nothing.
func (m *Mock) objection(f contract.Field, text string) string {
	forms := map[string]string{
		contract.TypeAmount: `^(0|[1-9][0-9]*)\.[0-9]{2}$`, contract.TypeNumber: `^(0|[1-9][0-9]*)$`, contract.TypeAHV: `^756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}$`,
		contract.TypeText: `^[^\x00-\x08\x0b\x0c\x0e-\x1f]+$`, contract.TypeLong: `^(?s)[^\x00-\x08\x0b\x0c\x0e-\x1f]+$`,
	}
	layouts := map[string]string{contract.TypeDate: "02.01.2006", contract.TypeMoment: "02.01.2006 15:04"}
	switch {
	case f.Type == contract.TypeCode && !slices.Contains(m.forms.List(f.List), text):
		return "is none of the words of its list"
	case forms[f.Type] != "" && !regexp.MustCompile(forms[f.Type]).MatchString(text):
		return "is not written as the contract says"
	case f.Max > 0 && utf8.RuneCountInString(text) > f.Max:
		return "is too long"
	case layouts[f.Type] != "":
		if t, err := time.Parse(layouts[f.Type], text); err != nil || t.Format(layouts[f.Type]) != text {
			return "is no day that exists, or not written as the contract says"
		}
	case f.Type == contract.TypeAHV:
		if _, err := personal.ParseAHV(text); err != nil {
			return "has a wrong check digit"
		}
	}
	return ""
}

// complete demands every field that must be filled in; in a list, when anything of the item is.
func complete(form contract.Form, p page) error {
	for _, f := range form.Fields {
		if !f.Must {
			continue
		}
		list, _, many := strings.Cut(f.Path, "[]")
		if !many {
			if p.text(f.Path) == "" {
				return fmt.Errorf("%s is missing", f.Path)
			}
			continue
		}
		for n := 1; anything(p, fmt.Sprintf("%s[%d].", list, n)); n++ {
			if path := strings.Replace(f.Path, "[]", fmt.Sprintf("[%d]", n), 1); p.text(path) == "" {
				return fmt.Errorf("%s is missing", path)
			}
		}
	}
	for _, who := range []string{"Ansprechperson.", "Stellvertretung.", "Fallführung."} {
		if anything(p, who) && p.text(who+"Name") == "" {
			return fmt.Errorf("%sName is missing", who)
		}
	}
	return nil
}

func anything(p page, prefix string) bool {
	return slices.ContainsFunc(p, func(w written) bool { return strings.HasPrefix(w.name, prefix) })
}

// sensible checks what concerns several fields.
func sensible(kind native.Kind, p page) error {
	switch kind {
	case "antrag":
		if p.text("Antragsteller") == p.text("Ersuchte-Stelle") {
			return errors.New("the application names the same office twice")
		}
		if sortable(p.text("Rechtsgrundlage.Vom")) > sortable(p.text("Antragsdatum")) {
			return errors.New("the legal basis was given after the application")
		}
		return asked(p)
	case "entscheid":
		if p.text("Entscheid") == "abgelehnt" && p.text("Ablehnungsgrund") == "" {
			return errors.New("the decision rejects and lacks Ablehnungsgrund")
		}
	case "uebergabenotiz":
		for n := 1; anything(p, fmt.Sprintf("Teilnehmende[%d].", n)); n++ {
			if p.text(fmt.Sprintf("Teilnehmende[%d].Einverstanden", n)) != "Ja" {
				return nil
			}
		}
		if p.text("Beginn-der-Fallarbeit") == "" || p.text("Nächstes-Gespräch-am") == "" {
			return errors.New("the note is agreed and lacks Beginn-der-Fallarbeit or Nächstes-Gespräch-am")
		}
	case "vorpruefung":
		return checked(p)
	case "standortnotiz":
		if p.text("Weiterführung") == "Ja" && p.text("Nächstes-Gespräch-am") == "" {
			return errors.New("the note goes on and lacks Nächstes-Gespräch-am")
		}
	}
	if sortable(p.text("Bis")) < sortable(p.text("Von")) {
		return errors.New("the period ends before it begins")
	}
	return nil
}

// asked checks that no question is answered twice.
func asked(p page) error {
	seen := map[string]bool{}
	for n := 1; anything(p, fmt.Sprintf("Erklärungen[%d].", n)); n++ {
		question := p.text(fmt.Sprintf("Erklärungen[%d].Frage", n))
		if seen[question] {
			return errors.New("a question is answered twice")
		}
		seen[question] = true
	}
	return nil
}

// coherent checks what concerns every form: a recall or correction says of what, and no document is named twice.
func coherent(p page) error {
	if action := p.text("Kopf.Vorgang"); action != "" && action != "neu" && p.text("Kopf.Bezug") == "" {
		return errors.New("Kopf.Bezug is missing")
	}
	seen := map[string]bool{}
	for n := 1; anything(p, fmt.Sprintf("Dokumente[%d].", n)); n++ {
		hash := p.text(fmt.Sprintf("Dokumente[%d].Prüfsumme", n))
		if seen[hash] || !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(hash) {
			return errors.New("a document stands twice, or without its hash")
		}
		seen[hash] = true
	}
	return nil
}

// checked demands a finding that excludes exactly when the application was returned.
func checked(p page) error {
	excludes := false
	n := 1
	for ; anything(p, fmt.Sprintf("Befunde[%d].", n)); n++ {
		excludes = excludes || p.text(fmt.Sprintf("Befunde[%d].Gewicht", n)) == "Ausschluss"
	}
	if n == 1 || excludes != (p.text("Ergebnis") == "zurückgewiesen") {
		return errors.New("the result of the check does not follow from its findings")
	}
	return nil
}

// sortable turns DD.MM.YYYY into something that sorts.
func sortable(day string) string {
	if len(day) != 10 {
		return ""
	}
	return day[6:] + day[3:5] + day[:2]
}
