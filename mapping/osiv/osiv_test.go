package osiv_test

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/osiv"
	"github.com/einmal-hub/einmal/mocks/core"
	mock "github.com/einmal-hub/einmal/mocks/osiv"
)

var update = flag.Bool("update", false, "write FIELDS.md anew")

func mapper(t testing.TB) mapping.Mapper {
	t.Helper()
	m, err := osiv.New()
	require.NoError(t, err)
	return m
}

func office(t testing.TB) *mock.Mock {
	t.Helper()
	m, err := mock.New(mock.Options{System: "osiv", Folder: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

func facts(seed uint64) core.Facts {
	f := core.Invent(rand.New(rand.NewPCG(seed, 1))) //nolint:gosec // repeatable
	f.Assigning, f.Receiving = "iv-luzern", "sd-kriens"
	for i := range f.Declarations {
		if f.Declarations[i].Item == "IV_PROCEDURE" {
			f.Declarations[i].Answer = []string{"RUNNING", "CLOSED"}[seed%2]
		}
	}
	return f
}

func encoded(t testing.TB, p handover.Payload) string {
	t.Helper()
	b, err := handover.EncodePayload(p)
	require.NoError(t, err)
	return string(b)
}

var entered = time.Date(2026, 3, 2, 8, 30, 0, 123_000_000, time.UTC)

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
	b, err := os.ReadFile(filepath.Join("..", "..", "contracts", "native", "osiv", "testdata", "content", string(kind)+".xml"))
	require.NoError(t, err)
	return native.Record{ID: "E1", Kind: kind, Case: "D1", Organisation: "rav-luzern", Sequence: 1, At: entered, Body: b}
}

func message(p handover.Payload) handover.Message {
	return handover.Message{Payload: p, Envelope: handover.Envelope{
		ID: "0195e1a2-3333-7000-8000-00000000000c", Source: "klib", Name: p.Name(), Case: "0195e1a2-0000-7000-8000-000000000001", Time: entered,
		Sender: "sd-kriens", Sequence: 1, Action: handover.ActionNew,
	}}
}

var place = mapping.Placement{
	Reference: "0195e1a2-1111-7000-8000-00000000000a", System: "osiv", Organisation: "iv-luzern", Role: handover.Receiving, Case: "D1",
	Now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
}

func TestFieldsForPeople(t *testing.T) {
	table, err := osiv.Table()
	require.NoError(t, err)
	got := table.Markdown()
	if *update {
		require.NoError(t, os.WriteFile("FIELDS.md", []byte(got), 0o600))
	}
	want, err := os.ReadFile("FIELDS.md")
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestP7_OnlyWhoIsRegisteredWithTheIVIsWritten(t *testing.T) {
	submitted := func(ds ...handover.Declaration) handover.Payload {
		p, err := facts(1).Payload("application-submitted")
		require.NoError(t, err)
		a, ok := p.(handover.ApplicationSubmitted)
		require.True(t, ok)
		a.Declarations = ds
		return a
	}
	zero := 0
	for name, p := range map[string]handover.Payload{
		"nothing declared": submitted(), "another item": submitted(handover.Declaration{Item: "IV_APPEAL", Answer: "RUNNING"}),
		"none": submitted(handover.Declaration{Item: "IV_PROCEDURE", Answer: "NONE"}), "unknown": submitted(handover.Declaration{Item: "IV_PROCEDURE", Answer: "SUSPECTED"}),
		"a number": submitted(handover.Declaration{Item: "IV_PROCEDURE", Number: &zero}),
	} {
		for _, group := range []handover.Code{"A", "B", "C", "D", "E", "F", "G", "H", "I"} {
			a, ok := p.(handover.ApplicationSubmitted)
			require.True(t, ok)
			a.TargetGroup = group
			e, err := mapper(t).FromHandover(message(a), place)
			require.Equal(t, "no-iv-registration", fault.CodeOf(err), name)
			require.Equal(t, fault.Park, fault.KindOf(err))
			require.Empty(t, e)
		}
	}
	for answer, code := range map[handover.Code]string{"RUNNING": "L", "CLOSED": "E"} {
		e, err := mapper(t).FromHandover(message(submitted(handover.Declaration{Item: "IV_PROCEDURE", Answer: answer})), place)
		require.NoError(t, err)
		require.Contains(t, string(e.Body), "<ivAnmeldung>"+code+"</ivAnmeldung>")
		require.NoError(t, office(t).Validate(e.Kind, e.Body))
	}
}

func TestToHandover_TheRegistrationIsDeclared(t *testing.T) {
	r := example(t, "000101")
	r.Body = []byte(regexpErase(string(r.Body), "<erklaerung>", "</erklaerung>"))
	draft, err := mapper(t).ToHandover(r)
	require.NoError(t, err)
	a, ok := draft.Payload.(handover.ApplicationSubmitted)
	require.True(t, ok)
	require.Equal(t, []handover.Declaration{{Item: "IV_PROCEDURE", Answer: "RUNNING"}}, a.Declarations)
	r = example(t, "000101")
	r.Body = []byte(strings.Replace(string(r.Body), "<ivAnmeldung>L<", "<ivAnmeldung>E<", 1))
	_, err = mapper(t).ToHandover(r)
	require.Equal(t, "contradiction at ivAnmeldung", findings(t, err)[0])
}

// regexpErase cuts out everything from the first begin to the last end.
func regexpErase(s, begin, end string) string {
	from, to := strings.Index(s, begin), strings.LastIndex(s, end)+len(end)
	return s[:from] + s[to:]
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

func TestFromHandover_EveryMessageIsWhatOSIVTakesAndComesBackTheSame(t *testing.T) {
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
			require.Equal(t, handover.OrganisationID("sd-kriens"), draft.Sender)
		}
	}
}

func TestFromHandover_TheFrameIsTheEnvelope(t *testing.T) {
	msg := message(handover.ClarificationAnswered{Answer: "Ja"})
	e, err := mapper(t).FromHandover(msg, place)
	require.NoError(t, err)
	require.Equal(t, native.Entry{
		Reference: place.Reference, Kind: "000104", Case: "D1", CaseReference: msg.Case, Organisation: "iv-luzern", Body: e.Body,
	}, e)
	require.Contains(t, string(e.Body), "<eCH-0058:messageId>"+string(place.Reference)+"</eCH-0058:messageId>")
	require.Contains(t, string(e.Body), "<eCH-0058:messageDate>2026-03-02T08:30:00.123Z</eCH-0058:messageDate>")
	later := place
	later.Now = later.Now.Add(time.Hour)
	again, err := mapper(t).FromHandover(msg, later)
	require.NoError(t, err)
	require.Equal(t, e, again, "every attempt writes the same bytes")
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
	const header = "meldungsrahmen.eCH-0058:"
	for want, change := range map[string]func(*native.Record){
		"contradiction at " + header + "subMessageType": func(r *native.Record) { replace(r, "subMessageType>000102<", "subMessageType>000103<") },
		"contradiction at " + header + "senderId":       func(r *native.Record) { r.Organisation = "rav-sursee" },
		"contradiction at " + header + "businessProcessId": func(r *native.Record) {
			r.CaseReference = "c-1"
			replace(r, "<h:messageType>", "<h:businessProcessId>c-2</h:businessProcessId><h:messageType>")
		},
		"instant-format at " + header + "messageDate": func(r *native.Record) { replace(r, "T08:30:00Z", "T08:30:00") },
		"missing at " + header + "referenceMessageId": func(r *native.Record) { replace(r, "action>1<", "action>3<") },
		"unknown-code at " + header + "action":        func(r *native.Record) { replace(r, "action>1<", "action>5<") },
		"moved-header at meldungsrahmen": func(r *native.Record) {
			s := string(r.Body)
			from, to := strings.Index(s, "<meldungsrahmen"), strings.Index(s, "</meldungsrahmen>")+len("</meldungsrahmen>")
			r.Body = []byte(s[:from] + strings.Replace(s[to:], "</gesuchsrueckzug>", s[from:to]+"</gesuchsrueckzug>", 1))
		},
	} {
		r := example(t, "000102")
		change(&r)
		_, err := mapper(t).ToHandover(r)
		require.Contains(t, findings(t, err), want)
	}
}

func replace(r *native.Record, from, to string) {
	r.Body = []byte(strings.Replace(string(r.Body), from, to, 1))
}
