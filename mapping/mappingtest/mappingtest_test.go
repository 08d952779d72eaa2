package mappingtest

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/table"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestARightMappingHoldsEveryRule(t *testing.T) {
	for _, format := range []string{"json", "xml"} {
		t.Run(format, func(t *testing.T) { Run(t, Subject{Table: identityTable(t, format)}) })
	}
	Agree(t, Subject{Table: identityTable(t, "json")}, Subject{Table: identityTable(t, "xml")})
}

// wrong is a mapping with a defect in one direction or both.
type wrong struct {
	mapping.Mapper
	to   func(mapping.Mapper, native.Record) (mapping.Draft, error)
	from func(mapping.Mapper, handover.Message, mapping.Placement) (native.Entry, error)
}

func (w wrong) ToHandover(r native.Record) (mapping.Draft, error) {
	if w.to == nil {
		return w.Mapper.ToHandover(r)
	}
	return w.to(w.Mapper, r)
}

func (w wrong) FromHandover(m handover.Message, at mapping.Placement) (native.Entry, error) {
	if w.from == nil {
		return w.Mapper.FromHandover(m, at)
	}
	return w.from(w.Mapper, m, at)
}

// replacing is a mapping that sees another body than the one that stands there.
func replacing(old, with string) wrong {
	return wrong{to: func(m mapping.Mapper, r native.Record) (mapping.Draft, error) {
		r.Body = bytes.ReplaceAll(r.Body, []byte(old), []byte(with))
		return m.ToHandover(r)
	}}
}

