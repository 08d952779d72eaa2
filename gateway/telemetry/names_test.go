package telemetry_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The guard reads the source of the whole gateway, because a rule that only tests of behaviour hold is broken by the first span that no test
// looks at.

func TestEveryKeyAndNameIsOneOfTheList(t *testing.T) {
	names := constants(t)
	require.NotEmpty(t, names)
	var files int
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files++
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, v := range violations(set, file, names) {
			t.Error(v)
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, files, 30, "the guard has not found the gateway")
}

func TestTheGuardFindsEveryWayRoundTheList(t *testing.T) {
	names := map[string]bool{"AttrCase": true, "SpanApply": true, "MetricLag": true}
	for code, want := range map[string]string{
		`attribute.String(telemetry.AttrCase, string(m.Case))`:              "",
		`attribute.String(AttrCase, m.ID)`:                                  "",
		`attribute.String("einmal.case", m.ID)`:                             "key",
		`attribute.Int(other.AttrCase, 1)`:                                  "key",
		`attribute.Key("person").String(m.ID)`:                              "key",
		`attribute.String(telemetry.AttrOther, m.ID)`:                       "key",
		`attribute.String(telemetry.AttrCase, string(m.Payload))`:           "value",
		`attribute.String(telemetry.AttrCase, p.Name.Reveal())`:             "value",
		`attribute.String(telemetry.AttrCase, fmt.Sprint(len(rec.Body)))`:   "value",
		`attribute.String(telemetry.AttrCase, string(b.Raw))`:               "value",
		`slog.String("name", p.Name.Reveal())`:                              "value",
		`slog.Any("record", rec.Body)`:                                      "value",
		`log.InfoContext(ctx, "read", "body", rec.Body)`:                    "value",
		`use(attribute.KeyValue{Key: "person"})`:                            "literal",
		`use(semconv.URLFull(u))`:                                           "semconv",
		`span.RecordError(err)`:                                             "event",
		`span.AddEvent("found")`:                                            "event",
		`d.Tracer.Start(ctx, telemetry.SpanApply, options)`:                 "",
		`d.Tracer.Start(ctx, "apply")`:                                      "span",
		`t.Tracer().Start(ctx, name)`:                                       "span",
		`meter.Int64Counter(MetricLag)`:                                     "metric",
		`meter.Float64ObservableGauge("einmal.lag")`:                        "metric",
		`span.SetAttributes(attribute.Stringer(telemetry.AttrOther, m.ID))`: "key",
	} {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, "x.go", "package delivery\nfunc f() { "+code+" }", parser.SkipObjectResolution)
		require.NoError(t, err, code)
		found := strings.Join(violations(set, file, names), "\n")
		if want == "" {
			require.Empty(t, found, code)
			continue
		}
		require.Contains(t, found, want+":", code)
	}
}

func TestEveryMetricIsOneOfTheListAndEveryNameOfTheListIsUsed(t *testing.T) {
	tel := start(t, telemetryConfig())
	touch(t, tel)
	var served []string
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (einmal_\S+)`).FindAllStringSubmatch(scrape(tel), -1) {
		served = append(served, strings.TrimSuffix(strings.TrimSuffix(m[1], "_total"), "_seconds"))
	}
	var listed []string
	for name, value := range constantValues(t) {
		if strings.HasPrefix(name, "Metric") {
			listed = append(listed, strings.ReplaceAll(value, ".", "_"))
		}
	}
	slices.Sort(served)
	slices.Sort(listed)
	require.Equal(t, listed, served)
}

// constants returns the names of names.go.
func constants(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for name := range constantValues(t) {
		out[name] = true
	}
	return out
}

func constantValues(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "names.go", nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	out := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			out[spec.Names[0].Name] = strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`)
		}
		return true
	})
	return out
}

// violations returns what a file does that the list does not allow, as "place: rule: what".
func violations(set *token.FileSet, file *ast.File, names map[string]bool) []string {
	g := guard{set: set, names: names, own: file.Name.Name == "telemetry"}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			g.call(n)
		case *ast.CompositeLit:
			if pkg, name := qualified(n.Type); pkg == "attribute" && name == "KeyValue" {
				g.report(n, "literal", "an attribute is made without its constructor")
			}
		}
		return true
	})
	return g.found
}

type guard struct {
	set   *token.FileSet
	names map[string]bool
	own   bool
	found []string
}

func (g *guard) report(n ast.Node, rule, text string) {
	g.found = append(g.found, fmt.Sprintf("%s: %s: %s", g.set.Position(n.Pos()), rule, text))
}

func (g *guard) call(c *ast.CallExpr) {
	pkg, name := qualified(c.Fun)
	switch {
	case pkg == "attribute" && name != "NewSet" && len(c.Args) > 0:
		if !g.listed(c.Args[0], "Attr") {
			g.report(c, "key", "the attribute key is no constant of names.go")
		}
		g.values(c)
	case pkg == "slog", logs(name):
		g.values(c)
	case pkg == "semconv":
		g.report(c, "semconv", "attributes of a library's choice are not on the list")
	case name == "RecordError" || name == "AddEvent":
		g.report(c, "event", "spans have no events: their text is not on the list")
	case name == "Start" && len(c.Args) > 1 && tracer(c.Fun) && !g.listed(c.Args[1], "Span"):
		g.report(c, "span", "the name of the span is no constant of names.go")
	case instrument().MatchString(name) && !g.own:
		g.report(c, "metric", "instruments are made in package telemetry only")
	}
}

// listed reports whether an expression is a constant of names.go with that prefix.
func (g *guard) listed(e ast.Expr, prefix string) bool {
	name := ""
	switch e := e.(type) {
	case *ast.Ident:
		name = e.Name
	case *ast.SelectorExpr:
		if pkg, n := qualified(e); pkg == "telemetry" {
			name = n
		}
	}
	return strings.HasPrefix(name, prefix) && g.names[name]
}

// values reports arguments that are made of what a record or a message holds.
func (g *guard) values(c *ast.CallExpr) {
	for _, arg := range c.Args {
		ast.Inspect(arg, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && slices.Contains([]string{"Payload", "Body", "Raw", "Reveal", "plain"}, id.Name) {
				g.report(id, "value", id.Name+" may hold personal data")
			}
			return true
		})
	}
}

// qualified takes "pkg.Name" apart; pkg is empty for anything else, name is that of the method or function.
func qualified(e ast.Expr) (pkg, name string) {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	if id, ok := s.X.(*ast.Ident); ok {
		pkg = id.Name
	}
	return pkg, s.Sel.Name
}

func logs(method string) bool {
	return slices.Contains([]string{"DebugContext", "InfoContext", "WarnContext", "ErrorContext", "LogAttrs", "Debug", "Info", "Warn", "Error"}, method)
}

// tracer reports whether a method is called on something named Tracer.
func tracer(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	on := s.X
	if c, ok := on.(*ast.CallExpr); ok {
		on = c.Fun
	}
	switch on := on.(type) {
	case *ast.SelectorExpr:
		return strings.EqualFold(on.Sel.Name, "tracer")
	case *ast.Ident:
		return strings.EqualFold(on.Name, "tracer")
	}
	return false
}

func instrument() *regexp.Regexp {
	return regexp.MustCompile(`^(Int64|Float64)(Observable)?(UpDown)?(Counter|Gauge|Histogram)$`)
}
