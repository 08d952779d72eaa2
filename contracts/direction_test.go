package contracts_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

// edge is one import inside the module: paths relative to the module, and whether a test file imports.
type edge struct {
	from, to string
	test     bool
}

// direction says what is wrong with an edge, or "". systems are the names of the native systems.
func (e edge) direction(systems []string) string {
	from, to := strings.Split(e.from, "/"), strings.Split(e.to, "/")
	switch {
	case e.from == e.to, from[0] == "cmd":
		return ""
	case to[0] == "cmd":
		return "nothing imports cmd"
	case e.test && (to[0] == "mocks" || testHelp(to)) && from[0] != "contracts" && from[0] != "mocks":
		return ""
	case testHelp(to) && !testHelp(from) && !e.test:
		return "only tests, and cmd, import test kits"
	case to[len(to)-1] == "all" && !e.test:
		return "only cmd and tests import the lists of factories"
	case !slices.Contains(below(from[0]), to[0]):
		return from[0] + " does not import " + to[0]
	case otherSystem(from, to, systems):
		return "no native system imports another"
	case from[0] == "gateway":
		return e.gateway(from, to)
	}
	return ""
}

// below lists the folders that a top-level folder may import, itself included.
func below(folder string) []string {
	return map[string][]string{
		"contracts": {"contracts"},
		"mapping":   {"contracts", "mapping"},
		"adapters":  {"contracts", "adapters"},
		"mocks":     {"contracts", "mocks"},
		"gateway":   {"contracts", "mapping", "adapters", "gateway"},
	}[folder]
}

// gatewayShares lists what packages below gateway know of each other. Everything else meets in the root: bus, claims, seal and the
// configuration reach intake and delivery as interfaces, so that each can be tested and read alone. The ledger's states, the lanes and the names of
// spans are words that intake and delivery have in common; the packages that hold them import nothing of gateway.
func gatewayShares() map[string][]string {
	return map[string][]string{
		"intake":   {"ledger", "schedule", "telemetry"},
		"delivery": {"ledger", "schedule", "telemetry"},
		"parked":   {"ledger"},
		"receipts": {"ledger"},
		// The shelf keeps what the ledger gives it, in the ledger's words; the ledger declares what it needs of one and knows none.
		"shelf": {"ledger"},
		"admin": {"ledger", "parked", "receipts", "reconcile"},
		// The simulator is a second root: it wires the real parts to a world in memory.
		"sim": {"claims", "delivery", "intake", "ledger", "parked", "reconcile", "schedule", "seal", "telemetry"},
	}
}

// gateway holds the rules inside gateway: siblings meet in the root, and systems are reached through interfaces.
func (e edge) gateway(from, to []string) string {
	switch {
	case e.test:
		return ""
	case to[0] == "gateway" && len(from) > 1 && (len(to) == 1 || to[1] != from[1] && !slices.Contains(gatewayShares()[from[1]], to[1])):
		return "a package below gateway does not import the root or a sibling"
	case (to[0] == "adapters" || to[0] == "mapping") && len(to) > 1 && !(len(from) == 1 && (e.to == "mapping/profile" || e.to == "adapters/measure")):
		// The root may know the profile of the jurisdiction, which is no system's mapping, and what was measured of a system, which is no system's adapter.
		return "gateway knows the contract of adapters and mappings, not the systems"
	}
	return ""
}

// testHelp reports whether a package is a kit for tests: adaptertest, mappingtest.
func testHelp(path []string) bool {
	return slices.ContainsFunc(path, func(s string) bool { return strings.HasSuffix(s, "test") })
}

// otherSystem reports whether one native system's folder imports that of another one.
func otherSystem(from, to, systems []string) bool {
	return len(from) > 1 && len(to) > 1 && from[0] != "gateway" && from[1] != to[1] &&
		slices.Contains(systems, from[1]) && slices.Contains(systems, to[1])
}

func TestImportsKeepTheDirection(t *testing.T) {
	m := readModule(t)
	for _, f := range m.files {
		for _, to := range f.imports {
			e := edge{from: f.dir, to: to, test: f.test}
			if why := e.direction(m.systems); why != "" {
				t.Errorf("%s imports %s: %s", f.path, to, why)
			}
		}
	}
	require.NotEmpty(t, m.files)
}

