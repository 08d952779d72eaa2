package profile_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping/profile"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the pages RULES.md anew")

func TestLoad_EveryProfileIsNamedAsItsFolder(t *testing.T) {
	require.Equal(t, []string{"lippe", "lucerne"}, profile.Names())
	for _, name := range profile.Names() {
		require.Equal(t, name, load(t, name).Name())
		require.Equal(t, []string{"de", "en"}, load(t, name).Languages())
	}
}

func TestLoad_UnknownProfileStops(t *testing.T) {
	_, err := profile.Load("atlantis")
	require.Equal(t, fault.Stop, fault.KindOf(err))
}

// The page for people is made from the data.
func TestRulesPage_IsThatOfTheData(t *testing.T) {
	for _, name := range profile.Names() {
		page := load(t, name).Markdown("en")
		path := filepath.Join(name, "RULES.md")
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(page), 0o600))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), page, "go test ./mapping/profile -update")
	}
}

func TestOn_EveryDayHasOneVersion(t *testing.T) {
	p := load(t, "lucerne")
	for day, want := range map[handover.Date]string{
		"2016-03-14": "concept-2016", "2018-09-30": "concept-2016", "2018-10-01": "pilot-2018", "2025-01-31": "pilot-2018",
		"2025-02-01": "regular-2025", "2100-12-31": "regular-2025",
	} {
		v, err := p.On(day)
		require.NoError(t, err)
		require.Equal(t, want, v.Name)
		require.Equal(t, "lucerne/"+want, v.ID)
	}
	for _, day := range []handover.Date{"2016-03-13", "2014-05-01", ""} {
		_, err := p.On(day)
		require.Equal(t, fault.Park, fault.KindOf(err), day)
	}
	_, err := load(t, "lippe").On("2021-10-06")
	require.Equal(t, "no-version", fault.CodeOf(err), "a profile that has ended says so")
}

// folder is the Lucerne profile with one change; the change must match.
func folder(t *testing.T, file, from, to string) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	files, err := filepath.Glob("lucerne/*.yaml")
	require.NoError(t, err)
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		text := string(b)
		if filepath.Base(f) == file {
			require.Contains(t, text, from)
			text = strings.Replace(text, from, to, 1)
		}
		out[filepath.Base(f)] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

