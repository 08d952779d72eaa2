package table_test

import (
	"os"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping/table"
	"github.com/stretchr/testify/require"
)

// load reads a table of testdata.
func load(t testing.TB, name string) *table.Table {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	loaded, err := table.Load(name, data)
	require.NoError(t, err)
	return loaded
}

// findings renders the findings in err as "code at path".
func findings(t testing.TB, err error) []string {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, fault.Park, fault.KindOf(err))
	var fs fault.Findings
	require.ErrorAs(t, err, &fs)
	var rendered []string
	for _, f := range fs {
		rendered = append(rendered, f.Code+" at "+f.Path)
	}
	return rendered
}

// requireSame demands the same bytes: the order of the rows is the order in the document.
func requireSame(t testing.TB, want string, got []byte) {
	t.Helper()
	require.Equal(t, want, string(got))
}

// replaced returns s with one part replaced, which must be there.
func replaced(t testing.TB, s, old, with string) string {
	t.Helper()
	require.Contains(t, s, old)
	return strings.Replace(s, old, with, 1)
}

func encoded(t testing.TB, p handover.Payload) string {
	t.Helper()
	b, err := handover.EncodePayload(p)
	require.NoError(t, err)
	return string(b)
}

const klient = `"klient":{"nachname":"Müller-Zgraggen","vorname":"Jürg","ahv":"756.9217.0769.85","geburt":"29.02.1980","geschlecht":"m",` +
	`"strasse":"Kirchweg","nr":"7a","plz":6010,"ort":"Kriens","bfs":1059,"tel":"041 000 00 00","mail":"j@example.org","sprache":"Deutsch"}`

const anmeldung = `{"formular":"2025","version":3,"von":"sd-kriens","an":"rav-luzern","verfahren":"2","gruppe":"h","am":"01.03.2026",` + klient +
	`,"lage":{"beratung":true,"wsh":"J","stes":"nein","ale":false,"iv":false},"grundlage":"E","einwilligung":"2026-02-28","monate":"6",` +
	`"ziel":"Stelle < 50 % & \"fest\"","grund":"Zeile 1\nZeile 2","ansprechperson":{"name":"Rösli Käppeli","art":"intern","tel":"041 000 00 01"},` +
	`"stellvertretung":{"name":"Urs Bösch","art":"intern"},"bemerkung":"[M0001-01]"}`

const application = `<application xmlns="urn:example:ech" xmlns:e44="urn:example:e44"><header><senderId>sd-kriens</senderId><recipientId>rav-luzern</recipientId>` +
	`<test>false</test></header><from>sd-kriens</from><to>rav-luzern</to><procedure>2</procedure><group>08</group><on>2026-03-01</on>` +
	`<person><e44:vn>7569217076985</e44:vn><e44:officialName>Müller</e44:officialName><e44:firstName>Jürg</e44:firstName><e44:sex>1</e44:sex>` +
	`<e44:dateOfBirth><e44:yearMonthDay>1980-02-29</e44:yearMonthDay></e44:dateOfBirth><address><zip>6010</zip><town>Kriens</town><country>CH</country></address>` +
	`<bfs>1059</bfs></person><status><a>true</a><b>false</b><c>false</c><d>false</d><e>false</e></status><basis on="2026-02-28">E</basis>` +
	`<months>6</months><goal>Stelle &lt; 50 % &amp; "fest"</goal><reason>Zeile 1&#xD;` + "\n" + `Zeile 2</reason><contact><name>Rösli Käppeli</name></contact></application>`
