package all_test

import (
	"testing"

	"github.com/einmal-hub/einmal/mapping/all"
	"github.com/einmal-hub/einmal/mapping/avam"
	"github.com/einmal-hub/einmal/mapping/casenet"
	"github.com/einmal-hub/einmal/mapping/klib"
	"github.com/einmal-hub/einmal/mapping/mappingtest"
	"github.com/einmal-hub/einmal/mapping/table"
	"github.com/stretchr/testify/require"
)

// subjects are the mappings of the list with their tables.
func subjects(t *testing.T) map[string]mappingtest.Subject {
	t.Helper()
	tables := map[string]func() (*table.Table, error){"avam": avam.Table, "casenet": casenet.Table, "klib": klib.Table}
	mappers, err := all.Mappers()
	require.NoError(t, err)
	require.Len(t, mappers, len(tables), "this test knows every mapping of the list")
	found := map[string]mappingtest.Subject{}
	for name, load := range tables {
		require.Contains(t, mappers, name)
		loaded, err := load()
		require.NoError(t, err)
		found[name] = mappingtest.Subject{Table: loaded}
	}
	withHeader := found["avam"]
	withHeader.New = avam.With
	found["avam"] = withHeader
	return found
}

func TestEveryMappingHoldsEveryRule(t *testing.T) {
	for name, subject := range subjects(t) {
		t.Run(name, func(t *testing.T) { mappingtest.Run(t, subject) })
	}
}

func TestWhatOneSystemSaysEveryOtherCanHear(t *testing.T) {
	s := subjects(t)
	mappingtest.Agree(t, s["klib"], s["avam"], s["casenet"])
}
