package avam

import (
	"context"
	"strconv"

	"github.com/beevik/etree"
	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/internal/httpx"
	"github.com/einmal-hub/einmal/adapters/internal/xmlframe"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/contracts/strict"
)

const opRead = Type + ".read"

// Read returns the entries after a mark; see [adapters.Source]. A position is the mark in digits.
//
// When an answer cannot be read as a whole, Read asks again for one entry. If that cannot be read either, but is well-formed and tells
// its mark, the entry is Broken and the stream goes on after it; otherwise the error stays Retry, because going on could
// skip an entry.
func (s *service) Read(ctx context.Context, after native.Position, limit int) (adapters.Batch, error) {
	mark, err := parsePosition(after)
	if err != nil {
		return adapters.Batch{}, err
	}
	limit = min(max(limit, 1), contract.MaxEntries)
	batch, _, err := s.read(ctx, mark, limit)
	if err == nil || !isAnswer(err) {
		return batch, err
	}
	batch, raw, err := s.read(ctx, mark, 1)
	if err == nil || !isAnswer(err) {
		return batch, err
	}
	number, more, ok := locate(raw, mark)
	if !ok {
		return adapters.Batch{}, err
	}
	return adapters.Batch{
		Broken: []adapters.Broken{{ID: numbered(number), Raw: raw, Reason: err}},
		Next:   position(number), More: more,
	}, nil
}

// isAnswer reports whether an answer arrived and was not readable, or was too large to be read.
func isAnswer(err error) bool {
	code := fault.CodeOf(err)
	return fault.KindOf(err) == fault.Retry && (code == "answer" || code == "answer-too-large")
}

func parsePosition(p native.Position) (uint64, error) {
	if p == "" {
		return 0, nil
	}
	mark, err := strconv.ParseUint(string(p), 10, 63)
	if err != nil {
		return 0, fault.New(fault.Stop, opRead, "position", "the stored position was not made by this adapter").
			Hint("see whether the system's type was changed in the configuration")
	}
	return mark, nil
}

func position(mark uint64) native.Position { return native.Position(strconv.FormatUint(mark, 10)) }

// read asks for the entries after a mark and takes the answer apart. It returns the answer's bytes beside an error.
func (s *service) read(ctx context.Context, mark uint64, limit int) (adapters.Batch, []byte, error) {
	c := call{op: opRead, operation: contract.GetChanges, fill: func(request *etree.Element) {
		set(request, "mark", strconv.FormatUint(mark, 10))
		set(request, "max", strconv.Itoa(limit))
	}}
	response, err := s.send(ctx, c)
	if err != nil {
		return adapters.Batch{}, nil, err
	}
	batch, err := c.changes(response, mark, limit)
	return batch, response.Body, err
}

func (c call) changes(r httpx.Response, mark uint64, limit int) (adapters.Batch, error) {
	answer, err := c.judge(r)
	if err != nil {
		return adapters.Batch{}, err
	}
	f := xmlframe.Read(answer, contract.Namespace)
	taken := taking{last: mark}
	for el := f.Next("entry"); el != nil; el = f.Next("entry") {
		if err := taken.take(el); err != nil {
			return adapters.Batch{}, unreadable(c.op, false, err)
		}
	}
	next := f.Number("mark")
	taken.batch.More = f.Flag("more")
	if err := f.Done(); err != nil {
		return adapters.Batch{}, unreadable(c.op, false, err)
	}
	if next < mark || next > taken.last || taken.count > limit || (taken.batch.More && taken.count == 0) {
		return adapters.Batch{}, unreadable(c.op, false, xmlframe.Broken("mark", "entries, mark and more do not belong together"))
	}
	taken.batch.Next = position(next)
	return taken.batch, nil
}

// taking collects the entries of one answer.
type taking struct {
	batch adapters.Batch
	last  uint64 // commit number of the last entry
	count int
}

// take adds one entry, as a record or as broken. It fails when the commit number cannot be read or does not ascend: then nobody can say
// where the stream goes on.
func (t *taking) take(el *etree.Element) error {
	f := xmlframe.Read(el, contract.Namespace)
	number := f.Number("number")
	if f.Err() != nil {
		return f.Err()
	}
	if number <= t.last {
		return xmlframe.Broken("number", "the commit numbers do not ascend")
	}
	t.last = number
	t.count++
	record, err := readRecord(f)
	if err == nil {
		t.batch.Records = append(t.batch.Records, record)
		return nil
	}
	raw, writeErr := xmlframe.Detach(el)
	if writeErr != nil {
		return writeErr
	}
	t.batch.Broken = append(t.batch.Broken, adapters.Broken{ID: numbered(number), Raw: raw, Reason: err})
	return nil
}

// numbered names a record whose own id may be unreadable; the commit number is the same next time.
func numbered(number uint64) native.RecordID {
	return native.RecordID("number-" + strconv.FormatUint(number, 10))
}

// readRecord reads what follows the commit number.
func readRecord(f *xmlframe.Frame) (native.Record, error) {
	r := native.Record{
		ID:       native.RecordID(f.Text("entryId")),
		Case:     native.CaseKey(f.Text("caseId")),
		Sequence: f.Number("sequence"),
		Kind:     native.Kind(f.Text("kind")),
	}
	r.Organisation = handover.OrganisationID(f.Text("organisationId"))
	r.At = f.Moment("enteredAt")
	r.Reference = native.Reference(f.Optional("reference"))
	r.CaseReference = handover.CaseID(f.Optional("caseReference"))
	content := f.Element("content")
	if err := f.Done(); err != nil {
		return native.Record{}, err
	}
	if r.Sequence == 0 {
		return native.Record{}, xmlframe.Broken("number", "the position in the case is not a number from 1").At(strict.PathOf(content.Parent()) + "/sequence")
	}
	inner, err := xmlframe.Only(content)
	if err != nil {
		return native.Record{}, err
	}
	r.Body, err = xmlframe.Detach(inner)
	return r, err
}

// locate finds the mark of an answer with one entry that the strict gate refused. It reads with etree alone, and only to know where the stream goes on:
// the answer itself is parked as it came. It needs one envelope, one body, one entry and one mark above the last one, which is
// the entry's commit number if that can be read.
func locate(b []byte, after uint64) (mark uint64, more, ok bool) {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(b); err != nil || !strict.Is(doc.Root(), contract.SOAPNamespace, "Envelope") {
		return 0, false, false
	}
	body, err1 := strict.Child(doc.Root(), contract.SOAPNamespace, "Body")
	if err1 != nil {
		return 0, false, false
	}
	answer, err2 := strict.Child(body, contract.Namespace, contract.GetChanges+"Response")
	if err2 != nil || len(strict.Children(answer, contract.Namespace, "entry")) != 1 {
		return 0, false, false
	}
	f := xmlframe.Lenient(answer, contract.Namespace)
	entry := f.Next("entry")
	if entry == nil {
		return 0, false, false
	}
	number, err := strict.Child(entry, contract.Namespace, "number")
	mark, more = f.Number("mark"), f.Flag("more")
	agrees := err != nil || number.Text() == strconv.FormatUint(mark, 10)
	return mark, more, f.Done() == nil && mark > after && agrees
}