func TestParse_FindsEveryMistakeWithItsLine(t *testing.T) {
	for name, c := range map[string]struct{ file, from, to, code string }{
		"unknown name":                  {"rules.yaml", "rule: G1\n", "rule: G1\n    sorce: x\n", "unknown-name"},
		"name twice":                    {"rules.yaml", "source: C 3.2\n", "source: C 3.2\n    source: C 3.3\n", "repeated"},
		"no YAML":                       {"rules.yaml", "rules:", "rules: [", "malformed"},
		"two documents":                 {"words.yaml", "phrases:", "---\nphrases:", "two-documents"},
		"alias":                         {"rules.yaml", "when: {fact: RECEIVER_RESPONSIBLE, is: YES}", "when: &x {fact: RECEIVER_RESPONSIBLE, is: YES}", "alias"},
		"fraction":                      {"rules.yaml", "atLeast: 20", "atLeast: 20.5", "wrong-type"},
		"day that does not exist":       {"profile.yaml", "validTo: 2018-09-30", "validTo: 2018-09-31", "date-format"},
		"gap between versions":          {"profile.yaml", "validTo: 2018-09-30", "validTo: 2018-09-29", "dates"},
		"versions overlap":              {"profile.yaml", "validFrom: 2025-02-01\n    source", "validFrom: 2025-01-31\n    source", "dates"},
		"open version before another":   {"profile.yaml", "    validTo: 2018-09-30\n", "", "dates"},
		"version without name":          {"profile.yaml", "version: pilot-2018", "version: Pilot", "missing"},
		"unknown version":               {"rules.yaml", "in: [concept-2016]", "in: [concept-2017]", "unknown-version"},
		"unknown version of direction":  {"groups.yaml", "in: [concept-2016]", "in: [concept-2017]", "unknown-version"},
		"language missing":              {"rules.yaml", `, en: "Check permit and age."`, "", "text"},
		"language too many":             {"rules.yaml", `en: "Check permit and age."`, `en: "Check permit and age.", fr: "x"`, "text"},
		"hint missing":                  {"rules.yaml", `    hint: {de: "Bewilligung und Alter prüfen.", en: "Check permit and age."}` + "\n", "", "text"},
		"languages missing":             {"profile.yaml", "languages: [de, en]", "languages: [de]", "missing"},
		"currency missing":              {"profile.yaml", "currency: CHF\n", "", "missing"},
		"name missing":                  {"profile.yaml", "profile: lucerne\n", "", "missing"},
		"head twice":                    {"words.yaml", "states:", "currency: EUR\nstates:", "head"},
		"rule twice in a version":       {"rules.yaml", "rule: G2\n", "rule: G1\n", "repeated"},
		"rule without id":               {"rules.yaml", "  - rule: G2\n    source", "  - source", "missing"},
		"rule without source":           {"rules.yaml", "    source: C 2.1\n", "", "missing"},
		"unknown severity":              {"rules.yaml", "severity: refuse", "severity: deny", "unknown-value"},
		"unknown kind":                  {"rules.yaml", "kind: checkable", "kind: guess", "unknown-value"},
		"unknown reason":                {"rules.yaml", "reason: OTHER", "reason: WHATEVER", "unknown-code"},
		"checkable rule that confirms":  {"rules.yaml", "when: {fact: RECEIVER_RESPONSIBLE, is: YES}", "confirm: WORK_OFFER_ABLE", "rule-form"},
		"judgement without item":        {"rules.yaml", "confirm: WORK_OFFER_WILLING", "confirm: IV_PROCEDURE", "rule-form"},
		"unknown fact":                  {"rules.yaml", "fact: RECEIVER_RESPONSIBLE", "fact: RECEIVER_KIND", "unknown-fact"},
		"fact of another version":       {"rules.yaml", "when: {fact: CASE_LEADERSHIP_MOVES, is: YES}", "when: {fact: WORK_ABILITY_ATTESTED, is: YES}", "unknown-fact"},
		"unknown code in a condition":   {"rules.yaml", "when: {fact: CASE_LEADERSHIP_MOVES, is: YES}", "when: {fact: CASE_LEADERSHIP_MOVES, is: MAYBE}", "unknown-code"},
		"unknown code in a list":        {"rules.yaml", "in: [A, B, H, I]", "in: [A, B, H, X]", "unknown-code"},
		"unknown capability":            {"rules.yaml", "has: ADDICTION_ONLY", "has: ADDICTION", "unknown-code"},
		"two forms":                     {"rules.yaml", "{fact: RECEIVER_RESPONSIBLE, is: YES}", "{fact: RECEIVER_RESPONSIBLE, is: YES, not: {fact: SEX, is: MALE}}", "condition"},
		"two comparisons":               {"rules.yaml", "{fact: RECEIVER_RESPONSIBLE, is: YES}", "{fact: RECEIVER_RESPONSIBLE, is: YES, has: NO}", "condition"},
		"no comparison":                 {"rules.yaml", "{fact: RECEIVER_RESPONSIBLE, is: YES}", "{fact: RECEIVER_RESPONSIBLE}", "condition"},
		"empty all":                     {"rules.yaml", "{fact: RECEIVER_RESPONSIBLE, is: YES}", "{all: []}", "condition"},
		"number compared as code":       {"rules.yaml", "{fact: WORK_CAPACITY_PERCENT, atLeast: 20}", "{fact: WORK_CAPACITY_PERCENT, is: P20}", "condition"},
		"day without fact":              {"rules.yaml", "before: {fact: APPLIED_ON, months: -12}", "before: {months: -12}", "condition"},
		"day of something else":         {"rules.yaml", "before: {fact: APPLIED_ON, months: -12}", "before: {fact: SEX, months: -12}", "unknown-fact"},
		"item that nobody reads":        {"rules.yaml", "confirm: HIGH_SUPPORT_NEED", "confirm: WANTS_AND_CAN_WORK", "unused"},
		"item of two kinds":             {"items.yaml", "date: true", "date: true, answers: [YES]", "item-form"},
		"item named as a fact":          {"items.yaml", "item: IV_APPEAL", "item: SEX", "repeated"},
		"unknown answer":                {"items.yaml", "answers: [OPEN, SETTLED]", "answers: [OPEN, CLEAR]", "unknown-code"},
		"amount of money asked":         {"items.yaml", "unit: PERCENT", "unit: CHF", "item-form"},
		"setting without source":        {"profile.yaml", `source: "IVG Art. 68quater", `, "", "missing"},
		"process for nobody":            {"profile.yaml", "receiver: ALV", "receiver: RAV", "unknown-code"},
		"direction to another receiver": {"groups.yaml", "{from: IV, to: ALV, process: OPTIMA_ALV", "{from: IV, to: SH, process: OPTIMA_ALV", "direction"},
		"direction without gate":        {"profile.yaml", "between: [ALV, IV]", "between: [ALV, ALV]", "no-gate"},
		"gate twice":                    {"profile.yaml", "between: [SH, SH]", "between: [SH, IV]", "repeated"},
		"gate of one":                   {"profile.yaml", "between: [SH, SH]", "between: [SH]", "unknown-code"},
		"unknown ground":                {"profile.yaml", "ground: [INFORMED, CONSENT]", "ground: [TOLD]", "unknown-code"},
		"group without direction":       {"groups.yaml", "directions:\n      - {from: IV, to: ALV", "directions:\n      - {in: [pilot-2018], from: IV, to: ALV", "missing"},
		"deadline in weeks":             {"profile.yaml", "unit: MONTHS", "unit: WEEKS", "deadline"},
		"procedure missing":             {"procedures.yaml", "  - assigning: IV\n    process: OPTIMA_ALV", "  - assigning: IV\n    in: [concept-2016]\n    process: OPTIMA_ALV", "missing"},
		"procedure for nothing":         {"procedures.yaml", "process: OPTIMA_ALV", "process: OPTIMA_X", "unused"},
		"procedure twice":               {"procedures.yaml", "process: OPTIMA_SH", "process: OPTIMA_IV", "repeated"},
		"procedure of another word":     {"procedures.yaml", "meanwhile: SUSPENDED", "meanwhile: FULL", "unknown-code"},
		"procedure that never ends":     {"procedures.yaml", "afterwards: FULL", "afterwards: REDUCED", "unknown-code"},
		"procedure that stops nothing":  {"procedures.yaml", "stops:\n      - {de: \"Gespräche zu Beratung und Vermittlung\", en: \"Talks on counselling and placement\"}\n", "stops: []\n", "missing"},
		"procedure without source":      {"procedures.yaml", "    source: C 3.3.1\n", "", "missing"},
		"rule too long for the answer":  {"rules.yaml", `en: "Exactly two agencies are involved."`, `en: "` + strings.Repeat("x", 501) + `"`, "answer"},
		"hint too long for the answer":  {"rules.yaml", `en: "Check permit and age."`, `en: "` + strings.Repeat("x", 2001) + `"`, "answer"},
		"question too long":             {"items.yaml", `en: "Impediment: addiction"`, `en: "` + strings.Repeat("x", 2000) + `"`, "answer"},
		"id too long for the answer":    {"rules.yaml", "rule: G1\n", "rule: G" + strings.Repeat("1", 40) + "\n", "answer"},
		"source too long":               {"rules.yaml", "source: C 2.1\n", "source: " + strings.Repeat("C", 201) + "\n", "answer"},
		"group too long":                {"groups.yaml", `en: "Social assistance and unemployment benefit"`, `en: "` + strings.Repeat("x", 501) + `"`, "answer"},
		"nobody pays":                   {"financing.yaml", "financing:", "rates:", "unknown-name"},
		"no last one who pays":          {"financing.yaml", "  - financer: SH\n", "  - financer: SH\n    when: {fact: SEX, is: MALE}\n", "condition"},
		"one pays whatever else":        {"financing.yaml", "    when: {fact: UNEMPLOYMENT_BENEFIT, is: YES}\n", "", "condition"},
		"unknown financer":              {"financing.yaml", "financer: SH", "financer: XX", "unknown-code"},
		"financing by an unknown fact":  {"financing.yaml", "{fact: UNEMPLOYMENT_BENEFIT, is: YES}", "{fact: ENTITLED, is: YES}", "unknown-fact"},
		"financing without source":      {"financing.yaml", "    source: \"C 3.3.3, 5.2\"\n", "", "missing"},
		"no list of closures":           {"codes.yaml", "list: closure", "list: closing", "missing"},
		"no decision":                   {"codes.yaml", "code: REJECTED, text: {de: \"Abgelehnt\"", "code: REFUSED, text: {de: \"Abgelehnt\"", "missing"},
		"rates overlap":                 {"profile.yaml", "validTo: 2025-01-31, source: C 5.1", "source: C 5.1", "rate"},
		"rate for nothing":              {"profile.yaml", "amountCents: 30000", "amountCents: 0", "rate"},
		"rate for nobody":               {"profile.yaml", "rate: SH", "rate: XX", "unknown-code"},
		"code twice":                    {"codes.yaml", "code: INFORMED", "code: CONSENT", "repeated"},
		"list missing":                  {"codes.yaml", "list: capability", "list: ability", "missing"},
		"list twice":                    {"codes.yaml", "list: language", "list: consent", "repeated"},
		"no other reason":               {"codes.yaml", "code: OTHER, text: {de: \"Sonstiger Grund\", en: \"Other reason\"}}\n  - list: costRefusal", "code: REST, text: {de: \"x\", en: \"x\"}}\n  - list: costRefusal", "missing"},
		"state without words":           {"words.yaml", "name: CONSENT_ENDED", "name: CONSENT_OVER", "unknown-name"},
		"message without words":         {"words.yaml", `  - {name: sanction-hint, text: {de: "Hinweis auf einen möglichen Sanktionsgrund", en: "Hint at a possible reason for a sanction"}}` + "\n", "", "missing"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := profile.Parse(folder(t, c.file, c.from, c.to))
			require.Equal(t, fault.Stop, fault.KindOf(err))
			require.Contains(t, codesOf(t, err), c.code)
		})
	}
}