func TestEveryWrongMappingFails(t *testing.T) {
	whole := identityTable(t, "json").Mapper()
	calls := 0
	for name, test := range map[string]struct {
		rule   string
		defect wrong
	}{
		"cuts a long text": {"texts at their limits", wrong{from: func(m mapping.Mapper, msg handover.Message, at mapping.Placement) (native.Entry, error) {
			if p, ok := msg.Payload.(handover.ClarificationAnswered); ok && len(p.Answer) > 1000 {
				p.Answer = p.Answer[:1000]
				msg.Payload = p
			}
			return m.FromHandover(msg, at)
		}}},
		"forgets the remark": {"comes back the same", wrong{from: func(m mapping.Mapper, msg handover.Message, at mapping.Placement) (native.Entry, error) {
			if p, ok := msg.Payload.(handover.ClarificationAnswered); ok {
				p.Remark = ""
				msg.Payload = p
			}
			return m.FromHandover(msg, at)
		}}},
		"says that somebody else said it": {"comes back the same", wrong{to: func(m mapping.Mapper, r native.Record) (mapping.Draft, error) {
			d, err := m.ToHandover(r)
			d.Sender = receiving
			return d, err
		}}},
		"writes something else each time": {"comes back the same", wrong{from: func(m mapping.Mapper, msg handover.Message, at mapping.Placement) (native.Entry, error) {
			e, err := m.FromHandover(msg, at)
			calls++
			e.Body = append(e.Body, strings.Repeat(" ", calls)...)
			return e, err
		}}},
		"forgets the documents of the entry": {"comes back the same", wrong{from: func(m mapping.Mapper, msg handover.Message, at mapping.Placement) (native.Entry, error) {
			e, err := m.FromHandover(msg, at)
			e.Documents = nil
			return e, err
		}}},
		"writes a recall as a new entry": {"recall and a correction", wrong{from: func(m mapping.Mapper, msg handover.Message, at mapping.Placement) (native.Entry, error) {
			e, err := m.FromHandover(msg, at)
			e.Action, e.Refers = "", ""
			return e, err
		}}},
		"takes a correction for a recall": {"recall and a correction", wrong{to: func(m mapping.Mapper, r native.Record) (mapping.Draft, error) {
			d, err := m.ToHandover(r)
			if d.Action == handover.ActionCorrection {
				d.Action = handover.ActionRecall
			}
			return d, err
		}}},
		"names another entry": {"recall and a correction", wrong{from: func(m mapping.Mapper, msg handover.Message, at mapping.Placement) (native.Entry, error) {
			e, err := m.FromHandover(msg, at)
			if e.Refers != "" {
				e.Refers = "R-9"
			}
			return e, err
		}}},
		"recalls what does not stand there": {"recall and a correction", wrong{from: func(m mapping.Mapper, msg handover.Message, at mapping.Placement) (native.Entry, error) {
			at.Earlier.Record = "R-0"
			return m.FromHandover(msg, at)
		}}},
		"says no procedure": {"own procedure", wrong{from: func(m mapping.Mapper, msg handover.Message, at mapping.Placement) (native.Entry, error) {
			at.Procedure = ""
			return m.FromHandover(msg, at)
		}}},
		"does not say the end of a procedure": {"own procedure", wrong{from: func(m mapping.Mapper, msg handover.Message, at mapping.Placement) (native.Entry, error) {
			if at.Procedure == "FULL" {
				at.Procedure = ""
			}
			return m.FromHandover(msg, at)
		}}},
		"ignores an unknown field": {"unknown field", replacing(`"einmalUnknown":"x",`, "")},
		"takes an unknown code for other": {"unknown code", wrong{to: func(m mapping.Mapper, r native.Record) (mapping.Draft, error) {
			d, err := m.ToHandover(r)
			if fault.CodeOf(err) == "unknown-code" {
				return mapping.Draft{Payload: handover.ClarificationAnswered{Answer: "x"}, Sender: assigning, Action: handover.ActionNew}, nil
			}
			return d, err
		}}},
		"needs no table": {"no row can be missing", wrong{to: func(_ mapping.Mapper, r native.Record) (mapping.Draft, error) { return whole.ToHandover(r) }}},
		"shows a value in an error": {"no error holds a value", wrong{to: func(m mapping.Mapper, r native.Record) (mapping.Draft, error) {
			d, err := m.ToHandover(r)
			if err != nil {
				err = fmt.Errorf("%w in %s", err, r.Body)
			}
			return d, err
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := Subject{Table: identityTable(t, "json"), New: func(loaded *table.Table) mapping.Mapper {
				w := test.defect
				w.Mapper = loaded.Mapper()
				return w
			}}
			message := handover.Name("clarification-answered")
			if strings.Contains(test.rule, "code") || strings.Contains(test.rule, "procedure") {
				message = "case-closed"
			}
			for _, one := range tests() {
				if strings.Contains(one.rule, test.rule) {
					require.NotEmpty(t, failure(func(t T) { one.hold(t, s, message) }), "the rule %q lets it pass", one.rule)
					return
				}
			}
			require.Fail(t, "no such rule", test.rule)
		})
	}
}

func TestTablesWithDifferentCodesDoNotAgree(t *testing.T) {
	other, err := table.Load("other.yaml", []byte(strings.Replace(identity("json"), "CONSENT: c", "CONSENT: c, INFORMED: i", 1)))
	require.NoError(t, err)
	one := identityTable(t, "json")
	said := failure(func(t T) { Agree(t, Subject{Table: one}, Subject{Table: other}) })
	require.Contains(t, said, "the codes of process in json and in json")
	other, err = table.Load("other.yaml", []byte(strings.Replace(identity("json"), "SUSPENDED: s, ", "", 1)))
	require.NoError(t, err)
	said = failure(func(t T) { Agree(t, Subject{Table: one}, Subject{Table: other}) })
	require.Contains(t, said, "the codes of procedure in json and in json")
}

func TestATableWithoutProcedureIsFound(t *testing.T) {
	other, err := table.Load("other.yaml", []byte(strings.NewReplacer("      - {native: procedure, outside: procedure, rule: code, list: procedure, optional: true}\n", "",
		"  procedure: {REDUCED: r, SUSPENDED: s, FULL: f}\n", "").Replace(identity("json"))))
	require.NoError(t, err)
	require.Contains(t, failure(func(t T) { saysProcedure(t, Subject{Table: other}, "case-closed") }), "no row with outside: procedure")
}

func TestGeneratedPayloadsAreValidAndOfAllKinds(t *testing.T) {
	for _, zero := range handover.Catalogue() {
		absent, there := false, false
		rapid.Check(t, func(t *rapid.T) {
			p := Payload(zero.Name()).Draw(t, "payload")
			require.Equal(t, zero.Name(), p.Name())
			require.NoError(t, p.Validate())
			said := strings.Contains(encode(t, p), `"remark"`)
			absent, there = absent || !said, there || said
		})
		require.True(t, absent && there, "optional values are there at times")
	}
	with := 0
	for _, zero := range handover.Catalogue() {
		if len(handover.DocumentsOf(Full(zero.Name()).Example(1))) > 1 {
			with++
		}
	}
	require.Equal(t, 7, with, "seven messages have documents")
	outcomes := map[handover.Code]bool{}
	for seed := range 50 {
		c, ok := Payload("application-checked").Example(seed).(handover.ApplicationChecked)
		require.True(t, ok)
		outcomes[c.Outcome] = true
	}
	require.Len(t, outcomes, 2)
	longest, ok := Longest("application-submitted").Example(1).(handover.ApplicationSubmitted)
	require.True(t, ok)
	require.Len(t, []rune(longest.Person.OfficialName.Reveal()), 100)
	require.NotNil(t, longest.Deputy)
}

// recorder is a test that keeps what it is told.
type recorder struct {
	failed bool
	said   strings.Builder
}

// failure runs a test and returns what it says when it fails, or nothing.
func failure(run func(T)) string {
	r := &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(r)
	}()
	<-done
	if !r.failed {
		return ""
	}
	return r.said.String() + "."
}

var errSkipped = errors.New("a rule was skipped")

func (r *recorder) Helper()                        {}
func (r *recorder) Name() string                   { return "wrong" }
func (r *recorder) Logf(format string, a ...any)   { fmt.Fprintf(&r.said, format, a...) }
func (r *recorder) Log(a ...any)                   { fmt.Fprint(&r.said, a...) }
func (r *recorder) Skipf(string, ...any)           { r.Fatal(errSkipped) }
func (r *recorder) Skip(...any)                    { r.Fatal(errSkipped) }
func (r *recorder) SkipNow()                       { r.Fatal(errSkipped) }
func (r *recorder) Errorf(format string, a ...any) { r.Logf(format, a...); r.failed = true }
func (r *recorder) Error(a ...any)                 { r.Log(a...); r.failed = true }
func (r *recorder) Fatalf(format string, a ...any) { r.Errorf(format, a...); runtime.Goexit() }
func (r *recorder) Fatal(a ...any)                 { r.Error(a...); runtime.Goexit() }
func (r *recorder) FailNow()                       { r.failed = true; runtime.Goexit() }
func (r *recorder) Fail()                          { r.failed = true }
func (r *recorder) Failed() bool                   { return r.failed }
