package tutoris_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native/tutoris"
)

var update = flag.Bool("update", false, "write the table of README.md anew")

func document(t *testing.T, name string) *etree.Element {
	t.Helper()
	b, err := fs.ReadFile(tutoris.Schemas(), name)
	require.NoError(t, err)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(b))
	return doc.Root()
}

// values lists an attribute of the elements that a path finds.
func values(root *etree.Element, path, attribute string) []string {
	var all []string
	for _, el := range root.FindElements(path) {
		all = append(all, el.SelectAttrValue(attribute, ""))
	}
	return all
}

func TestTheKindsAreTheContentsOfTheSchema(t *testing.T) {
	var roots, inFrame []string
	for _, k := range tutoris.Kinds() {
		roots = append(roots, k.Root)
		inFrame = append(inFrame, "tu:"+k.Root)
		got, ok := tutoris.KindOf(k.Code)
		require.True(t, ok)
		require.Equal(t, k, got)
		require.Equal(t, k.Code == "TU01", k.Opens)
	}
	require.Equal(t, roots, values(document(t, "tutoris-content.xsd"), "/schema/element", "name"))
	require.Equal(t, inFrame, values(document(t, "tutoris.xsd"), "/schema/complexType[@name='inhaltType']/choice/element", "ref"))
	require.Len(t, roots, len(handover.Catalogue()))
	_, ok := tutoris.KindOf("TU23")
	require.False(t, ok)
}

func TestEveryContentStartsWithTheFrameAndMayEndWithARemark(t *testing.T) {
	for _, el := range document(t, "tutoris-content.xsd").FindElements("/schema/element") {
		fields := el.FindElements("complexType/sequence/element")
		first, last := fields[0], fields[len(fields)-1]
		require.Equal(t, "kopf eCH-0058:headerType", first.SelectAttrValue("name", "")+" "+first.SelectAttrValue("type", ""))
		require.Equal(t, "bemerkung 0", last.SelectAttrValue("name", "")+" "+last.SelectAttrValue("minOccurs", ""))
	}
}

func reasons() []string {
	return []string{
		tutoris.ReasonUnknownCase, tutoris.ReasonInvalidContent, tutoris.ReasonOpening, tutoris.ReasonNotOpening, tutoris.ReasonUnknownEntry, tutoris.ReasonNoDocument,
		tutoris.ReasonRule,
	}
}

func TestTheReasonsAreThoseOfTheSchema(t *testing.T) {
	require.ElementsMatch(t, reasons(), values(document(t, "tutoris.xsd"), "simpleType[@name='grundType']/restriction/enumeration", "value"))
}

// The kinds that may name documents are those of the messages that have some.
func TestTheDocumentsAreThoseOfTheMessages(t *testing.T) {
	b, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var may []string
	for i, el := range document(t, "tutoris-content.xsd").FindElements("/schema/element") {
		_, has := reflect.TypeOf(handover.Catalogue()[i]).FieldByName("Documents")
		require.Equal(t, has, el.FindElement("complexType/sequence/element[@name='beilage']") != nil, el.SelectAttrValue("name", ""))
		if has {
			may = append(may, "`"+string(tutoris.Kinds()[i].Code)+"`")
		}
	}
	require.Contains(t, string(b), strings.Join(may[:len(may)-1], ", ")+" and "+may[len(may)-1]+" may have some")
	require.Equal(t, handover.DocumentLimit, tutoris.MaxDocument)
}

func TestTheNamespacesAreThoseOfTheStandards(t *testing.T) {
	for name, want := range map[string]string{
		"tutoris.xsd": tutoris.Namespace, "tutoris-content.xsd": tutoris.Namespace, "eCH-0058-5-subset.xsd": tutoris.HeaderNamespace,
		"eCH-0044-4-subset.xsd": tutoris.PersonNamespace,
	} {
		require.Equal(t, want, document(t, name).SelectAttrValue("targetNamespace", ""), name)
	}
}

// The table of the page is that of the code.
func TestTheReadmeNamesEverythingThatCanBeSaid(t *testing.T) {
	b, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var kinds []string
	for _, el := range document(t, "tutoris-content.xsd").FindElements("/schema/element") {
		for _, k := range tutoris.Kinds() {
			if k.Root == el.SelectAttrValue("name", "") {
				kinds = append(kinds, fmt.Sprintf("| %s | `%s` |", k.Code, k.Root))
			}
		}
	}
	page := string(b)
	if *update {
		page = strings.Replace(page, "KINDS\n", strings.Join(kinds, "\n")+"\n", 1)
		require.NoError(t, os.WriteFile("README.md", []byte(page), 0o600))
	}
	require.Contains(t, page, strings.Join(kinds, "\n"))
	for _, word := range append(reasons(),
		tutoris.Namespace, "1 MiB", "256 KiB", "20 MiB", "500", "2000", "999", tutoris.Inbox, tutoris.Archive, tutoris.Results, tutoris.Outbox, tutoris.Documents) {
		require.Contains(t, page, word)
	}
}

func TestTheNamesOfTheFilesAreReadAsTheyAreWritten(t *testing.T) {
	d := tutoris.Delivery{Reference: "0195e1a2-0000-7000-8000-000000000001", Attempt: 12}
	require.Equal(t, "lieferung_0195e1a2-0000-7000-8000-000000000001_12.xml", d.File())
	got, ok := tutoris.ParseDelivery(d.File())
	require.True(t, ok)
	require.Equal(t, d, got)
	require.Equal(t, "ergebnis_0000000007.xml", tutoris.ResultFile(7))
	run, ok := tutoris.ParseResult(tutoris.ResultFile(7))
	require.True(t, ok)
	require.EqualValues(t, 7, run)
	e := tutoris.Export{From: 3, To: 40, Run: 5}
	require.Equal(t, "export_0000000003_0000000040_0000000005.xml", e.File())
	read, ok := tutoris.ParseExport(e.File())
	require.True(t, ok)
	require.Equal(t, e, read)
	for _, name := range []string{
		"", ".lieferung_a_1.xml", "lieferung_a_1.xml.tmp", "lieferung_A_1.xml", "lieferung_a_0.xml", "lieferung_a_1000.xml", "lieferung_../a_1.xml", "lieferung_a_1.xml\n",
		"ergebnis_7.xml", "ergebnis_0000000000.xml", "ergebnis_00000000001.xml", ".ergebnis_0000000001.xml", "export_0000000002_0000000001_0000000001.xml",
		"export_0000000000_0000000001_0000000001.xml", "export_0000000001_0000000501_0000000001.xml", "export_0000000001_0000000001.xml", "export_1_1_1.xml",
	} {
		_, delivery := tutoris.ParseDelivery(name)
		_, result := tutoris.ParseResult(name)
		_, export := tutoris.ParseExport(name)
		require.False(t, delivery || result || export, name)
	}
	_, most := tutoris.ParseExport("export_0000000001_0000000500_0000000001.xml")
	require.True(t, most)
}

func FuzzNames(f *testing.F) {
	f.Add("lieferung_0195e1a2_1.xml")
	f.Add("ergebnis_0000000007.xml")
	f.Add("export_0000000003_0000000040_0000000005.xml")
	f.Fuzz(func(t *testing.T, name string) {
		if d, ok := tutoris.ParseDelivery(name); ok {
			require.Equal(t, name, d.File())
		}
		if run, ok := tutoris.ParseResult(name); ok {
			require.Equal(t, name, tutoris.ResultFile(run))
		}
		if e, ok := tutoris.ParseExport(name); ok {
			require.Equal(t, name, e.File())
		}
	})
}