// codesOf returns the codes of findings, each of which must say where it is.
func codesOf(t *testing.T, err error) []string {
	t.Helper()
	var found fault.Findings
	require.ErrorAs(t, err, &found)
	var codes []string
	for _, f := range found {
		codes = append(codes, f.Code)
		require.Positive(t, f.Line)
		require.NotEmpty(t, f.File)
		require.NotEmpty(t, f.Text)
	}
	return codes
}

func TestParse_ReportsTheLineOfTheMistake(t *testing.T) {
	_, err := profile.Parse(folder(t, "rules.yaml", "fact: RECEIVER_RESPONSIBLE", "fact: NOBODY_KNOWS"))
	var found fault.Findings
	require.ErrorAs(t, err, &found)
	b, err := os.ReadFile("lucerne/rules.yaml")
	require.NoError(t, err)
	line := 1 + strings.Count(strings.Split(string(b), "fact: RECEIVER_RESPONSIBLE")[0], "\n")
	require.Len(t, found, 3, "once for each version")
	require.Equal(t, fault.Finding{
		File: "rules.yaml", Line: line, Path: "rules[0].when", Code: "unknown-fact",
		Text: "the version concept-2016 knows no such fact", Next: "add an item or a setting, or correct the name",
	}, found[0])
}

func TestParse_ReportsAllMistakesAtOnce(t *testing.T) {
	files := folder(t, "rules.yaml", "severity: refuse", "severity: deny")
	files["items.yaml"].Data = []byte(strings.Replace(string(files["items.yaml"].Data), "unit: PERCENT", "unit: CHF", 1))
	files["words.yaml"].Data = []byte(strings.Replace(string(files["words.yaml"].Data), "NO_CASE", "NOTHING", 1))
	_, err := profile.Parse(files)
	var found fault.Findings
	require.ErrorAs(t, err, &found)
	named := map[string]bool{}
	for _, f := range found {
		named[f.File] = true
	}
	require.True(t, named["rules.yaml"] && named["items.yaml"] && named["words.yaml"])
}

func TestParse_NothingThere(t *testing.T) {
	_, err := profile.Parse(fstest.MapFS{})
	require.Equal(t, fault.Stop, fault.KindOf(err))
	_, err = profile.Parse(fstest.MapFS{"a.yaml": {Data: []byte("versions: []\n")}})
	require.Equal(t, fault.Stop, fault.KindOf(err))
	var found fault.Findings
	require.ErrorAs(t, err, &found)
}

// Whatever stands in a file, it is a profile or findings, never a panic.
func FuzzParse(f *testing.F) {
	for _, file := range []string{"lippe/profile.yaml", "lippe/rules.yaml", "lippe/codes.yaml"} {
		b, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(b)
	}
	rest := fstest.MapFS{}
	for _, file := range []string{"profile.yaml", "rules.yaml", "codes.yaml", "words.yaml"} {
		b, err := os.ReadFile("lippe/" + file)
		require.NoError(f, err)
		rest[file] = &fstest.MapFile{Data: b}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		files := fstest.MapFS{"fuzz.yaml": {Data: data}}
		for name, file := range rest {
			files[name] = file
		}
		if _, err := profile.Parse(files); err != nil {
			var found fault.Findings
			require.True(t, errors.As(err, &found) && len(found) > 0)
		}
	})
}
