package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the program under test; TestMain builds it once, without the race detector, and for a short run without optimizing: on a machine that never built it, the
// compiler would take longer than the tests.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "einmal-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "einmal")
	args := []string{"build", "-ldflags=-s -w", "-o", binary}
	if os.Getenv("EINMAL_CHAOS") == "" {
		args = append(args, "-gcflags=all=-N -l")
	}
	build := exec.Command("go", append(args, ".")...) //nolint:gosec // the test's own arguments
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the program:", err)
		return 1
	}
	return m.Run()
}
