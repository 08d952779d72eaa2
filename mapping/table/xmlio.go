package table

import (
	"strings"

	"github.com/beevik/etree"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// defaultNamespace is the name under which a table lists the namespace of names without a prefix.
const defaultNamespace = "default"

// namespace is a prefix of the table and what it stands for. In documents only the namespace counts, never the prefix.
type namespace struct{ prefix, uri string }

type namespaces []namespace

// named returns the name of an element or attribute as the table spells it, or one that no table can hold.
func (ns namespaces) named(uri, local string, attribute bool) string {
	name := "{" + uri + "}" + local
	if uri == "" && (attribute || ns.uri(defaultNamespace) == "") {
		name = local
	}
	for _, n := range ns {
		if n.uri == uri && n.prefix != defaultNamespace {
			name = n.prefix + ":" + local
			break
		}
		if n.uri == uri && !attribute {
			name = local
			break
		}
	}
	if attribute {
		return "@" + name
	}
	return name
}

func (ns namespaces) uri(prefix string) string {
	for _, n := range ns {
		if n.prefix == prefix {
			return n.uri
		}
	}
	return ""
}

// decodeXML reads a document strictly and returns its root's name and content.
func decodeXML(b []byte, ns namespaces) (string, *node, error) {
	root, err := strict.XML(b)
	if err != nil {
		return "", nil, err
	}
	return ns.named(root.NamespaceURI(), root.Tag, false), xmlNode(root, ns), nil
}

func xmlNode(el *etree.Element, ns namespaces) *node {
	n := &node{kind: text, text: el.Text()}
	for i := range el.Attr {
		a := &el.Attr[i]
		if a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns" {
			continue
		}
		uri := ""
		if a.Space != "" {
			uri = a.NamespaceURI()
		}
		n.members = append(n.members, member{name: ns.named(uri, a.Key, true), node: &node{kind: text, text: a.Value}})
	}
	for child := range el.ChildElementsSeq() {
		n.kind, n.text = object, ""
		n.members = append(n.members, member{name: ns.named(child.NamespaceURI(), child.Tag, false), node: xmlNode(child, ns)})
	}
	return n
}

// encodeXML writes a document. Element names come from the table alone; the namespaces that are used are declared on the root.
func encodeXML(root string, n *node, ns namespaces) ([]byte, error) {
	doc := etree.NewDocument()
	doc.WriteSettings = etree.WriteSettings{CanonicalText: true, CanonicalAttrVal: true} // keeps carriage returns
	el := doc.CreateElement(root)
	used := map[string]bool{prefixOf(root): true}
	usedPrefixes(n, used)
	for _, n := range ns {
		switch {
		case n.prefix == defaultNamespace && used[""]:
			el.CreateAttr("xmlns", n.uri)
		case n.prefix != defaultNamespace && used[n.prefix]:
			el.CreateAttr("xmlns:"+n.prefix, n.uri)
		}
	}
	writeXML(el, n)
	return doc.WriteToBytes()
}

func writeXML(el *etree.Element, n *node) {
	if n.kind != object {
		el.SetText(n.text)
	}
	for _, m := range n.members {
		if attribute, ok := strings.CutPrefix(m.name, "@"); ok {
			el.CreateAttr(attribute, m.node.text)
			continue
		}
		if m.node.kind != list {
			writeXML(el.CreateElement(m.name), m.node)
			continue
		}
		for _, item := range m.node.items {
			writeXML(el.CreateElement(m.name), item)
		}
	}
}

func usedPrefixes(n *node, used map[string]bool) {
	for _, m := range n.members {
		if prefix := prefixOf(strings.TrimPrefix(m.name, "@")); prefix != "" || !strings.HasPrefix(m.name, "@") {
			used[prefix] = true
		}
		usedPrefixes(m.node, used)
	}
	for _, item := range n.items {
		usedPrefixes(item, used)
	}
}

func prefixOf(name string) string {
	prefix, _, ok := strings.Cut(name, ":")
	if !ok {
		return ""
	}
	return prefix
}