func TestTheDirectionRuleCanFail(t *testing.T) {
	systems := []string{"klib", "avam", "casenet"}
	for _, e := range []edge{
		{from: "contracts/handover", to: "adapters"}, {from: "contracts/schema", to: "gateway/bus"}, {from: "contracts/native", to: "mapping"},
		{from: "contracts/strict", to: "mocks/klib", test: true}, {from: "contracts/schema", to: "gateway/bus", test: true},
		{from: "mapping/klib", to: "adapters"}, {from: "mapping/klib", to: "adapters/klib"}, {from: "mapping", to: "gateway"}, {from: "mapping/klib", to: "mapping/avam"},
		{from: "mapping/klib", to: "adapters/klib", test: true}, {from: "mapping/klib", to: "mocks/klib"},
		{from: "adapters/klib", to: "mapping"}, {from: "adapters/klib", to: "mapping/klib", test: true}, {from: "adapters/klib", to: "adapters/avam"},
		{from: "adapters/klib", to: "adapters/avam", test: true}, {from: "adapters/klib", to: "gateway/config"}, {from: "adapters/klib", to: "mocks/klib"},
		{from: "adapters/klib", to: "adapters/adaptertest"}, {from: "adapters/klib", to: "adapters/all"}, {from: "adapters/klib", to: "cmd/einmal", test: true},
		{from: "gateway", to: "adapters/all"}, {from: "gateway", to: "mapping/all"}, {from: "gateway", to: "mocks/core"}, {from: "gateway", to: "adapters/klib"},
		{from: "gateway/delivery", to: "mapping/profile"}, {from: "gateway/delivery", to: "adapters/measure"}, {from: "gateway", to: "mapping/klib"},
		{from: "gateway", to: "cmd/einmal"}, {from: "gateway/intake", to: "gateway/delivery"}, {from: "gateway/intake", to: "gateway"},
		{from: "gateway/ledger", to: "gateway/telemetry"}, {from: "gateway/delivery", to: "gateway/bus"}, {from: "gateway/delivery", to: "gateway/claims"},
		{from: "gateway/parked", to: "gateway/delivery"}, {from: "gateway/admin", to: "gateway/delivery"}, {from: "gateway/reconcile", to: "gateway/ledger"},
		{from: "gateway/intake", to: "mapping/table"}, {from: "gateway/intake", to: "adapters/internal/httpx"}, {from: "gateway/delivery", to: "mocks/core"},
		{from: "mocks/klib", to: "adapters/klib"}, {from: "mocks/klib", to: "mapping/klib", test: true}, {from: "mocks/klib", to: "gateway", test: true},
		{from: "mocks/klib", to: "mocks/avam"}, {from: "mocks/core", to: "adapters/adaptertest", test: true}, {from: "mocks", to: "cmd/einmal"},
	} {
		require.NotEmpty(t, e.direction(systems), "%+v", e)
	}
	for _, e := range []edge{
		{from: "contracts/handover", to: "contracts/fault"}, {from: "mapping/klib", to: "mapping/table"}, {from: "mapping/klib", to: "mapping"},
		{from: "mapping/klib", to: "contracts/native"}, {from: "mapping/klib", to: "mapping/mappingtest", test: true}, {from: "mapping/mappingtest", to: "mapping"},
		{from: "mapping/all", to: "mapping/klib"}, {from: "adapters/all", to: "adapters/avam"}, {from: "adapters/klib", to: "adapters/internal/httpx"},
		{from: "adapters/klib", to: "adapters/adaptertest", test: true}, {from: "adapters/klib", to: "mocks/klib", test: true},
		{from: "gateway", to: "mapping/profile"}, {from: "gateway", to: "adapters/measure"},
		{from: "gateway", to: "gateway/intake"}, {from: "gateway", to: "adapters"}, {from: "gateway/intake", to: "mapping"}, {from: "gateway/intake", to: "adapters"},
		{from: "gateway/ledger", to: "contracts/fault"}, {from: "gateway/ledger", to: "gateway/embedded", test: true}, {from: "gateway", to: "adapters/all", test: true},
		{from: "gateway", to: "mocks/clerks", test: true}, {from: "gateway/bus", to: "gateway/bus/seal"},
		{from: "gateway/delivery", to: "gateway/ledger"}, {from: "gateway/admin", to: "gateway/parked"}, {from: "mocks/klib", to: "mocks/core"},
		{from: "mocks/clerks", to: "mocks/klib"}, {from: "mocks/klib", to: "contracts/native"}, {from: "cmd/einmal", to: "mocks/klib"}, {from: "cmd/einmal", to: "adapters/all"},
		{from: "cmd/einmal", to: "gateway"}, {from: "cmd/einmal", to: "cmd/einmal", test: true},
	} {
		require.Empty(t, e.direction(systems), "%+v", e)
	}
}

// TestTheGatewayNamesNoNativeSystem: a system is added without touching the gateway as long as no text in its code names one. The simulator, whose systems are its own, may call them what it likes.
func TestTheGatewayNamesNoNativeSystem(t *testing.T) {
	m := readModule(t)
	looked := 0
	for _, f := range m.files {
		if in := strings.Split(f.dir, "/"); in[0] != "gateway" || f.test || len(in) > 1 && in[1] == "sim" {
			continue
		}
		looked++
		require.Empty(t, namedSystems(f.syntax, m.systems), "%s names a native system", f.path)
	}
	require.Positive(t, looked)
}

func TestTheRuleForNamesOfSystemsCanFail(t *testing.T) {
	for code, want := range map[string]int{
		`var x = "klib"`:                         1,
		"var x = `a/klib/sd-kriens`":             1,
		`const x, y = "KLIB", "avam"`:            2,
		`var x = "kliba"`:                        0,
		"type x struct{ A int `yaml:\"klib\"` }": 1,
		"// klib\nvar klib int":                  0,
	} {
		syntax, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\n"+code, 0)
		require.NoError(t, err)
		require.Len(t, namedSystems(syntax, []string{"klib", "avam"}), want, code)
	}
}

// namedSystems lists the texts in a file's code that hold the name of a native system as a word.
func namedSystems(syntax *ast.File, systems []string) []string {
	var found []string
	ast.Inspect(syntax, func(n ast.Node) bool {
		text, ok := n.(*ast.BasicLit)
		if !ok || text.Kind != token.STRING {
			return true
		}
		words := strings.FieldsFunc(strings.ToLower(text.Value), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if slices.ContainsFunc(words, func(w string) bool { return slices.Contains(systems, w) }) {
			found = append(found, text.Value)
		}
		return true
	})
	return found
}
