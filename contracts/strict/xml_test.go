package strict_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/beevik/etree"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/stretchr/testify/require"
)

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ` a%d="1"`, i)
	}
	return b.String()
}

func utf16Document() string {
	var b bytes.Buffer
	b.WriteString("\xfe\xff")
	for _, u := range utf16.Encode([]rune(`<?xml version="1.0" encoding="UTF-16"?><a/>`)) {
		b.WriteByte(byte(u >> 8))
		b.WriteByte(byte(u))
	}
	return b.String()
}

func TestXMLRefusesWhatTwoReadersCouldReadDifferently(t *testing.T) {
	for name, test := range map[string]struct{ body, code string }{
		"billion laughs":               {`<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>`, "document-type"},
		"external entity":              {`<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`, "document-type"},
		"unused document type":         {`<!DOCTYPE a><a/>`, "document-type"},
		"unknown entity":               {`<a>&b;</a>`, "malformed-xml"},
		"instruction inside a value":   {`<a>756.9217<?x y?>.0769.85</a>`, "processing-instruction"},
		"stylesheet instruction":       {`<?xml-stylesheet href="x"?><a/>`, "processing-instruction"},
		"comment inside a value":       {`<a>756.9217<!-- -->.0769.85</a>`, "comment-in-value"},
		"comment alone in a value":     {`<a><!-- x --></a>`, "comment-in-value"},
		"element inside a value":       {`<a>756<b/>.9217</a>`, "mixed-content"},
		"text after elements":          {`<a><b/>x</a>`, "mixed-content"},
		"repeated attribute":           {`<a b="1" b="2"/>`, "repeated-attribute"},
		"repeated by namespace":        {`<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>`, "repeated-attribute"},
		"repeated declaration":         {`<a xmlns="u" xmlns="v"/>`, "repeated-attribute"},
		"two roots":                    {`<a/><b/>`, "second-root"},
		"text after the root":          {`<a/>x`, "text-outside-root"},
		"text before the root":         {`x<a/>`, "text-outside-root"},
		"CDATA after the root":         {`<a/><![CDATA[x]]>`, "text-outside-root"},
		"empty":                        {``, "no-root"},
		"only blanks":                  {" \n", "no-root"},
		"only a declaration":           {`<?xml version="1.0"?>`, "no-root"},
		"truncated in an element":      {`<a><b>`, "malformed-xml"},
		"truncated in a tag":           {`<a><b`, "malformed-xml"},
		"crossed tags":                 {`<a><b></a></b>`, "malformed-xml"},
		"end tag with another prefix":  {`<p:a xmlns:p="u" xmlns:q="u"></q:a>`, "malformed-xml"},
		"end tag too many":             {`<a/></a>`, "malformed-xml"},
		"unbound prefix":               {`<p:a/>`, "unbound-prefix"},
		"unbound prefix of attribute":  {`<a p:b="1"/>`, "unbound-prefix"},
		"prefix bound in a sibling":    {`<a><b xmlns:p="u"/><p:c/></a>`, "unbound-prefix"},
		"prefix bound to nothing":      {`<a xmlns:p=""/>`, "namespace"},
		"the prefix xmlns bound":       {`<a xmlns:xmlns="u"/>`, "namespace"},
		"the prefix xml rebound":       {`<a xmlns:xml="u"/>`, "namespace"},
		"two colons":                   {`<a xmlns:p="u"><p:b:c/></a>`, "malformed-xml"},
		"nothing before the colon":     {`<:a/>`, "unbound-prefix"},
		"65 levels":                    {strings.Repeat(`<a>`, 65) + strings.Repeat(`</a>`, 65), "too-deep"},
		"100000 levels":                {strings.Repeat(`<a>`, 100000), "too-deep"},
		"65 attributes":                {`<a` + attributes(65) + `/>`, "too-many-attributes"},
		"100000 attributes":            {`<a` + attributes(90000) + `/>`, "too-many-attributes"},
		"50001 elements":               {`<a>` + strings.Repeat(`<b/>`, 50000) + `</a>`, "too-many-elements"},
		"more than 1 MiB":              {`<a>` + strings.Repeat("x", strict.MaxBytes) + `</a>`, "too-large"},
		"UTF-7 declared":               {`<?xml version="1.0" encoding="UTF-7"?><a/>`, "encoding"},
		"ISO-8859-1 declared":          {`<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, "encoding"},
		"ISO-8859-1 with blanks":       {`<?xml version="1.0" encoding = "ISO-8859-1"?><a/>`, "encoding"},
		"ISO-8859-1 undeclared":        {"<a>Z\xfcrich</a>", "encoding"},
		"UTF-16":                       {utf16Document(), "encoding"},
		"XML 1.1":                      {`<?xml version="1.1"?><a/>`, "malformed-xml"},
		"XML 1.1 with blanks":          {`<?xml version = "1.1"?><a/>`, "xml-version"},
		"no version":                   {`<?xml encoding="utf-8"?><a/>`, "xml-version"},
		"declaration with more":        {`<?xml version="1.0" x="y"?><a/>`, "malformed-xml"},
		"declaration after a blank":    {` <?xml version="1.0"?><a/>`, "processing-instruction"},
		"second declaration":           {`<?xml version="1.0"?><?xml version="1.0"?><a/>`, "processing-instruction"},
		"declaration in upper case":    {`<?XML version="1.0"?><a/>`, "processing-instruction"},
		"byte order mark":              {"\ufeff<a/>", "byte-order-mark"},
		"reference to NUL":             {`<a>&#0;</a>`, "malformed-xml"},
		"reference to a control":       {`<a>&#x1b;</a>`, "malformed-xml"},
		"control character":            {"<a>\x1b</a>", "control-characters"},
		"control character in comment": {"<a/><!--\x00-->", "control-characters"},
		"end of CDATA in text":         {`<a>x]]>y</a>`, "malformed-xml"},
		"attribute without quotes":     {`<a b=c/>`, "malformed-xml"},
		"less-than in an attribute":    {`<a b="<"/>`, "malformed-xml"},
		"JSON":                         {`{}`, "text-outside-root"},
	} {
		t.Run(name, func(t *testing.T) {
			root, err := strict.XML([]byte(test.body))
			require.Error(t, err)
			require.Nil(t, root)
			require.Equal(t, fault.Park, fault.KindOf(err))
			require.Equal(t, test.code, fault.CodeOf(err))
		})
	}
}

func TestXMLTakesWhatHasOneMeaning(t *testing.T) {
	for name, test := range map[string]struct{ body, text string }{
		"plain":                     {`<a>Zürich</a>`, "Zürich"},
		"declared":                  {`<?xml version='1.0' encoding='utf-8' standalone="yes" ?>` + "\n<a>x</a>\n", "x"},
		"CDATA is text":             {`<a>x<![CDATA[<b>&]]>y</a>`, "x<b>&y"},
		"references are characters": {`<a>&lt;&#252;&#x1F600;&amp;</a>`, "<ü😀&"},
		"comments beside the root":  {`<!-- one --><a>x</a><!-- two -->`, "x"},
		"XInclude stays an element": {`<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd"/></a>`, ""},
		"schema location unread":    {`<a xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:schemaLocation="u http://host/x.xsd">t</a>`, "t"},
		"comment between elements":  {"<a>\n<!-- c --><b/></a>", "\n"},
		"xml:lang needs no binding": {`<a xml:lang="de">x</a>`, "x"},
		"64 attributes":             {`<a` + attributes(64) + `>x</a>`, "x"},
		"64 levels":                 {strings.Repeat(`<a>`, 64) + strings.Repeat(`</a>`, 64), ""},
	} {
		t.Run(name, func(t *testing.T) {
			root, err := strict.XML([]byte(test.body))
			require.NoError(t, err)
			require.Equal(t, test.text, root.Text())
		})
	}
}

func TestNamesAreComparedByNamespaceNeverByPrefix(t *testing.T) {
	root, err := strict.XML([]byte(`<s:Envelope xmlns:s="urn:evil" xmlns:o="urn:soap"><s:Body/><o:Body><o:x/></o:Body><Body xmlns="urn:soap"/></s:Envelope>`))
	require.NoError(t, err)
	require.False(t, strict.Is(root, "urn:soap", "Envelope"))
	require.True(t, strict.Is(root, "urn:evil", "Envelope"))
	require.False(t, strict.Is(nil, "urn:evil", "Envelope"))
	require.Len(t, strict.Children(root, "urn:soap", "Body"), 2)

	_, err = strict.Child(root, "urn:soap", "Body")
	require.Equal(t, "repeated-element", fault.CodeOf(err))
	require.ErrorContains(t, err, "/Envelope/Body")
	_, err = strict.Child(root, "urn:soap", "Header")
	require.Equal(t, "missing-element", fault.CodeOf(err))
	body, err := strict.Child(root, "urn:evil", "Body")
	require.NoError(t, err)
	require.Equal(t, "/Envelope/Body", strict.PathOf(body))
}

func TestAnElementIsNotAValue(t *testing.T) {
	root, err := strict.XML([]byte(`<a><b>756<![CDATA[.9217]]></b><c><d/></c></a>`))
	require.NoError(t, err)
	text, err := strict.Text(root.ChildElements()[0])
	require.NoError(t, err)
	require.Equal(t, "756.9217", text)
	_, err = strict.Text(root.ChildElements()[1])
	require.Equal(t, "element-in-value", fault.CodeOf(err))
	require.ErrorContains(t, err, "/a/c")
}

// leaves reads a document with encoding/xml, which is the reader that etree is compared with.
func leaves(b []byte) ([]string, error) {
	var texts []string
	var text strings.Builder
	tokens := xml.NewDecoder(bytes.NewReader(b))
	for {
		token, err := tokens.Token()
		if token == nil {
			return texts, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			text.Reset()
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			texts = append(texts, text.String())
			text.Reset()
		}
	}
}

func FuzzXML(f *testing.F) {
	for _, seed := range []string{
		`<a/>`, `<?xml version="1.0"?><a xmlns="u"><b c="1">x</b></a>`, `<a>1<!-- -->2</a>`, `<a>1<b/>2</a>`, `<p:a xmlns:p="u">&lt;<![CDATA[x]]></p:a>`,
		`<!DOCTYPE a><a/>`, `<a/><a/>`, `<a b="1" b="2"/>`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		root, err := strict.XML(b)
		if err != nil {
			require.Equal(t, fault.Park, fault.KindOf(err))
			return
		}
		want, _ := leaves(b)
		var got []string
		texts(root, &got)
		require.Len(t, got, len(want), "both readers see the same elements")
		for i := range got {
			if got[i] != "\x00container" {
				require.Equal(t, want[i], got[i], "both readers see the same text")
			}
		}
	})
}

// texts lists the text of every leaf in the order of the end tags.
func texts(el *etree.Element, into *[]string) {
	children := el.ChildElements()
	for _, child := range children {
		texts(child, into)
	}
	if len(children) > 0 {
		*into = append(*into, "\x00container")
		return
	}
	*into = append(*into, el.Text())
}
