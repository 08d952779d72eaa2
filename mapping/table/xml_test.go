package table_test

import (
	"testing"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping/table"
	"github.com/stretchr/testify/require"
)

const note = `<e44:note xmlns="urn:example:ech" xmlns:e44="urn:example:e44"><header><senderId>sd-kriens</senderId><test>true</test></header><on>2026-03-01</on>` +
	`<attendee role="P"><name>A</name><agrees>true</agrees></attendee><attendee role="A"><name>B</name><agrees>false</agrees></attendee><able>true</able></e44:note>`

const invoice = `<invoice xmlns="urn:example:ech"><header><senderId>x</senderId><test>false</test></header><number>K-1</number><on>2026-03-01</on><chf currency="CHF">0.05</chf></invoice>`

func TestXMLSaysTheSameInBothDirections(t *testing.T) {
	ech := load(t, "ech.yaml")
	for _, body := range []string{application, note, invoice} {
		kind := map[string]string{application: "A1", note: "A2", invoice: "A3"}[body]
		content, err := ech.Read(ech.KindOf(ech.NameOf(ech.Kinds()[int(kind[1]-'1')])), []byte(body))
		require.NoError(t, err)
		require.NoError(t, content.Payload.Validate())
		_, written, err := ech.Write(content)
		require.NoError(t, err)
		require.Equal(t, body, string(written))
	}
}

func TestPrefixesAreFreeAndNamespacesCount(t *testing.T) {
	ech := load(t, "ech.yaml")
	other := `<x:invoice xmlns:x="urn:example:ech"><x:header><x:senderId>x</x:senderId><x:test>1</x:test></x:header><!-- c --><x:number><![CDATA[K-1]]></x:number>` +
		`<on xmlns="urn:example:ech">2026-03-01</on><x:chf currency="CHF">0.05</x:chf></x:invoice>`
	content, err := ech.Read("A3", []byte(other))
	require.NoError(t, err)
	require.Equal(t, "true", content.Outside.Get("test"))
	require.Empty(t, content.Outside.Get("recipient"))
	require.Equal(t, int64(5), content.Payload.(handover.InvoiceForwarded).AmountCents)

	_, err = ech.Read("A3", []byte(replaced(t, invoice, "urn:example:ech", "urn:evil")))
	require.Equal(t, "unexpected-root", fault.CodeOf(err))
	_, err = ech.Read("A3", []byte(application))
	require.Equal(t, "unexpected-root", fault.CodeOf(err))
}

func TestI4EveryElementOfARecordIsMappedDroppedByNameOrReported(t *testing.T) {
	for name, test := range map[string]struct{ body, old, with, want string }{
		"unknown element":           {invoice, `<number>`, `<extra/><number>`, "unknown-field at extra"},
		"unknown attribute":         {invoice, `<number>`, `<number id="1">`, "unknown-field at number.@id"},
		"unknown on the root":       {invoice, `<invoice `, `<invoice id="1" `, "unknown-field at @id"},
		"attribute of another name": {invoice, `currency="CHF"`, `currency="CHF" xmlns:q="urn:q" q:currency="CHF"`, "unknown-field at chf.@{urn:q}currency"},
		"element of another name":   {invoice, `<number>K-1</number>`, `<number xmlns="urn:q">K-1</number>`, "unknown-field at {urn:q}number"},
		"element of no namespace":   {invoice, `<number>K-1</number>`, `<number xmlns="">K-1</number>`, "unknown-field at {}number"},
		"element twice":             {invoice, `<number>K-1</number>`, `<number>K-1</number><number>K-2</number>`, "repeated-element at number"},
		"element inside a value":    {invoice, `<number>K-1</number>`, `<number><b/></number>`, "not-a-value at number"},
		"value for an object":       {invoice, `<header><senderId>x</senderId><test>false</test></header>`, `<header>x</header>`, "not-an-object at header"},
		"constant attribute":        {invoice, `currency="CHF"`, `currency="EUR"`, "unexpected-constant at chf.@currency"},
		"constant attribute absent": {invoice, ` currency="CHF"`, ``, "missing at chf.@currency"},
		"empty value":               {invoice, `<number>K-1</number>`, `<number/>`, "missing at number"},
		"header missing":            {invoice, `<senderId>x</senderId>`, ``, "missing at header.senderId"},
		"amount":                    {invoice, `0.05`, `0.5`, "amount-format at chf"},
		"blanks around a value":     {invoice, `<on>2026-03-01</on>`, `<on> 2026-03-01 </on>`, "date-format at on"},
		"wrong item":                {note, `role="A"`, `role="Z"`, "unknown-code at attendee[1].@role"},
		"empty item":                {note, `<able>`, `<attendee/><able>`, "missing at attendee[2].name"},
		"another country":           {application, `>CH<`, `>DE<`, "unexpected-constant at person.address.country"},
		"AHV number":                {application, `7569217076985`, `756.9217.0769.85`, "ahv-format at person.e44:vn"},
	} {
		t.Run(name, func(t *testing.T) {
			ech := load(t, "ech.yaml")
			kind := ech.KindOf(map[string]handover.Name{application: "application-submitted", note: "transfer-meeting-recorded", invoice: "invoice-forwarded"}[test.body])
			_, err := ech.Read(kind, []byte(replaced(t, test.body, test.old, test.with)))
			require.Contains(t, findings(t, err), test.want)
		})
	}
}

