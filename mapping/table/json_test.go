package table_test

import (
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/stretchr/testify/require"
)

func TestJSONSaysTheSameInBothDirections(t *testing.T) {
	small := load(t, "klein.yaml")
	for kind, body := range map[native.Kind]string{
		"anmeldung": anmeldung,
		"entscheid": `{"entscheid":2,"grund":"K","am":"20260301","bemerkung":"x"}`,
		"notiz": `{"am":"01.03.2026","teilnehmende":[{"name":"A","rolle":"P","einverstanden":"J","typ":"person"},` +
			`{"name":"B","rolle":"A","einverstanden":"N","typ":"person"}],"kannundwill":true}`,
		"termin": `{"wann":"01.07.2026 09:30","wo":"Sursee"}`,
		"kogu":   `{"nummer":"K-1","massnahme":"Kurs","anbieter":"Lernhaus","von":"2026-03-01","bis":"2026-04-01","betrag":1234.50}`,
	} {
		payload, err := small.ToHandover(kind, []byte(body))
		require.NoError(t, err)
		require.NoError(t, payload.Validate())
		again, written, err := small.FromHandover(payload)
		require.NoError(t, err)
		require.Equal(t, kind, again)
		require.Equal(t, body, string(written))
	}
}

func TestValuesArriveAsTheyWere(t *testing.T) {
	payload, err := load(t, "klein.yaml").ToHandover("anmeldung", []byte(anmeldung))
	require.NoError(t, err)
	p := payload.(handover.ApplicationSubmitted)
	require.Equal(t, "7569217076985", p.Person.AHV.Reveal())
	require.Equal(t, "1980-02-29", p.Person.DateOfBirth.Reveal())
	require.Equal(t, personal.Text("6010"), p.Person.Address.Zip)
	require.Equal(t, handover.Code("OPTIMA_ALV"), p.Process)
	require.Equal(t, handover.Situation{SocialCounselling: true, EconomicAssistance: true}, p.Situation)
	require.Equal(t, 6, p.PlannedMonths)
	require.Equal(t, "Urs Bösch", p.Deputy.Name.Reveal())
	require.Equal(t, "Zeile 1\nZeile 2", p.Reason.Reveal())

	at, err := load(t, "klein.yaml").ToHandover("termin", []byte(`{"wann":"01.07.2026 09:30","wo":"Sursee"}`))
	require.NoError(t, err)
	require.Equal(t, "2026-07-01T09:30:00+02:00", at.(handover.TransferMeetingScheduled).At.String())
}

