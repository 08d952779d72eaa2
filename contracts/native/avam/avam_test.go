package avam_test

import (
	"io/fs"
	"os"
	"reflect"
	"testing"

	"github.com/beevik/etree"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/stretchr/testify/require"
)

func document(t *testing.T, name string) *etree.Element {
	t.Helper()
	b, err := fs.ReadFile(avam.Schemas(), name)
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
	for _, k := range avam.Kinds() {
		roots = append(roots, k.Root)
		inFrame = append(inFrame, "av:"+k.Root)
		got, ok := avam.KindOf(k.Code)
		require.True(t, ok)
		require.Equal(t, k, got)
		require.Equal(t, k.Code == "OPT01", k.Opens)
	}
	require.Equal(t, roots, values(document(t, "avam-content.xsd"), "/schema/element", "name"))
	require.Equal(t, inFrame, values(document(t, "avam.xsd"), "//choice/element", "ref"))
	require.Len(t, roots, len(handover.Catalogue()))
	_, ok := avam.KindOf("OPT23")
	require.False(t, ok)
}

func TestEveryContentStartsWithTheHeaderAndMayEndWithANote(t *testing.T) {
	for _, el := range document(t, "avam-content.xsd").FindElements("/schema/element") {
		fields := el.FindElements("complexType/sequence/element")
		first, last := fields[0], fields[len(fields)-1]
		require.Equal(t, "deliveryHeader eCH-0058:headerType", first.SelectAttrValue("name", "")+" "+first.SelectAttrValue("type", ""))
		require.Equal(t, "note 0", last.SelectAttrValue("name", "")+" "+last.SelectAttrValue("minOccurs", ""))
	}
}

func TestTheOperationsAreThoseOfTheWSDL(t *testing.T) {
	operations := []string{avam.OpenCase, avam.AddEntry, avam.GetChanges, avam.FindByReference, avam.StoreDocument, avam.FetchDocument, avam.Ping}
	var actions []string
	declared := values(document(t, "avam.xsd"), "/schema/element", "name")
	for _, o := range operations {
		actions = append(actions, avam.Action(o))
		require.Contains(t, declared, o)
		require.Contains(t, declared, o+"Response")
	}
	wsdl := document(t, "avam.wsdl")
	require.Equal(t, operations, values(wsdl, "portType/operation", "name"))
	require.Equal(t, actions, values(wsdl, "binding/operation/soap:operation", "soapAction"))
	require.Equal(t, avam.Namespace, wsdl.SelectAttrValue("targetNamespace", ""))
}

func TestTheFaultsAreThoseOfTheSchema(t *testing.T) {
	frame := document(t, "avam.xsd")
	require.Equal(t, []string{avam.FaultNotProcessed, avam.FaultRefused, avam.FaultUnauthorised, avam.FaultUnknownMark, avam.FaultUnknownDoc},
		values(frame, "simpleType[@name='faultCodeType']/restriction/enumeration", "value"))
	require.ElementsMatch(t, reasons(),
		values(frame, "simpleType[@name='reasonType']/restriction/enumeration", "value"))
}

func reasons() []string {
	return []string{
		avam.ReasonUnknownCase, avam.ReasonInvalidContent, avam.ReasonOpening, avam.ReasonNotOpening, avam.ReasonUnknownEntry, avam.ReasonMissingDocument,
		avam.ReasonWrongDocument, avam.ReasonRule,
	}
}

// The kinds that may name documents are those of the messages that have some.
func TestTheDocumentsAreThoseOfTheMessages(t *testing.T) {
	b, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for i, el := range document(t, "avam-content.xsd").FindElements("/schema/element") {
		_, has := reflect.TypeOf(handover.Catalogue()[i]).FieldByName("Documents")
		may := el.FindElement("complexType/sequence/element[@name='document']") != nil
		require.Equal(t, has, may, el.SelectAttrValue("name", ""))
		if may {
			require.Contains(t, string(b), "`"+string(avam.Kinds()[i].Code)+"`")
		}
	}
	require.Equal(t, handover.DocumentLimit, avam.MaxDocument)
}

func TestTheNamespacesAreThoseOfTheStandards(t *testing.T) {
	for name, want := range map[string]string{
		"avam.xsd": avam.Namespace, "avam-content.xsd": avam.Namespace, "eCH-0058-5-subset.xsd": avam.HeaderNamespace,
		"eCH-0044-4-subset.xsd": avam.PersonNamespace, "eCH-0010-6-subset.xsd": avam.AddressNamespace, "eCH-0007-6-subset.xsd": avam.MunicipalityNamespace,
	} {
		require.Equal(t, want, document(t, name).SelectAttrValue("targetNamespace", ""), name)
	}
}

func TestTheReadmeNamesEverythingThatCanBeSaid(t *testing.T) {
	b, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, k := range avam.Kinds() {
		require.Contains(t, string(b), "| "+string(k.Code)+" | `"+k.Root+"` |")
	}
	for _, word := range append(reasons(),
		avam.FaultNotProcessed, avam.FaultRefused, avam.FaultUnauthorised, avam.FaultUnknownMark, avam.FaultUnknownDoc, avam.StoreDocument, avam.FetchDocument,
		avam.Namespace, "1 MiB", "256 KiB", "20 MiB", "200") {
		require.Contains(t, string(b), word)
	}
}
