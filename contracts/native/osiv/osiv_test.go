package osiv_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native/osiv"
)

var update = flag.Bool("update", false, "write the tables of README.md anew")

func document(t *testing.T, name string) *etree.Element {
	t.Helper()
	b, err := fs.ReadFile(osiv.Schemas(), name)
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
	for _, k := range osiv.Kinds() {
		roots = append(roots, k.Root)
		inFrame = append(inFrame, "os:"+k.Root)
		got, ok := osiv.KindOf(k.Code)
		require.True(t, ok)
		require.Equal(t, k, got)
		require.Equal(t, k.Code == "000101", k.Opens)
	}
	require.Equal(t, roots, values(document(t, "osiv-content.xsd"), "/schema/element", "name"))
	require.Equal(t, inFrame, values(document(t, "osiv.xsd"), "//choice/element", "ref"))
	require.Len(t, roots, len(handover.Catalogue()))
	_, ok := osiv.KindOf("000123")
	require.False(t, ok)
}

func TestEveryContentStartsWithTheFrameAndMayEndWithARemark(t *testing.T) {
	for _, el := range document(t, "osiv-content.xsd").FindElements("/schema/element") {
		fields := el.FindElements("complexType/sequence/element")
		first, last := fields[0], fields[len(fields)-1]
		require.Equal(t, "meldungsrahmen eCH-0058:headerType", first.SelectAttrValue("name", "")+" "+first.SelectAttrValue("type", ""))
		require.Equal(t, "hinweis 0", last.SelectAttrValue("name", "")+" "+last.SelectAttrValue("minOccurs", ""))
	}
}

func reasons() []string {
	return []string{
		osiv.ReasonUnknownCase, osiv.ReasonInvalidContent, osiv.ReasonOpening, osiv.ReasonNotOpening, osiv.ReasonNotRegistered, osiv.ReasonUnknownEntry,
		osiv.ReasonNoAttachment, osiv.ReasonRule,
	}
}

func TestTheReasonsAreThoseOfTheSchema(t *testing.T) {
	require.ElementsMatch(t, reasons(), values(document(t, "osiv.xsd"), "simpleType[@name='grundType']/restriction/enumeration", "value"))
}

func TestTheNamespacesAreThoseOfTheStandards(t *testing.T) {
	for name, want := range map[string]string{
		"osiv.xsd": osiv.Namespace, "osiv-content.xsd": osiv.Namespace, "eCH-0058-4-subset.xsd": osiv.HeaderNamespace,
		"eCH-0044-4-subset.xsd": osiv.PersonNamespace, "eCH-0090-1-subset.xsd": osiv.EnvelopeNamespace, "eCH-0090-2-subset.xsd": osiv.ReceiptNamespace,
	} {
		require.Equal(t, want, document(t, name).SelectAttrValue("targetNamespace", ""), name)
	}
}

func TestP7_OnlyAnApplicationWithRegistrationIsOne(t *testing.T) {
	for text, want := range map[string]bool{
		`<zusammenarbeitsgesuch xmlns="urn:einmal-hub:osiv:1"><ivAnmeldung>L</ivAnmeldung></zusammenarbeitsgesuch>`:                             true,
		`<zusammenarbeitsgesuch xmlns="urn:einmal-hub:osiv:1"><ivAnmeldung>E</ivAnmeldung></zusammenarbeitsgesuch>`:                             true,
		`<zusammenarbeitsgesuch xmlns="urn:einmal-hub:osiv:1"><ivAnmeldung>N</ivAnmeldung></zusammenarbeitsgesuch>`:                             false,
		`<zusammenarbeitsgesuch xmlns="urn:einmal-hub:osiv:1"><ivAnmeldung/></zusammenarbeitsgesuch>`:                                           false,
		`<zusammenarbeitsgesuch xmlns="urn:einmal-hub:osiv:1"/>`:                                                                                false,
		`<zusammenarbeitsgesuch xmlns="urn:einmal-hub:osiv:1"><ivAnmeldung>L</ivAnmeldung><ivAnmeldung>L</ivAnmeldung></zusammenarbeitsgesuch>`: false,
		`<abschluss xmlns="urn:einmal-hub:osiv:1"/>`:                                                                                            true,
	} {
		doc := etree.NewDocument()
		require.NoError(t, doc.ReadFromString(text))
		require.Equal(t, want, osiv.Registered(doc.Root()), text)
	}
}

// The kinds that may name documents are those of the messages that have some.
func TestTheDocumentsAreThoseOfTheMessages(t *testing.T) {
	b, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var may []string
	for i, k := range osiv.Kinds() {
		if _, has := reflect.TypeOf(handover.Catalogue()[i]).FieldByName("Documents"); has {
			may = append(may, "`"+string(k.Code)+"`")
		}
		require.Equal(t, k.Documents, slices.Contains(may, "`"+string(k.Code)+"`"), k.Code)
	}
	require.Contains(t, string(b), strings.Join(may[:len(may)-1], ", ")+" and "+may[len(may)-1]+" may have some")
	require.Equal(t, handover.DocumentLimit, osiv.MaxAttachment)
}

// The tables of the page are those of the code.
func TestTheReadmeNamesEverythingThatCanBeSaid(t *testing.T) {
	b, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var codes, kinds []string
	for i, c := range osiv.ReceiptCodes() {
		require.True(t, i == 0 || osiv.ReceiptCodes()[i-1].Code < c.Code)
		codes = append(codes, fmt.Sprintf("| %d | %s | %s |", c.Code, c.Meaning, c.Effect))
	}
	for _, el := range document(t, "osiv-content.xsd").FindElements("/schema/element") {
		for _, k := range osiv.Kinds() {
			if k.Root == el.SelectAttrValue("name", "") {
				kinds = append(kinds, fmt.Sprintf("| %s | `%s` |", k.Code, k.Root))
			}
		}
	}
	page := string(b)
	if *update {
		page = strings.Replace(page, "CODES\n", strings.Join(codes, "\n")+"\n", 1)
		page = strings.Replace(page, "KINDS\n", strings.Join(kinds, "\n")+"\n", 1)
		require.NoError(t, os.WriteFile("README.md", []byte(page), 0o600))
	}
	require.Contains(t, page, strings.Join(codes, "\n"))
	require.Contains(t, page, strings.Join(kinds, "\n"))
	for _, word := range append(reasons(),
		osiv.Namespace, "1 MiB", "404 MiB", "20 MiB", "256 KiB", osiv.MessageFile, osiv.AttachmentsFolder, osiv.Documents) {
		require.Contains(t, page, word)
	}
}
