package mappingtest

import (
	"slices"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping/table"
	"github.com/stretchr/testify/require"
)

// Agree holds mappings against each other, as the gateway combines them: a code that one system can say the others can hear,
// and what one wrote, read and handed on through each other system is still the same message.
func Agree(t T, subjects ...Subject) {
	t.Helper()
	for _, p := range handover.Catalogue() {
		for _, from := range subjects {
			for _, to := range subjects {
				if from.Table != to.Table {
					sameCodes(t, from, to, p.Name())
				}
			}
		}
		passesOn(t, subjects, p.Name())
	}
}

func sameCodes(t T, from, to Subject, name handover.Name) {
	t.Helper()
	for _, r := range from.Table.Rows(name) {
		what := r.Canonical
		if r.Outside == table.Procedure {
			what = r.Outside
		}
		if r.List == "" || what == "" {
			continue
		}
		for _, other := range to.Table.Rows(name) {
			if other.Canonical != r.Canonical || other.List == "" || r.Canonical == "" && other.Outside != r.Outside {
				continue
			}
			require.Equal(t, canonicalCodes(from, r.List), canonicalCodes(to, other.List),
				"%s: the codes of %s in %s and in %s", name, what, from.Table.System(), to.Table.System())
		}
	}
}

func canonicalCodes(s Subject, list string) []handover.Code {
	var codes []handover.Code
	for _, c := range s.Table.Codes(list) {
		codes = append(codes, c.Canonical)
	}
	return slices.Sorted(slices.Values(codes))
}

// payloadsPassedOn is how many payloads of each message go through all systems. Each system alone has been tried with many more.
const payloadsPassedOn = 25

// passesOn sends payloads through all systems in turn.
func passesOn(t T, subjects []Subject, name handover.Name) {
	t.Helper()
	var tables []*table.Table
	for _, s := range subjects {
		tables = append(tables, s.Table)
	}
	generator := Payload(name, tables...)
	for seed := range payloadsPassedOn {
		first := generator.Example(seed)
		for _, s := range subjects {
			first = s.fit(first)
		}
		p := first
		for _, s := range subjects {
			draft, err := s.mapper().ToHandover(s.record(s.written(t, p)))
			require.NoError(t, err)
			p = draft.Payload
		}
		require.Equal(t, encode(t, first), encode(t, p))
	}
}
