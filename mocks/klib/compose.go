package klib

import (
	_ "embed"
	"fmt"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/go-json-experiment/json"
)

// form is a content as the clerk's form makes it.
type form map[string]any

// opt sets a field unless it was left empty.
func (m form) opt(name, value string) {
	if value != "" {
		m[name] = value
	}
}

// template is what the clerk chooses for one message: the kind of entry and its form.
type template struct {
	art  native.Kind
	fill func(core.Facts) form
}

// templates returns the forms of KLIB, by the message that they amount to.
func templates() map[handover.Name]template {
	return map[handover.Name]template{
		"application-submitted":       {"anmeldung", anmeldung},
		"application-withdrawn":       {"rueckzug", rueckzug},
		"clarification-requested":     {"rueckfrage", rueckfrage},
		"clarification-answered":      {"antwort", func(f core.Facts) form { return mit(form{"antwort": f.Answer}, f) }},
		"application-decided":         {"entscheid", entscheid},
		"transfer-meeting-scheduled":  {"uebergabetermin", termin},
		"transfer-meeting-recorded":   {"uebergabenotiz", uebergabenotiz},
		"job-search-exemption-signed": {"vereinbarung", vereinbarung},
		"cost-approval-requested":     {"kogu-antrag", koguAntrag},
		"cost-approval-signed":        {"kogu-unterzeichnet", koguUnterzeichnet},
		"cost-approval-refused":       {"kogu-abgelehnt", koguAbgelehnt},
		"cost-approval-reminder":      {"kogu-mahnung", koguMahnung},
		"measure-ordered":             {"massnahme-bestellt", massnahmeBestellt},
		"measure-completed":           {"massnahme-beendet", massnahmeBeendet},
		"invoice-forwarded":           {"rechnung", rechnung},
		"sanction-hint":               {"hinweis", hinweis},
		"review-meeting-scheduled":    {"standorttermin", termin},
		"review-meeting-recorded":     {"standortnotiz", standortnotiz},
		"extra-meeting-requested":     {"gespraechswunsch", gespraechswunsch},
		"case-closed":                 {"abschluss", abschluss},
		"consent-withdrawn":           {"widerruf", func(f core.Facts) form { return form{"datum": tag(f.WithdrawnOn)} }},
		"application-checked":         {"vorpruefung", vorpruefung},
	}
}

// Compose returns what a clerk of this system enters for a message when she knows the facts: the kind of entry and its content. An unknown message gives
// nothing.
func Compose(name handover.Name, f core.Facts) (native.Kind, []byte) {
	t, known := templates()[name]
	if !known {
		return "", nil
	}
	filled := t.fill(f)
	filled.opt("bemerkung", f.Remark)
	b, err := json.Marshal(map[string]any(filled), json.Deterministic(true))
	if err != nil {
		return "", nil
	}
	return t.art, b
}

// Dotted returns an AHV number as this system shows it, for clerks who look for it.
func Dotted(ahv string) string {
	if len(ahv) != 13 {
		return ahv
	}
	return ahv[:3] + "." + ahv[3:7] + "." + ahv[7:11] + "." + ahv[11:]
}

// tag writes a day as TT.MM.JJJJ; an empty one stays empty.
func tag(day string) string {
	if len(day) != len("2006-01-02") {
		return day
	}
	return day[8:] + "." + day[5:7] + "." + day[:4]
}

func janein(b bool) string {
	if b {
		return "J"
	}
	return "N"
}

func betrag(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

//go:embed words.json
var wordsJSON []byte

// woerter returns KLIB's longer lists of words. The file is part of the program, and a test holds that it can be read.
func woerter() map[string]map[string]string {
	var words map[string]map[string]string
	if err := strict.JSON(wordsJSON, &words); err != nil {
		return nil
	}
	return words
}

// wort returns KLIB's word for a code; an unknown one stays, so that the check finds it.
func wort(list map[string]string, code string) string {
	if w, known := list[code]; known {
		return w
	}
	return code
}

func kontakt(c core.Contact) form {
	k := form{"name": c.Name}
	k.opt("telefon", c.Phone)
	k.opt("mail", c.Email)
	return k
}

// mit lists the documents that belong to an entry.
func mit(m form, f core.Facts) form {
	var list []form
	for _, d := range f.Documents {
		list = append(list, form{"name": d.Name, "typ": d.MediaType, "groesse": d.Size(), "sha256": d.SHA256()})
	}
	if list != nil {
		m["dokumente"] = list
	}
	return m
}

// fuehrung says how the Stelle leads its own procedure.
func fuehrung(m form, f core.Facts) form {
	m.opt("verfahrensfuehrung", wort(map[string]string{"REDUCED": "eingeschraenkt", "SUSPENDED": "sistiert", "FULL": "uneingeschraenkt"}, f.Procedure))
	return m
}

// ortszeit writes a moment by Swiss clocks.
func ortszeit(at time.Time) string {
	zone, err := time.LoadLocation("Europe/Zurich")
	if err != nil {
		return ""
	}
	return at.In(zone).Format("02.01.2006 15:04")
}
