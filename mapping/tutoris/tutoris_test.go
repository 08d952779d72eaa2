package tutoris_test

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/tutoris"
	"github.com/einmal-hub/einmal/mocks/core"
	mock "github.com/einmal-hub/einmal/mocks/tutoris"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write FIELDS.md anew")

func mapper(t testing.TB) mapping.Mapper {
	t.Helper()
	m, err := tutoris.New()
	require.NoError(t, err)
	return m
}

func office(t testing.TB) *mock.Mock {
	t.Helper()
	m, err := mock.New(mock.Options{System: "tutoris", Folder: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

func facts(seed uint64) core.Facts {
	f := core.Invent(rand.New(rand.NewPCG(seed, 1))) //nolint:gosec // repeatable
	f.Assigning, f.Receiving = "sd-kriens", "rav-luzern"
	return f
}

func encoded(t testing.TB, p handover.Payload) string {
	t.Helper()
	b, err := handover.EncodePayload(p)
	require.NoError(t, err)
	return string(b)
}

// record is what a clerk of one of the two offices entered, or the gateway.
func record(n handover.Name, f core.Facts) native.Record {
	kind, body := mock.Compose(n, f)
	sender := f.Receiving
	if strings.Contains(string(body), "senderId>"+string(f.Assigning)+"<") {
		sender = f.Assigning
	}
	if n == (handover.ApplicationChecked{}).Name() {
		sender = handover.Gateway
	}
	return native.Record{ID: "E1", Kind: kind, Case: "D1", Organisation: sender, Sequence: 1, At: entered, Body: body}
}

// example is the contract's own example of a content, as a clerk of the assigning office entered it.
func example(t testing.TB, kind native.Kind) native.Record {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "contracts", "native", "tutoris", "testdata", "content", string(kind)+".xml"))
	require.NoError(t, err)
	return native.Record{ID: "E1", Kind: kind, Case: "D1", Organisation: "sd-kriens", Sequence: 1, At: entered, Body: b}
}

var entered = time.Date(2026, 3, 2, 8, 30, 0, 123_000_000, time.UTC)

func message(p handover.Payload) handover.Message {
	return handover.Message{Payload: p, Envelope: handover.Envelope{
		ID: "0195e1a2-3333-7000-8000-00000000000c", Source: "avam", Name: p.Name(), Case: "0195e1a2-0000-7000-8000-000000000001", Time: entered,
		Sender: "rav-luzern", Sequence: 1, Action: handover.ActionNew,
	}}
}

var place = mapping.Placement{
	Reference: "0195e1a2-1111-7000-8000-00000000000a", System: "tutoris", Organisation: "sd-kriens", Role: handover.Receiving, Case: "D1",
	Now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
}

// The mock's forms are filled in by hand from the contract; that they say the same as the facts is what the mapping is for.
func TestToHandover_EveryFormSaysWhatItsClerkKnew(t *testing.T) {
	m := mapper(t)
	for seed := range uint64(10) {
		f := facts(seed)
		for _, zero := range handover.Catalogue() {
			r := record(zero.Name(), f)
			draft, err := m.ToHandover(r)
			require.NoError(t, err, "%s", r.Body)
			want, err := f.Payload(zero.Name())
			require.NoError(t, err)
			require.Equal(t, encoded(t, want), encoded(t, draft.Payload))
			require.NoError(t, draft.Payload.Validate())
			require.Equal(t, mapping.Draft{Payload: draft.Payload, Sender: r.Organisation, Action: handover.ActionNew}, draft)
		}
	}
}

func TestFromHandover_EveryMessageIsWhatTutorisTakesAndComesBackTheSame(t *testing.T) {
	m, o := mapper(t), office(t)
	for seed := range uint64(10) {
		for _, zero := range handover.Catalogue() {
			payload, err := facts(seed).Payload(zero.Name())
			require.NoError(t, err)
			e, err := m.FromHandover(message(payload), place)
			require.NoError(t, err)
			require.NoError(t, o.Validate(e.Kind, e.Body), "%s", e.Body)
			draft, err := m.ToHandover(native.Record{
				ID: "E1", Kind: e.Kind, Organisation: e.Organisation, CaseReference: e.CaseReference, Reference: e.Reference, Body: e.Body,
			})
			require.NoError(t, err)
			require.Equal(t, encoded(t, payload), encoded(t, draft.Payload))
			require.Equal(t, handover.OrganisationID("rav-luzern"), draft.Sender)
		}
	}
}

func TestFromHandover_TheHeaderIsTheEnvelope(t *testing.T) {
	msg := message(handover.ClarificationAnswered{Answer: "Ja"})
	e, err := mapper(t).FromHandover(msg, place)
	require.NoError(t, err)
	require.Equal(t, native.Entry{
		Reference: place.Reference, Kind: "TU04", Case: "D1", CaseReference: msg.Case, Organisation: "sd-kriens", Body: e.Body,
	}, e)
	require.Equal(t, `<ruecksprachenantwort xmlns="urn:einmal-hub:tutoris:1" xmlns:eCH-0058="http://www.ech.ch/xmlns/eCH-0058/5"><kopf>`+
		`<eCH-0058:senderId>rav-luzern</eCH-0058:senderId><eCH-0058:recipientId>sd-kriens</eCH-0058:recipientId>`+
		`<eCH-0058:messageId>0195e1a2-1111-7000-8000-00000000000a</eCH-0058:messageId>`+
		`<eCH-0058:businessProcessId>0195e1a2-0000-7000-8000-000000000001</eCH-0058:businessProcessId><eCH-0058:messageType>TU04</eCH-0058:messageType>`+
		`<eCH-0058:sendingApplication><eCH-0058:manufacturer>einmal-hub</eCH-0058:manufacturer><eCH-0058:product>einmal</eCH-0058:product>`+
		`<eCH-0058:productVersion>1</eCH-0058:productVersion></eCH-0058:sendingApplication><eCH-0058:messageDate>2026-03-02T08:30:00.123Z</eCH-0058:messageDate>`+
		`<eCH-0058:action>1</eCH-0058:action><eCH-0058:testDeliveryFlag>false</eCH-0058:testDeliveryFlag></kopf><antwort>Ja</antwort></ruecksprachenantwort>`, string(e.Body))
	later := place
	later.Now = later.Now.Add(time.Hour)
	again, err := mapper(t).FromHandover(msg, later)
	require.NoError(t, err)
	require.Equal(t, e, again, "every attempt writes the same bytes")
}

func TestFromHandover_AnEnvelopeWithHolesIsParked(t *testing.T) {
	for name, change := range map[string]func(*handover.Message){
		"action": func(m *handover.Message) { m.Action = "request" }, "id": func(m *handover.Message) { m.ID = "" },
		"case": func(m *handover.Message) { m.Case = "" }, "sender": func(m *handover.Message) { m.Sender = "" },
		"time": func(m *handover.Message) { m.Time = time.Time{} },
	} {
		msg := message(handover.ClarificationAnswered{Answer: "Ja"})
		change(&msg)
		_, err := mapper(t).FromHandover(msg, place)
		require.Equal(t, fault.Park, fault.KindOf(err), name)
		require.Equal(t, "envelope", fault.CodeOf(err), name)
	}
}

// findings returns "code at path" of every finding.
func findings(t testing.TB, err error) []string {
	t.Helper()
	require.Equal(t, fault.Park, fault.KindOf(err), "%v", err)
	var fs fault.Findings
	require.ErrorAs(t, err, &fs)
	var all []string
	for _, f := range fs {
		all = append(all, f.Code+" at "+f.Path)
	}
	return all
}

func TestToHandover_HeaderAndFrameMustSayTheSame(t *testing.T) {
	const header = "kopf.eCH-0058:"
	for want, change := range map[string]func(*native.Record){
		"contradiction at " + header + "messageType": func(r *native.Record) { replace(r, "messageType>TU02<", "messageType>TU03<") },
		"contradiction at " + header + "senderId":    func(r *native.Record) { r.Organisation = "rav-sursee" },
		"contradiction at " + header + "businessProcessId": func(r *native.Record) {
			r.CaseReference = "c-1"
			replace(r, "<h:messageType>", "<h:businessProcessId>c-2</h:businessProcessId><h:messageType>")
		},
		"instant-format at " + header + "messageDate":   func(r *native.Record) { replace(r, "T08:30:00Z", "T08:30:00") },
		"missing at " + header + "referenceMessageId":   func(r *native.Record) { replace(r, "action>1<", "action>3<") },
		"unknown-code at " + header + "action":          func(r *native.Record) { replace(r, "action>1<", "action>5<") },
		"bool-format at " + header + "testDeliveryFlag": func(r *native.Record) { replace(r, "Flag>false<", "Flag>nein<") },
		"missing at " + header + "messageId":            func(r *native.Record) { replace(r, "<h:messageId>F-TU02</h:messageId>", "") },
		"repeated-element at " + header + "messageId":   func(r *native.Record) { replace(r, "<h:messageId>", "<h:messageId>F</h:messageId><h:messageId>") },
		"unknown-field at " + header + "responseExpected": func(r *native.Record) {
			replace(r, "</kopf>", "<h:responseExpected>true</h:responseExpected></kopf>")
		},
		"repeated-element at kopf": func(r *native.Record) { replace(r, "</kopf>", "</kopf><kopf/>") },
		"moved-header at kopf": func(r *native.Record) {
			s := string(r.Body)
			from, to := strings.Index(s, "<kopf"), strings.Index(s, "</kopf>")+len("</kopf>")
			r.Body = []byte(s[:from] + strings.Replace(s[to:], "</antragsrueckzug>", s[from:to]+"</antragsrueckzug>", 1))
		},
	} {
		r := example(t, "TU02")
		change(&r)
		_, err := mapper(t).ToHandover(r)
		require.Contains(t, findings(t, err), want)
	}
}

func replace(r *native.Record, from, to string) {
	r.Body = []byte(strings.Replace(string(r.Body), from, to, 1))
}

func TestToHandover_WhatCannotBeSaidIsParkedWithItsPlace(t *testing.T) {
	for want, change := range map[string]func(*native.Record){
		"unknown-code at prozess":     func(r *native.Record) { replace(r, "<prozess>OPT-ALV<", "<prozess>9<") },
		"unknown-code at zielgruppe":  func(r *native.Record) { replace(r, "<zielgruppe>H<", "<zielgruppe>ZG-H<") },
		"unknown-field at religion":   func(r *native.Record) { replace(r, "<ansprueche>", "<religion>x</religion><ansprueche>") },
		"unknown-field at prozess.@x": func(r *native.Record) { replace(r, "<prozess>", `<prozess x="1">`) },
		"missing at ziel": func(r *native.Record) {
			replace(r, "<ziel>", "<ziel></ziel><!--")
			replace(r, "<begruendung>", "--><begruendung>")
		},
		"date-format at antragsdatum": func(r *native.Record) { replace(r, "<antragsdatum>2026-", "<antragsdatum>26-") },
		"ahv-check-digit at klient.person.eCH-0044:vn": func(r *native.Record) {
			at := strings.Index(string(r.Body), "</p:vn>") - 1
			r.Body[at] = '0' + (r.Body[at]-'0'+1)%10
		},
		"repeated-element at ansprueche": func(r *native.Record) { replace(r, "<ansprueche>", "<ansprueche/><ansprueche>") },
	} {
		r := example(t, "TU01")
		change(&r)
		_, err := mapper(t).ToHandover(r)
		require.Contains(t, findings(t, err), want)
		require.NotContains(t, err.Error(), "Angelo")
	}
}

func TestToHandover_AnotherNamespaceIsAnotherElement(t *testing.T) {
	r := example(t, "TU01")
	r.Body = []byte(strings.ReplaceAll(string(r.Body), contract.PersonNamespace, "http://www.ech.ch/xmlns/eCH-0044/3"))
	_, err := mapper(t).ToHandover(r)
	require.Contains(t, findings(t, err), "missing at klient.person.eCH-0044:officialName")
	r = example(t, "TU01")
	r.Body = []byte(strings.ReplaceAll(string(r.Body), contract.Namespace, "urn:evil"))
	_, err = mapper(t).ToHandover(r)
	require.Equal(t, "unexpected-root", fault.CodeOf(err))
}

func TestToHandover_TheStrictGateStandsBeforeTheTable(t *testing.T) {
	for code, change := range map[string]func(*native.Record){
		"document-type":          func(r *native.Record) { r.Body = append([]byte(`<!DOCTYPE antrag>`), r.Body...) },
		"processing-instruction": func(r *native.Record) { replace(r, "<p:vn>756", "<p:vn>756<?x?>") },
		"malformed-xml":          func(r *native.Record) { r.Body = r.Body[:100] },
		"unknown-kind":           func(r *native.Record) { r.Kind = "TU99" },
		"unexpected-root":        func(r *native.Record) { r.Kind = "TU21" },
	} {
		r := example(t, "TU01")
		change(&r)
		_, err := mapper(t).ToHandover(r)
		require.Equal(t, fault.Park, fault.KindOf(err))
		require.Equal(t, code, fault.CodeOf(err))
	}
}

func application(t testing.TB) handover.ApplicationSubmitted {
	t.Helper()
	p, err := facts(7).Payload("application-submitted")
	require.NoError(t, err)
	a, ok := p.(handover.ApplicationSubmitted)
	require.True(t, ok)
	return a
}

func TestFromHandover_BlanksThatTutorisWouldRemoveAreParked(t *testing.T) {
	for path, change := range map[string]func(*handover.Person){
		"person.officialName":        func(p *handover.Person) { p.OfficialName = "von  Ah" },
		"person.firstName":           func(p *handover.Person) { p.FirstName = "Anna\nMaria" },
		"person.address.street":      func(p *handover.Person) { p.Address.Street = " Dorf" },
		"person.address.houseNumber": func(p *handover.Person) { p.Address.HouseNumber = "12 " },
		"person.address.town":        func(p *handover.Person) { p.Address.Town = "Sursee\t" },
	} {
		a := application(t)
		change(&a.Person)
		require.NoError(t, a.Validate(), "the message itself allows it")
		_, err := mapper(t).FromHandover(message(a), place)
		require.Equal(t, []string{"blanks at " + path}, findings(t, err))
	}
}

func TestNamesAtTheirLimitsArriveWhole(t *testing.T) {
	m, o := mapper(t), office(t)
	a := application(t)
	a.Person.OfficialName = personal.Text(strings.Repeat("Ä", 100))
	a.Person.FirstName = personal.Text(strings.Repeat("ł", 100))
	a.Person.Address = handover.Address{
		Street: personal.Text(strings.Repeat("é", 60)), HouseNumber: "123456789012", Zip: "9999", Town: personal.Text(strings.Repeat("ü", 40)), Municipality: 9999,
	}
	a.Goal = personal.Text(strings.Repeat("<", 1999) + "\n")
	require.NoError(t, a.Validate())
	e, err := m.FromHandover(message(a), place)
	require.NoError(t, err)
	require.NoError(t, o.Validate(e.Kind, e.Body))
	draft, err := m.ToHandover(native.Record{Kind: e.Kind, Body: e.Body})
	require.NoError(t, err)
	require.Equal(t, encoded(t, a), encoded(t, draft.Payload))
}

func TestFromHandover_WhatHasNoWordInTutorisIsParked(t *testing.T) {
	a := application(t)
	a.Process, a.TargetGroup = "OPTIMA_XX", "Z"
	_, err := mapper(t).FromHandover(message(a), place)
	require.Equal(t, []string{"unknown-code at process", "unknown-code at targetGroup"}, findings(t, err), "all findings at once")
	_, err = mapper(t).FromHandover(message(handover.ClarificationAnswered{Answer: "Ja\x01"}), place)
	require.Equal(t, []string{"charset at answer"}, findings(t, err))
}

func TestTheKindsAreThoseOfTheContract(t *testing.T) {
	table, err := tutoris.Table()
	require.NoError(t, err)
	var want []native.Kind
	for _, k := range contract.Kinds() {
		want = append(want, k.Code)
	}
	require.Equal(t, want, table.Kinds())
	require.Len(t, table.Names(), len(handover.Catalogue()))
}

func TestFieldsIsTheTableForPeople(t *testing.T) {
	table, err := tutoris.Table()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("FIELDS.md", []byte(table.Markdown()), 0o600))
	}
	want, err := os.ReadFile("FIELDS.md")
	require.NoError(t, err)
	require.Equal(t, string(want), table.Markdown())
}

func FuzzToHandover(f *testing.F) {
	for i, p := range handover.Catalogue() {
		r := record(p.Name(), facts(uint64(i))) //nolint:gosec // a small index
		f.Add(string(r.Kind), r.Body)
	}
	m, err := tutoris.New()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		draft, err := m.ToHandover(native.Record{Kind: native.Kind(kind), Body: body})
		if err != nil {
			var e *fault.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, fault.Park, fault.KindOf(err))
			return
		}
		if draft.Payload.Validate() != nil {
			return
		}
		msg := message(draft.Payload)
		e, err := m.FromHandover(msg, place)
		if err != nil {
			return // what a clerk's form let through and the standards do not
		}
		again, err := m.ToHandover(native.Record{Kind: e.Kind, Body: e.Body})
		require.NoError(t, err)
		require.Equal(t, encoded(t, draft.Payload), encoded(t, again.Payload))
	})
}
