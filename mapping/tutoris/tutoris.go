// Package tutoris translates between the entries of Tutoris (contracts/native/tutoris) and the canonical messages. Fields and codes are the table
// (table.yaml); the code here is what a table cannot say: the message frame of eCH-0058, which comes from the envelope (mapping/ech0058), and the blanks that
// the type xs:token of the standards would silently remove.
package tutoris

import (
	_ "embed"
	"maps"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/ech0058"
	"github.com/einmal-hub/einmal/mapping/table"
)

//go:embed table.yaml
var tableYAML []byte

// Type is the word for this mapping in the configuration.
const Type = "tutoris"

// Table returns the table of fields and code lists, for documentation and tests.
func Table() (*table.Table, error) { return table.Load("mapping/tutoris/table.yaml", tableYAML) }

// New returns the mapper. It fails only when the table in the program is wrong, with every finding.
func New() (mapping.Mapper, error) {
	t, err := Table()
	if err != nil {
		return nil, err
	}
	return With(t), nil
}

// With returns a mapper with another table, such as one with a row less in a test.
func With(t *table.Table) mapping.Mapper { return mapper{t} }

// header is where Tutoris keeps the message frame.
func header() ech0058.Header {
	return ech0058.Header{System: Type, Name: "Tutoris", Element: "kopf", Kind: "messageType", Reports: true}
}

type mapper struct{ table *table.Table }

// WithCodes implements [mapping.Coded].
func (m mapper) WithCodes(file string, data []byte) (mapping.Mapper, error) {
	return m.table.Recode(file, data, With)
}

// Codes implements [mapping.Coded].
func (m mapper) Codes(n handover.Name, path string) ([]handover.Code, bool) {
	return m.table.CodesAt(n, path)
}

// ToHandover implements [mapping.Mapper].
func (m mapper) ToHandover(r native.Record) (mapping.Draft, error) {
	content, err := m.table.Read(r.Kind, r.Body)
	if err != nil {
		return mapping.Draft{}, err
	}
	draft, findings := header().Read(content.Outside, r)
	findings = append(findings, header().Report(content.Outside, content.Payload)...)
	if len(findings) > 0 {
		return mapping.Draft{}, fault.New(fault.Park, Type+".to-handover", "header", "the header and the frame of the entry do not belong together").Because(findings)
	}
	draft.Payload = content.Payload
	return draft, nil
}

// FromHandover implements [mapping.Mapper].
func (m mapper) FromHandover(msg handover.Message, at mapping.Placement) (native.Entry, error) {
	if findings := header().Blanks(msg.Payload); len(findings) > 0 {
		return native.Entry{}, fault.New(fault.Park, Type+".from-handover", "blanks", "Tutoris would change the message").Because(findings)
	}
	kind := m.table.KindOf(msg.Payload.Name())
	outside, err := header().Write(msg, at, kind, string(at.Reference))
	if err != nil {
		return native.Entry{}, err
	}
	beside, err := m.table.Beside(msg.Payload.Name(), at)
	if err != nil {
		return native.Entry{}, err
	}
	maps.Copy(outside, beside)
	kind, body, err := m.table.Write(table.Content{Payload: msg.Payload, Outside: outside})
	if err != nil {
		return native.Entry{}, err
	}
	return header().Entry(msg, at, kind, body), nil
}
