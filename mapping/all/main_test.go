package all_test

import (
	"flag"
	"os"
	"testing"
)

// Here only is made sure that no mapping of the list is left out: each one's own package draws ten times as much.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "10"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
