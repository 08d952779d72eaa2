package schema_test

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	update  = flag.Bool("update", false, "write the schemas, asyncapi.yaml and the golden files anew")
	publish = flag.Bool("publish", false, "publish the schemas as they are, if they are compatible with what was published")
)

// golden compares a file with what it should hold, or writes it with -update.
func golden(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, want, 0o644))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "%s: run go test ./contracts/schema -update if the change is meant", path)
}