// I4: every field is mapped, dropped by name, or reported.
func TestI4EveryFieldOfARecordIsMappedDroppedByNameOrReported(t *testing.T) {
	for name, test := range map[string]struct{ old, with, want string }{
		"unknown at the top":      {`"von":`, `"neu":1,"von":`, "unknown-field at neu"},
		"unknown and null":        {`"von":`, `"neu":null,"von":`, "unknown-field at neu"},
		"unknown empty object":    {`"von":`, `"neu":{},"von":`, "unknown-field at neu"},
		"unknown below":           {`"nachname"`, `"kanton":"LU","nachname"`, "unknown-field at klient.kanton"},
		"unknown in a group":      {`"name":"Rösli`, `"büro":"2","name":"Rösli`, "unknown-field at ansprechperson.büro"},
		"another case":            {`"von":`, `"Von":"x","von":`, "unknown-field at Von"},
		"attribute-like":          {`"plz":6010`, `"plz":{"@x":1}`, "not-a-value at klient.plz"},
		"object for a value":      {`"ziel":"`, `"ziel":{"text":"x"},"grund2":"`, "not-a-value at ziel"},
		"list for a value":        {`"ort":"Kriens"`, `"ort":["Kriens"]`, "not-a-value at klient.ort"},
		"value for an object":     {`"lage":{`, `"lage":"x","lage2":{`, "not-an-object at lage"},
		"list for an object":      {`"lage":{`, `"lage":[],"lage2":{`, "not-an-object at lage"},
		"number for a text":       {`"ort":"Kriens"`, `"ort":6010`, "wrong-type at klient.ort"},
		"text for a number":       {`"bfs":1059`, `"bfs":"1059"`, "wrong-type at klient.bfs"},
		"text for a boolean":      {`"beratung":true`, `"beratung":"true"`, "wrong-type at lage.beratung"},
		"number for a boolean":    {`"beratung":true`, `"beratung":1`, "wrong-type at lage.beratung"},
		"unknown code":            {`"gruppe":"h"`, `"gruppe":"z"`, "unknown-code at gruppe"},
		"code in another case":    {`"gruppe":"h"`, `"gruppe":"H"`, "unknown-code at gruppe"},
		"unknown code of a bool":  {`"stes":"nein"`, `"stes":"vielleicht"`, "unknown-code at lage.stes"},
		"not J or N":              {`"wsh":"J"`, `"wsh":"j"`, "bool-format at lage.wsh"},
		"wrong check digit":       {`756.9217.0769.85`, `756.9217.0769.84`, "ahv-check-digit at klient.ahv"},
		"AHV number without dots": {`756.9217.0769.85`, `7569217076985`, "ahv-format at klient.ahv"},
		"dummy AHV number":        {`756.9217.0769.85`, `756.0000.0000.02`, "ahv-dummy at klient.ahv"},
		"day that does not exist": {`"am":"01.03.2026"`, `"am":"30.02.2026"`, "date-format at am"},
		"two-digit year":          {`"am":"01.03.2026"`, `"am":"01.03.26"`, "date-format at am"},
		"day in another order":    {`"geburt":"29.02.1980"`, `"geburt":"1980-02-29"`, "date-format at klient.geburt"},
		"day too long ago":        {`"geburt":"29.02.1980"`, `"geburt":"01.01.1753"`, "date-format at klient.geburt"},
		"text too long":           {`"vorname":"Jürg"`, `"vorname":"` + strings.Repeat("ü", 31) + `"`, "too-long at klient.vorname"},
		"text outside Latin-1":    {`"name":"Rösli`, `"name":"Rosłi`, "charset at ansprechperson.name"},
		"another constant":        {`"formular":"2025"`, `"formular":"2024"`, "unexpected-constant at formular"},
		"constant of other type":  {`"version":3`, `"version":"3"`, "unexpected-constant at version"},
		"constant missing":        {`"formular":"2025",`, ``, "missing at formular"},
		"value missing":           {`"gruppe":"h",`, ``, "missing at gruppe"},
		"value null":              {`"gruppe":"h"`, `"gruppe":null`, "missing at gruppe"},
		"value empty":             {`"gruppe":"h"`, `"gruppe":""`, "missing at gruppe"},
		"no missing yes or no":    {`"beratung":true,`, ``, "missing at lage.beratung"},
		"name of deputy missing":  {`{"name":"Urs Bösch","art":"intern"}`, `{"tel":"1","art":"intern"}`, "missing at stellvertretung.name"},
		"leading zero":            {`"monate":"6"`, `"monate":"06"`, "number-format at monate"},
		"fraction":                {`"bfs":1059`, `"bfs":1059.5`, "number-format at klient.bfs"},
		"exponent":                {`"bfs":1059`, `"bfs":1e3`, "number-format at klient.bfs"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, "klein.yaml").ToHandover("anmeldung", []byte(replaced(t, anmeldung, test.old, test.with)))
			require.Contains(t, findings(t, err), test.want)
		})
	}
}

func TestAllFindingsAreReportedAtOnce(t *testing.T) {
	body := `{"am":"31.04.2026","teilnehmende":[{"name":"A","rolle":"Q","einverstanden":"J","typ":"person"},{"rolle":"P","einverstanden":"?","typ":"x","y":1},{}],"z":1}`
	_, err := load(t, "klein.yaml").ToHandover("notiz", []byte(body))
	require.Equal(t, []string{
		"unknown-field at teilnehmende[1].y", "unknown-field at z",
		"missing at teilnehmende[1].name", "missing at teilnehmende[2].name", "missing at teilnehmende[2].rolle",
		"missing at teilnehmende[2].einverstanden", "missing at teilnehmende[2].typ", "missing at kannundwill",
		"date-format at am", "unknown-code at teilnehmende[0].rolle", "bool-format at teilnehmende[1].einverstanden", "unexpected-constant at teilnehmende[1].typ",
	}, findings(t, err))
}

func TestNullEmptyAndAbsentSayTheSame(t *testing.T) {
	small := load(t, "klein.yaml")
	for old, with := range map[string]string{
		`,"bemerkung":"[M0001-01]"`:                              `,"bemerkung":null`,
		`,"bemerkung":"[M0001-01]"}`:                             `,"bemerkung":""}`,
		`{"name":"Urs Bösch","art":"intern"}`:                    `{"name":null,"art":""}`,
		`"stellvertretung":{"name":"Urs Bösch","art":"intern"}`:  `"stellvertretung":null`,
		`"stellvertretung":{"name":"Urs Bösch","art":"intern"},`: `"stellvertretung":{},`,
	} {
		payload, err := small.ToHandover("anmeldung", []byte(replaced(t, anmeldung, old, with)))
		require.NoError(t, err)
		p := payload.(handover.ApplicationSubmitted)
		require.True(t, p.Deputy == nil || p.Remark == "")
	}
}