func TestXMLOfOtherKindsIsRefused(t *testing.T) {
	ech := load(t, "ech.yaml")
	for body, code := range map[string]string{`<!DOCTYPE x><invoice/>`: "document-type", ``: "no-root", `{}`: "text-outside-root", `<invoice xmlns="urn:example:ech"/>`: "missing", `<invoice xmlns="urn:example:ech">x</invoice>`: "not-an-object"} {
		_, err := ech.Read("A3", []byte(body))
		require.Equal(t, fault.Park, fault.KindOf(err))
		require.Equal(t, code, fault.CodeOf(err), body)
	}
}

func TestXMLNeverReplacesACharacter(t *testing.T) {
	ech := load(t, "ech.yaml")
	day, err := handover.ParseDate("2026-03-01")
	require.NoError(t, err)
	outside := table.Outside{"sender": {"x"}, "test": {"false"}}
	for _, text := range []string{"\r\n", "\t\"'<&>]]>", "ü😀\u00a0", " blanks "} {
		p := handover.InvoiceForwarded{Approval: "K", InvoicedOn: day, AmountCents: 100, Remark: "x"}
		p.Approval = text
		_, body, err := ech.Write(table.Content{Payload: p, Outside: outside})
		require.NoError(t, err)
		back, err := ech.Read("A3", body)
		require.NoError(t, err)
		require.Equal(t, text, back.Payload.(handover.InvoiceForwarded).Approval)
	}
	for _, text := range []string{"\x01", "\ufffe", "\ufffd"} {
		_, _, err := ech.Write(table.Content{Payload: handover.InvoiceForwarded{Approval: text, InvoicedOn: day, AmountCents: 1}, Outside: outside})
		require.Contains(t, findings(t, err), "charset at approval")
	}
}

func TestAValueBesideThePayloadIsNeverForgotten(t *testing.T) {
	ech := load(t, "ech.yaml")
	day, err := handover.ParseDate("2026-03-01")
	require.NoError(t, err)
	p := handover.InvoiceForwarded{Approval: "K", InvoicedOn: day, AmountCents: 1}
	for want, outside := range map[string]table.Outside{
		"outside at header.test":          {"sender": {"x"}},
		"outside at header.senderId":      {"sender": {"x", "y"}, "test": {"true"}},
		"charset at header.recipientId[]": {"sender": {"x"}, "test": {"true"}, "recipient": {"\x01"}},
	} {
		_, _, err := ech.Write(table.Content{Payload: p, Outside: outside})
		require.Equal(t, []string{want}, findings(t, err))
	}
	_, body, err := ech.Write(table.Content{Payload: p, Outside: table.Outside{"sender": {"x"}, "test": {"true"}, "recipient": {"a", "b"}}})
	require.NoError(t, err)
	back, err := ech.Read("A3", body)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, back.Outside["recipient"])
}
