package profile_test

import (
	"testing"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping/avam"
	"github.com/einmal-hub/einmal/mapping/casenet"
	"github.com/einmal-hub/einmal/mapping/klib"
	"github.com/einmal-hub/einmal/mapping/table"
	"github.com/stretchr/testify/require"
)

// Whatever the profile knows, every system has a word for, and the other way round: a code that only one of them knows would park its message.
func TestTables_KnowTheCodesOfTheProfile(t *testing.T) {
	for name, load := range map[string]func() (*table.Table, error){"avam": avam.Table, "casenet": casenet.Table, "klib": klib.Table} {
		t.Run(name, func(t *testing.T) {
			words, err := load()
			require.NoError(t, err)
			for message, lists := range map[handover.Name]map[string]string{
				"application-submitted": {
					"process": "process", "targetGroup": "targetGroup", "consent.kind": "consent", "person.sex": "sex", "person.language": "language",
					"declarations[].answer": "answer", "declarations[].item": "",
				},
				"application-withdrawn":     {"reason": "withdrawal"},
				"application-decided":       {"decision": "decision", "reason": "rejection"},
				"transfer-meeting-recorded": {"participants[].part": "part"},
				"cost-approval-refused":     {"reason": "costRefusal"},
				"case-closed":               {"reason": "closure", "outcome": "outcome"},
			} {
				for path, list := range lists {
					require.ElementsMatch(t, ofProfile(t, list), ofTable(words, message, path), "%s: %s", message, path)
				}
			}
		})
	}
}

// ofProfile returns the codes of a list in any version; no list stands for the items.
func ofProfile(t *testing.T, list string) []handover.Code {
	t.Helper()
	seen := map[handover.Code]bool{}
	var codes []handover.Code
	add := func(c handover.Code) {
		if !seen[c] {
			seen[c], codes = true, append(codes, c)
		}
	}
	for _, v := range load(t, "lucerne").Versions() {
		if list == "" {
			for _, i := range v.Items {
				add(i.Code)
			}
		}
		for _, e := range v.Codes(list) {
			add(e.Code)
		}
	}
	return codes
}

func ofTable(words *table.Table, message handover.Name, path string) []handover.Code {
	var codes []handover.Code
	for _, r := range words.Rows(message) {
		if r.Canonical == path {
			for _, c := range words.Codes(r.List) {
				codes = append(codes, c.Canonical)
			}
		}
	}
	return codes
}