func TestWhatIsDroppedOnPurposeIsReadAndNotWritten(t *testing.T) {
	small := load(t, "klein.yaml")
	payload, err := small.ToHandover("anmeldung", []byte(replaced(t, anmeldung, `"nachname"`, `"anrede":"Herr","nachname"`)))
	require.NoError(t, err)
	_, written, err := small.FromHandover(payload)
	require.NoError(t, err)
	requireSame(t, anmeldung, written)

	day, err := handover.ParseDate("2026-03-01")
	require.NoError(t, err)
	_, written, err = small.FromHandover(handover.ApplicationDecided{Decision: handover.Accepted, DecidedOn: day, Contact: &handover.Contact{Name: "Urs"}})
	require.NoError(t, err)
	requireSame(t, `{"entscheid":1,"am":"20260301"}`, written)
}

func TestI4WritingRefusesWhatTheNativeSideCannotHold(t *testing.T) {
	small := load(t, "klein.yaml")
	read := func() handover.ApplicationSubmitted {
		payload, err := small.ToHandover("anmeldung", []byte(anmeldung))
		require.NoError(t, err)
		return payload.(handover.ApplicationSubmitted)
	}
	for want, change := range map[string]func(*handover.ApplicationSubmitted){
		"too-long at person.firstName":        func(p *handover.ApplicationSubmitted) { p.Person.FirstName = personal.Text(strings.Repeat("x", 31)) },
		"unknown-code at targetGroup":         func(p *handover.ApplicationSubmitted) { p.TargetGroup = "C" },
		"charset at contact.name":             func(p *handover.ApplicationSubmitted) { p.Contact.Name = "Łucja" },
		"charset at deputy.name":              func(p *handover.ApplicationSubmitted) { p.Deputy.Name = "€" },
		"number-format at person.address.zip": func(p *handover.ApplicationSubmitted) { p.Person.Address.Zip = "06010" },
		"missing at contact.name":             func(p *handover.ApplicationSubmitted) { p.Contact.Name = "" },
	} {
		t.Run(want, func(t *testing.T) {
			p := read()
			change(&p)
			_, body, err := small.FromHandover(p)
			require.Contains(t, findings(t, err), want)
			require.Empty(t, body)
		})
	}
}

func TestNumbersAreExact(t *testing.T) {
	small := load(t, "klein.yaml")
	body := `{"nummer":"K-1","massnahme":"Kurs","anbieter":"Lernhaus","von":"2026-03-01","bis":"2026-04-01","betrag":BETRAG}`
	for written, cents := range map[string]int64{"0.07": 7, "1234": 123400, "1234.5": 123450, "9999999.99": 999999999, "90071992547409.93": 9007199254740993, "0": 0} {
		payload, err := small.ToHandover("kogu", []byte(strings.Replace(body, "BETRAG", written, 1)))
		if len(written) > 16 {
			require.Contains(t, findings(t, err), "amount-format at betrag")
			continue
		}
		require.NoError(t, err)
		require.Equal(t, cents, payload.(handover.CostApprovalRequested).AmountCents)
	}
	for _, wrong := range []string{"1.005", "1e3", "-5", "-0.01", "0.1e1"} {
		_, err := small.ToHandover("kogu", []byte(strings.Replace(body, "BETRAG", wrong, 1)))
		require.Equal(t, []string{"amount-format at betrag"}, findings(t, err))
	}
}

func TestWhatCannotBeTakenApartIsRefused(t *testing.T) {
	small := load(t, "klein.yaml")
	for body, code := range map[string]string{
		``: "malformed-json", `[]`: "not-an-object", `null`: "null-document", `"x"`: "not-an-object", `{"am":1,"am":2}`: "malformed-json", "{\"am\":\"\xff\"}": "malformed-json",
	} {
		_, err := small.ToHandover("notiz", []byte(body))
		require.Equal(t, fault.Park, fault.KindOf(err))
		require.Equal(t, code, fault.CodeOf(err), body)
	}
	_, err := small.ToHandover("protokoll", []byte(`{}`))
	require.Equal(t, "unknown-kind", fault.CodeOf(err))
	_, _, err = small.FromHandover(handover.CaseClosed{})
	require.Equal(t, "unknown-message", fault.CodeOf(err))
}

func TestErrorsNeverHoldAValue(t *testing.T) {
	small := load(t, "klein.yaml")
	for _, old := range []string{"Müller-Zgraggen", "756.9217.0769.85", "29.02.1980", "2025", "\"h", "\"J", "\"nein", "2026-02-28"} {
		_, err := small.ToHandover("anmeldung", []byte(replaced(t, anmeldung, old, old[:1]+strings.Repeat("Canary", 20))))
		require.Error(t, err)
		require.NotContains(t, err.Error(), "Canary")
	}
}
