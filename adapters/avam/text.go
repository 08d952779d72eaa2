package avam

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"

	"github.com/einmal-hub/einmal/adapters/internal/xmlframe"
	"github.com/einmal-hub/einmal/contracts/fault"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// around is the most that stands before or after the text of a document.
const around = 64 << 10

// text is the document in an answer of fetchDocument, which is too large for the strict gate. It is the only text in the answer, so it is read as what stands between the tags: the rest, without it, goes
// through the gate like any other answer, and the document ends with an error when that is not what the contract describes. Comments and CDATA, which could hide a text, are not allowed here
// by the contract and fail.
type text struct {
	call    call
	from    *bufio.Reader
	head    []byte
	decoded io.Reader
	left    int
	ended   error // what Read has ended with, and goes on ending with
}

// openText reads up to the text of the document.
func (c call) openText(answer io.Reader) (io.Reader, error) {
	t := &text{call: c, from: bufio.NewReaderSize(answer, around), left: contract.MaxDocument}
	inside := false
	for len(t.head) <= around {
		b, err := t.from.ReadByte()
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case err != nil:
			return nil, t.wrong("the answer ends before the document")
		case !inside && b != '<' && !blank(b):
			t.decoded = base64.NewDecoder(base64.StdEncoding.Strict(), characters{t.from})
			return t, errors.Join(t.from.UnreadByte(), t.opened())
		case b == '<' || b == '>':
			inside = b == '<'
		}
		t.head = append(t.head, b)
	}
	return nil, t.wrong("too much stands before the document")
}

func (t *text) wrong(why string) error {
	return unreadable(t.call.op, false, fault.New(fault.Park, t.call.op, "document-text", why))
}

// opened demands that the last tag before the document opens the element that holds one, so that no other text is taken for it.
func (t *text) opened() error {
	last := t.head[bytes.LastIndexByte(t.head, '<')+1:]
	name := last[:max(0, bytes.IndexAny(last, "> \t\r\n"))]
	if local := name[bytes.IndexByte(name, ':')+1:]; string(local) != "content" {
		return t.wrong("the document does not stand in its element")
	}
	return nil
}

// Read implements [io.Reader].
func (t *text) Read(p []byte) (int, error) {
	if t.ended != nil {
		return 0, t.ended
	}
	n, err := t.next(p)
	t.ended = err
	return n, err
}

func (t *text) next(p []byte) (int, error) {
	n, err := t.decoded.Read(p)
	var corrupt base64.CorruptInputError
	switch t.left -= n; {
	case t.left < 0:
		return 0, t.wrong("the document is larger than 20 MiB")
	case errors.As(err, &corrupt), errors.Is(err, io.ErrUnexpectedEOF):
		return n, t.wrong("the document is not base64")
	case errors.Is(err, io.EOF):
		if err := t.closed(); err != nil {
			return n, err
		}
	}
	return n, err
}

// closed reads what stands after the document, and judges the answer without it.
func (t *text) closed() error {
	tail, err := io.ReadAll(io.LimitReader(t.from, around+1))
	if err != nil {
		return err
	}
	if len(tail) > around {
		return t.wrong("too much stands after the document")
	}
	inner, err := unwrap(append(bytes.Clone(t.head), tail...))
	if err != nil {
		return unreadable(t.call.op, false, err)
	}
	if !strict.Is(inner, contract.Namespace, contract.FetchDocument+"Response") {
		return unreadable(t.call.op, false, xmlframe.Unexpected(inner))
	}
	f := xmlframe.Read(inner, contract.Namespace)
	content := f.Element("content")
	if err := f.Done(); err != nil {
		return unreadable(t.call.op, false, err)
	}
	if len(content.ChildElements()) > 0 || xmlframe.Plain(content) != nil {
		return unreadable(t.call.op, false, xmlframe.Unexpected(content))
	}
	return nil
}

// characters are those of a text up to the next tag, without white space.
type characters struct{ from *bufio.Reader }

// Read implements [io.Reader].
func (c characters) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		b, err := c.from.ReadByte()
		if err != nil {
			return n, err
		}
		if b == '<' {
			if err := c.from.UnreadByte(); err != nil {
				return n, err
			}
			return n, io.EOF
		}
		if !blank(b) {
			p[n] = b
			n++
		}
		if n > 0 && c.from.Buffered() == 0 {
			return n, nil
		}
	}
	return n, nil
}

// blank reports white space of XML.
func blank(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }
