package xsd

import (
	"testing"
	"testing/fstest"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"
)

func TestSchema_AnUnknownConstructIsNotPassedOver(t *testing.T) {
	_, err := Load(fstest.MapFS{})
	require.Error(t, err)
	for name, inner := range map[string]string{
		"element":   `<xs:group name="x"/>`,
		"facet":     `<xs:simpleType name="x"><xs:restriction base="xs:string"><xs:whiteSpace value="collapse"/></xs:restriction></xs:simpleType>`,
		"base":      `<xs:simpleType name="x"><xs:restriction base="xs:duration"/></xs:simpleType>`,
		"list":      `<xs:simpleType name="x"><xs:list/></xs:simpleType>`,
		"type":      `<xs:element name="x" type="xs:duration"/>`,
		"ref":       `<xs:complexType name="x"><xs:sequence><xs:element ref="y"/></xs:sequence></xs:complexType>`,
		"any":       `<xs:complexType name="x"><xs:sequence><xs:any/></xs:sequence></xs:complexType>`,
		"unbound":   `<xs:complexType name="x"><xs:sequence><xs:element name="y" type="xs:string" maxOccurs="unbounded"/></xs:sequence></xs:complexType>`,
		"extended":  `<xs:complexType name="x"><xs:complexContent/></xs:complexType>`,
		"attribute": `<xs:complexType name="x"><xs:sequence/><xs:attribute name="y" type="xs:string"/></xs:complexType>`,
		"pattern":   `<xs:simpleType name="x"><xs:restriction base="xs:string"><xs:pattern value="("/></xs:restriction></xs:simpleType>`,
	} {
		file := `<xs:schema xmlns:xs="` + Namespace + `" targetNamespace="urn:x">` + inner + `</xs:schema>`
		_, err := Load(fstest.MapFS{"a.xsd": {Data: []byte(file)}})
		require.Error(t, err, name)
	}
}

func TestCheck_AttributesAreThoseOfTheSchema(t *testing.T) {
	s, err := Load(fstest.MapFS{"a.xsd": {Data: []byte(`<xs:schema xmlns:xs="` + Namespace + `" targetNamespace="urn:x"><xs:element name="x"><xs:complexType>` +
		`<xs:sequence><xs:element name="y" type="xs:string"/></xs:sequence><xs:attribute name="version" type="xs:string" use="required" fixed="1.0"/>` +
		`</xs:complexType></xs:element></xs:schema>`)}})
	require.NoError(t, err)
	for text, right := range map[string]bool{
		`<x xmlns="urn:x" version="1.0"><y/></x>`: true, `<x xmlns="urn:x"><y/></x>`: false, `<x xmlns="urn:x" version="2.0"><y/></x>`: false,
		`<x xmlns="urn:x" version="1.0" other="1"><y/></x>`: false, `<x xmlns="urn:x" version="1.0"><y z="1"/></x>`: false,
	} {
		doc := etree.NewDocument()
		require.NoError(t, doc.ReadFromString(text))
		require.Equal(t, right, s.Check(doc.Root()) == nil, text)
	}
}
