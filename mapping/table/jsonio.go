package table

import (
	"bytes"

	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/go-json-experiment/json/jsontext"
)

// decodeJSON reads a document strictly; numbers stay as they were written.
func decodeJSON(b []byte) (*node, error) {
	var checked jsontext.Value
	if err := strict.JSON(b, &checked); err != nil {
		return nil, err
	}
	return jsonNode(jsontext.NewDecoder(bytes.NewReader(checked)))
}

func jsonNode(tokens *jsontext.Decoder) (*node, error) {
	token, err := tokens.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case '{':
		return jsonObject(tokens)
	case '[':
		return jsonList(tokens)
	case '"':
		return &node{kind: text, text: token.String()}, nil
	case '0':
		return &node{kind: number, text: token.String()}, nil
	case 't', 'f':
		return &node{kind: boolean, text: token.String()}, nil
	default:
		return &node{kind: null}, nil
	}
}

func jsonObject(tokens *jsontext.Decoder) (*node, error) {
	n := &node{kind: object}
	for tokens.PeekKind() != '}' {
		name, err := tokens.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String()
		value, err := jsonNode(tokens)
		if err != nil {
			return nil, err
		}
		n.members = append(n.members, member{name: key, node: value})
	}
	_, err := tokens.ReadToken()
	return n, err
}

func jsonList(tokens *jsontext.Decoder) (*node, error) {
	n := &node{kind: list}
	for tokens.PeekKind() != ']' {
		item, err := jsonNode(tokens)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, item)
	}
	_, err := tokens.ReadToken()
	return n, err
}

// encodeJSON writes a document with its members in the order of the node.
func encodeJSON(n *node) ([]byte, error) {
	var b bytes.Buffer
	if err := writeJSON(jsontext.NewEncoder(&b), n); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

func writeJSON(to *jsontext.Encoder, n *node) error {
	switch n.kind {
	case object:
		return writeJSONObject(to, n)
	case list:
		return writeJSONList(to, n)
	case text:
		return to.WriteToken(jsontext.String(n.text))
	case number, boolean:
		return to.WriteValue(jsontext.Value(n.text))
	default:
		return to.WriteToken(jsontext.Null)
	}
}

func writeJSONObject(to *jsontext.Encoder, n *node) error {
	if err := to.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, m := range n.members {
		if err := to.WriteToken(jsontext.String(m.name)); err != nil {
			return err
		}
		if err := writeJSON(to, m.node); err != nil {
			return err
		}
	}
	return to.WriteToken(jsontext.EndObject)
}

func writeJSONList(to *jsontext.Encoder, n *node) error {
	if err := to.WriteToken(jsontext.BeginArray); err != nil {
		return err
	}
	for _, item := range n.items {
		if err := writeJSON(to, item); err != nil {
			return err
		}
	}
	return to.WriteToken(jsontext.EndArray)
}
