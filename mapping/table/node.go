package table

// kind is what a node of a document is.
type kind uint8

const (
	null kind = iota
	text
	number
	boolean
	object
	list
)

// node is a JSON value or an XML element. Attributes of an element are members whose names start with "@"; an element without
// child elements is a text. Children of the same name stand beside each other in what was read from XML, and as items of one list in what is
// written.
type node struct {
	kind    kind
	text    string // of a text as it is, of a number or boolean as it was written
	members []member
	items   []*node
}

type member struct {
	name string
	node *node
}

// member returns the first member of that name, or nil.
func (n *node) member(name string) *node {
	for _, m := range n.members {
		if m.name == name {
			return m.node
		}
	}
	return nil
}

// put sets a value, making the objects and lists on the way in the order in which they are first used.
func (n *node) put(p path, at []int, value *node) {
	for _, step := range p {
		next := n.member(step.name)
		if next == nil {
			next = &node{kind: object}
			n.members = append(n.members, member{name: step.name, node: next})
		}
		if step.list {
			next.kind = list
			for len(next.items) <= at[0] {
				next.items = append(next.items, &node{kind: object})
			}
			next, at = next.items[at[0]], at[1:]
		}
		n = next
	}
	n.kind, n.text = value.kind, value.text
}

// empty reports whether a value says nothing: null, "" and an object or list without members say the same.
func (n *node) empty() bool {
	switch n.kind {
	case null:
		return true
	case text:
		return n.text == "" && len(n.members) == 0
	case object:
		return len(n.members) == 0
	case list:
		return len(n.items) == 0
	default:
		return false
	}
}
