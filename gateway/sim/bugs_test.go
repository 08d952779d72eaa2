package sim

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var heldBy = regexp.MustCompile("`([a-z/]+)` `(Test[A-Za-z0-9_]+)`")

// Every row of the table of bugs says everything, and the tests that it names exist where it says.
func TestEveryTestOfTheTableExists(t *testing.T) {
	table, err := os.ReadFile("BUGS.md")
	require.NoError(t, err)
	rows := 0
	for line := range strings.Lines(string(table)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| what") {
			continue
		}
		rows++
		require.Len(t, cells, 4, line)
		for _, c := range cells {
			require.NotEmpty(t, strings.TrimSpace(c), line)
		}
		tests := heldBy.FindAllStringSubmatch(cells[3], -1)
		require.Len(t, tests, strings.Count(cells[3], "`Test"), "a test without its folder: %s", cells[3])
		require.NotEmpty(t, tests, line)
		for _, named := range tests {
			require.True(t, declared(t, named[1], named[2]), "%s has no %s", named[1], named[2])
		}
	}
	require.Greater(t, rows, 20)
}

// declared reports whether a test stands in a folder of the module.
func declared(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", folder, "*_test.go"))
	require.NoError(t, err)
	for _, f := range files {
		source, err := os.ReadFile(f)
		require.NoError(t, err)
		if strings.Contains(string(source), "func "+name+"(") {
			return true
		}
	}
	return false
}
