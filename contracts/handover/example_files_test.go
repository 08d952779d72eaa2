package handover_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// exampleJSON returns the published example of a message, which has every optional member.
func exampleJSON(t require.TestingT, n handover.Name) []byte {
	b, err := os.ReadFile(filepath.Join("..", "schema", "testdata", "examples", string(n)+".json"))
	require.NoError(t, err)
	return b
}

// example returns that example decoded.
func example(t require.TestingT, n handover.Name) handover.Payload {
	p, err := handover.DecodePayload(n, exampleJSON(t, n))
	require.NoError(t, err)
	return p
}

// exampleOf returns the example of one type.
func exampleOf[T handover.Payload](t require.TestingT) T {
	var zero T
	return example(t, zero.Name()).(T)
}

// golden compares text with a file below testdata, or writes it with -update.
func golden(t *testing.T, file, text string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), text, "run go test with -update if the change is meant")
}
