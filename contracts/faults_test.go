package contracts_test

import (
	"flag"
	"fmt"
	"go/ast"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// update rewrites the table of faults (make golden).
var update = flag.Bool("update", false, "rewrite the table of faults")

// faultWord finds the numbers in the comment of a test: "Fault 12: ...", "Faults 27 and 39.".
var faultWord = regexp.MustCompile(`\bFaults? (\d+(?:(?:, | and )\d+)*)`)

// heldBy returns the tests that hold each fault, as the comments of the tests say.
func (m module) heldBy() map[int][]string {
	held := map[int][]string{}
	for _, f := range m.files {
		if !f.test {
			continue
		}
		for _, d := range f.syntax.Decls {
			test, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(test.Name.Name, "Test") {
				continue
			}
			for _, words := range faultWord.FindAllStringSubmatch(test.Doc.Text(), -1) {
				for _, n := range regexp.MustCompile(`\d+`).FindAllString(words[1], -1) {
					number, _ := strconv.Atoi(n) // it is a number
					held[number] = append(held[number], fmt.Sprintf("`%s` `%s`", f.dir, test.Name.Name))
				}
			}
		}
	}
	for n := range held {
		slices.Sort(held[n])
		held[n] = slices.Compact(held[n])
	}
	return held
}

// faultTable writes the table.
func faultTable(faults []theFault, held map[int][]string) string {
	var b strings.Builder
	covered, deviating := 0, 0
	for i, f := range faults {
		switch {
		case len(held[i+1]) == 0:
		case f.deviates != "":
			deviating++
		default:
			covered++
		}
	}
	fmt.Fprintf(&b, `# Faults

What can go wrong between the systems, what is expected of einmal then, and the tests that show it. Of %d faults, tests show for %d that einmal gives the expected answer, and for %d
that it gives another one: the column "deviates" says which and why. Where something of a fault is not shown, the last column says what.

ONE: recorded once, no person needed. WAIT: nothing is lost, and it is recorded once later. ASK: put before a person. REJ: refused with a reason. STOP: the process refuses to work.

Written by `+"`go test ./contracts -run Faults -update`"+` (make golden) from the comments of the tests ("Fault 12."). Beside these tests, many faults at once are played by
`+"`make sim`"+` (virtual time) and `+"`make chaos`"+` (real processes).

| | what goes wrong | expected | deviates | shown by | not shown |
|---|---|---|---|---|---|
`, len(faults), covered, deviating)
	for i, f := range faults {
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %s |\n", i+1, f.what, f.expected, f.deviates, strings.Join(held[i+1], ", "), f.lacks)
	}
	return b.String()
}

// Every fault has a test, or says why it has none; and the table says what the tests say.
func TestTheTableOfFaultsIsWhatTheTestsSay(t *testing.T) {
	faults, held := theFaults(), readModule(t).heldBy()
	require.Len(t, faults, 76)
	for i, f := range faults {
		require.NotEmpty(t, f.what, i+1)
		require.NotEmpty(t, f.expected, i+1)
		require.True(t, len(held[i+1]) > 0 || strings.HasPrefix(f.lacks, "no test: "), "fault %d (%s) is in no test's comment and does not say why", i+1, f.what)
		require.False(t, len(held[i+1]) > 0 && strings.HasPrefix(f.lacks, "no test: "), "fault %d has a test: %s", i+1, held[i+1])
	}
	for _, n := range slices.Sorted(maps.Keys(held)) {
		require.True(t, n >= 1 && n <= len(faults), "%v name a fault that is not in the list: %d", held[n], n)
	}
	file := filepath.Join(root, "deploy", "FAULTS.md")
	want := faultTable(faults, held)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o600))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "run: go test ./contracts -run Faults -update")
}

func TestTheCommentsOfTestsAreReadAsTheyAreMeant(t *testing.T) {
	for text, want := range map[string]string{"Fault 12.": "12", "Faults 27 and 39: x": "27 and 39", "Faults 1, 2 and 3.": "1, 2 and 3", "Fault 22, and the duty": "22", "Default 7": ""} {
		got := ""
		if m := faultWord.FindStringSubmatch(text); m != nil {
			got = m[1]
		}
		require.Equal(t, want, got, text)
	}
}
