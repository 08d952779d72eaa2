package profile_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/mapping/profile"
	"github.com/stretchr/testify/require"
)

// ofTheProgram are codes that the program itself knows, because the messages or the profiles of all jurisdictions have them.
func ofTheProgram() []string {
	return []string{
		"YES", "NO", "CONFIRMED", "OTHER", "ACCEPTED", "REJECTED", "MALE", "FEMALE", "UNKNOWN", "REDUCED", "SUSPENDED", "FULL",
		string(profile.CostApprovalReturn), string(profile.ReviewMeeting), string(profile.JobSearchExemption),
	}
}

// mayStay are files that name a word of a jurisdiction, with the words and the reason.
func mayStay() map[string][]string {
	return map[string][]string{
		// OSIV is the system of the Swiss disability insurance (IV), wherever it stands; what it can hold depends on one answer of the form.
		"adapters/osiv/": {"IV"}, "mapping/osiv/": {"IV", "IV_PROCEDURE"},
		// The dossier folder is that of an IV office, for persons whom OSIV cannot hold; its cases have numbers such as IV-7K2M.
		"adapters/ivdossier/": {"IV"},
		// Hints that name a sample of this repository.
		"cmd/einmal/run.go": {"lucerne"}, "gateway/config/check.go": {"lucerne"},
	}
}

// Nothing of a jurisdiction is in Go code: no text in a Go file outside tests and mocks names an agency type, a process, a rule, an item, a setting, a reason, a place or an
// organisation of any profile or sample directory. Comments may give examples; the mocks are the native systems of the first home.
func TestNothingOfAJurisdictionIsInGoCode(t *testing.T) {
	words := jurisdictionWords(t)
	token := regexp.MustCompile(`[\p{L}\p{N}_]+`)
	used := map[string]bool{}
	var wrong []string
	visited := 0
	eachText(t, func(file string, line int, text string) {
		visited++
		parts := append(token.FindAllString(text, -1), text)
		for _, w := range parts {
			if what, is := words[w]; is && !stays(file, w, used) {
				wrong = append(wrong, fmt.Sprintf("%s:%d: %s (%s)", file, line, w, what))
			}
		}
	})
	require.Greater(t, visited, 1000)
	require.Empty(t, wrong, "%s", strings.Join(wrong, "\n"))
	for place, list := range mayStay() {
		for _, w := range list {
			require.True(t, used[place+" "+w], "nothing in %s names %s any more: take it out of the list", place, w)
		}
	}
}

func stays(file, word string, used map[string]bool) bool {
	for place, list := range mayStay() {
		if strings.HasPrefix(file, place) && slices.Contains(list, word) {
			used[place+" "+word] = true
			return true
		}
	}
	return false
}

// jurisdictionWords returns every word that belongs to a profile or to the sample directories, and what it is there.
func jurisdictionWords(t *testing.T) map[string]string {
	t.Helper()
	words := map[string]string{}
	add := func(what string, w string) {
		if w != "" && !slices.Contains(ofTheProgram(), w) {
			words[w] = what
		}
	}
	for _, j := range jurisdictions() {
		add("name of a jurisdiction", j.profile)
		for _, v := range load(t, j.profile).Versions() {
			for _, list := range []string{"agency", "process", "rejection", "closure", "outcome", "costRefusal", "withdrawal", "capability"} {
				for _, e := range v.Codes(list) {
					add("code of "+list, string(e.Code))
				}
			}
			for _, i := range v.Items {
				add("item", string(i.Code))
			}
			for _, s := range v.Settings {
				add("setting", string(s.Fact))
			}
			for _, r := range v.Rules {
				add("rule", r.ID)
			}
		}
	}
	for _, sample := range []string{"../../deploy/examples/directory-lucerne.yaml", "../../deploy/examples/lippe/directory.yaml"} {
		text, err := os.ReadFile(sample)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`(?m)(?:- id: |bfs: \d+, name: )([\p{L}\p{N}-]+)`).FindAllStringSubmatch(string(text), -1) {
			add("organisation or place", m[1])
		}
	}
	for _, w := range []string{"RAV", "SoBZ", "Jobcenter", "WIRA", "DISG", "SECO", "IIZ", "OPTIMA", "Luzern", "Lucerne"} {
		add("name of the first homes", w)
	}
	require.Greater(t, len(words), 200)
	return words
}

// eachText visits every text in the Go files of the program, without imports and the tags of structs, which are the contract's, and without kits for tests.
func eachText(t *testing.T, visit func(file string, line int, text string)) {
	t.Helper()
	root := filepath.Join("..", "..")
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && rel != "." || d.Name() == "testdata" || rel == "mocks" || strings.HasSuffix(d.Name(), "test")):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go"):
			return nil
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec:
				return false
			case *ast.Field:
				return n.Tag == nil
			case *ast.BasicLit:
				if n.Kind == token.STRING {
					text, err := strconv.Unquote(n.Value)
					require.NoError(t, err)
					visit(filepath.ToSlash(rel), set.Position(n.Pos()).Line, text)
				}
			}
			return true
		})
		return nil
	}))
}
