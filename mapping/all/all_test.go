package all_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"testing"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/all"
	"github.com/einmal-hub/einmal/mapping/avam"
	"github.com/einmal-hub/einmal/mapping/casenet"
	"github.com/einmal-hub/einmal/mapping/ivdossier"
	"github.com/einmal-hub/einmal/mapping/klib"
	"github.com/einmal-hub/einmal/mapping/mappingtest"
	"github.com/einmal-hub/einmal/mapping/osiv"
	"github.com/einmal-hub/einmal/mapping/table"
	"github.com/einmal-hub/einmal/mapping/tutoris"
	"github.com/stretchr/testify/require"
)

// subjects are the mappings of the list with their tables.
func subjects(t *testing.T) map[string]mappingtest.Subject {
	t.Helper()
	tables := map[string]func() (*table.Table, error){
		"avam": avam.Table, "casenet": casenet.Table, "klib": klib.Table, "osiv": osiv.Table, "tutoris": tutoris.Table, "ivdossier": ivdossier.Table,
	}
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
	for name, with := range map[string]func(*table.Table) mapping.Mapper{"avam": avam.With, "tutoris": tutoris.With, "ivdossier": ivdossier.With} {
		withHeader := found[name]
		withHeader.New = with
		found[name] = withHeader
	}
	guarded := found["osiv"]
	guarded.New, guarded.Fit = osiv.With, registered
	found["osiv"] = guarded
	return found
}

// registered makes an application one of a person with an IV registration: OSIV holds no others (P7).
func registered(p handover.Payload) handover.Payload {
	a, opens := p.(handover.ApplicationSubmitted)
	if !opens {
		return p
	}
	a.Declarations = slices.DeleteFunc(slices.Clone(a.Declarations), func(d handover.Declaration) bool { return d.Item == "IV_PROCEDURE" })
	a.Declarations = append(a.Declarations, handover.Declaration{Item: "IV_PROCEDURE", Answer: "RUNNING"})
	return a
}

// The rules of every mapping are tried in its own package; that costs too much to be done again here.
func TestEveryMappingOfTheListIsHeldToEveryRuleInItsOwnPackage(t *testing.T) {
	for name := range subjects(t) {
		held := 0
		files, err := filepath.Glob(filepath.Join("..", name, "*_test.go"))
		require.NoError(t, err)
		for _, file := range files {
			source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			ast.Inspect(source, func(n ast.Node) bool {
				if call, is := n.(*ast.CallExpr); is && isRun(call.Fun) {
					held++
				}
				return true
			})
		}
		require.Equal(t, 1, held, "mapping/%s calls mappingtest.Run once", name)
	}
}

func isRun(e ast.Expr) bool {
	f, is := e.(*ast.SelectorExpr)
	if !is || f.Sel.Name != "Run" {
		return false
	}
	p, is := f.X.(*ast.Ident)
	return is && p.Name == "mappingtest"
}

func TestWhatOneSystemSaysEveryOtherCanHear(t *testing.T) {
	s := subjects(t)
	mappingtest.Agree(t, s["klib"], s["avam"], s["casenet"], s["osiv"], s["tutoris"], s["ivdossier"])
}
