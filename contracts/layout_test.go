package contracts_test

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the module's folder, seen from this one.
const root = ".."

// source is one Go file of the module.
type source struct {
	path, dir string // relative to the module, with slashes
	test      bool
	imports   []string // of the module, relative to it
	syntax    *ast.File
}

// module is what the rules of this package look at.
type module struct {
	files   []source
	systems []string // folders in adapters that hold one native system each
}

// theModule is read once for all tests.
var theModule = sync.OnceValues(parseModule)

func readModule(t *testing.T) module {
	t.Helper()
	m, err := theModule()
	require.NoError(t, err)
	return m
}

func parseModule() (module, error) {
	name, err := moduleName()
	if err != nil {
		return module{}, err
	}
	var m module
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return filepath.SkipDir
		case !d.IsDir() && strings.HasSuffix(p, ".go"):
			s, err := parseSource(name, p)
			m.files = append(m.files, s)
			return err
		}
		return nil
	})
	if err != nil {
		return module{}, err
	}
	entries, err := os.ReadDir(filepath.Join(root, "adapters"))
	for _, e := range entries {
		if e.IsDir() && !slices.Contains([]string{"all", "adaptertest", "internal", "measure"}, e.Name()) {
			m.systems = append(m.systems, e.Name())
		}
	}
	return m, err
}

// moduleName returns the name on the first line of go.mod.
func moduleName() (string, error) {
	b, err := os.ReadFile(filepath.Join(root, "go.mod"))
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSpace(strings.TrimPrefix(line, "module ")), err
}

func parseSource(module, p string) (source, error) {
	syntax, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return source{}, err
	}
	rel, err := filepath.Rel(root, p)
	rel = filepath.ToSlash(rel)
	s := source{path: rel, dir: path.Dir(rel), test: strings.HasSuffix(rel, "_test.go"), syntax: syntax}
	for _, i := range syntax.Imports {
		if to, ok := strings.CutPrefix(strings.Trim(i.Path.Value, `"`), module+"/"); ok {
			s.imports = append(s.imports, to)
		}
	}
	return s, err
}

func TestTopLevelHoldsTheAgreedNamesOnly(t *testing.T) {
	allowed := []string{
		"cmd", "adapters", "mapping", "contracts", "gateway", "mocks", "deploy",
		"go.mod", "go.sum", "Makefile", "README.md", "LICENSE", "CHANGELOG.md",
	}
	produced := ignored(t)
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || slices.ContainsFunc(produced, func(p string) bool { return match(t, p, e.Name()) }) {
			continue
		}
		require.Contains(t, allowed, e.Name(), "a new top-level name is a decision about the layout")
	}
}

// ignored lists the top-level names that builds and runs produce: the rooted lines of .gitignore.
func ignored(t *testing.T) []string {
	t.Helper()
	f, err := os.Open(filepath.Join(root, ".gitignore"))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	var names []string
	for s := bufio.NewScanner(f); s.Scan(); {
		if name, ok := strings.CutPrefix(s.Text(), "/"); ok {
			names = append(names, strings.TrimSuffix(name, "/"))
		}
	}
	return names
}

func match(t *testing.T, pattern, name string) bool {
	t.Helper()
	ok, err := path.Match(pattern, name)
	require.NoError(t, err)
	return ok
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range readModule(t).files {
		if !f.test {
			documented[f.dir] = documented[f.dir] || f.syntax.Doc.Text() != ""
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(documented)) {
		require.True(t, documented[dir], "%s has no package comment", dir)
	}
}

func TestNoPackageIsADrawer(t *testing.T) {
	for _, f := range readModule(t).files {
		require.NotContains(t, []string{"util", "utils", "common", "helpers", "helper", "misc", "types", "models", "shared", "lib"}, path.Base(f.dir),
			"%s: name the package after what it does", f.path)
	}
}

func TestEveryAdapterHasTheSameFiles(t *testing.T) {
	m := readModule(t)
	for _, system := range m.systems {
		for _, file := range []string{"doc.go", "config.go", "adapter.go", "source.go", "sink.go"} {
			require.FileExists(t, filepath.Join(root, "adapters", system, file))
		}
	}
}

func TestEverySystemHasItsFolders(t *testing.T) {
	for _, system := range readModule(t).systems {
		for _, folder := range []string{"mapping", "mocks", "contracts/native"} {
			require.DirExists(t, filepath.Join(root, filepath.FromSlash(folder), system))
		}
	}
}

// TestPersonalTextStandsOnlyWhereItsMaskWorks: fmt prints an unexported field without asking its formatter, and encoding/json
// writes the key of a map of strings as it is.
func TestPersonalTextStandsOnlyWhereItsMaskWorks(t *testing.T) {
	for _, f := range readModule(t).files {
		if !f.test {
			require.Empty(t, exposedTexts(f.syntax), f.path)
		}
	}
}

func TestTheRuleForPersonalTextCanFail(t *testing.T) {
	for code, want := range map[string]int{
		"type x struct { Name personal.Text; names personal.Date }": 0,
		"type x struct { name personal.Text }":                      1,
		"type x struct { names []personal.Text }":                   1,
		"type x struct { a, b *personal.Text }":                     1,
		"var x map[personal.Text]int":                               1,
		"func f() map[string]personal.Text { return nil }":          0,
	} {
		syntax, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\n"+code, 0)
		require.NoError(t, err)
		require.Len(t, exposedTexts(syntax), want, code)
	}
}

// exposedTexts lists the places of a file where a personal.Text would be printed in clear.
func exposedTexts(syntax *ast.File) []string {
	var places []string
	ast.Inspect(syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.StructType:
			for _, field := range n.Fields.List {
				if len(field.Names) > 0 && !field.Names[0].IsExported() && isText(field.Type) {
					places = append(places, "field "+field.Names[0].Name)
				}
			}
		case *ast.MapType:
			if isText(n.Key) {
				places = append(places, "key of a map")
			}
		}
		return true
	})
	return places
}

// isText reports whether a type is personal.Text, or a pointer to it or a list of it.
func isText(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.StarExpr:
		return isText(e.X)
	case *ast.ArrayType:
		return isText(e.Elt)
	case *ast.SelectorExpr:
		x, ok := e.X.(*ast.Ident)
		return ok && x.Name == "personal" && e.Sel.Name == "Text"
	}
	return false
}
