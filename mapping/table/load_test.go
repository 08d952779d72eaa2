package table_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping/table"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files")

const head = "system: x\nformat: json\n"

// answered is a table of one message whose rows follow.
const answered = head + "messages:\n  clarification-answered:\n    kind: a\n    fields:\n"

const (
	answer = "      - {native: antwort, canonical: answer, rule: text}\n"
	remark = "      - {native: notiz, canonical: remark, rule: text, optional: true}\n"
)

func TestAWrongTableIsRefusedWithTheLineOfEachFinding(t *testing.T) {
	xml := strings.Replace(answered, "json", "xml", 1)
	rooted := strings.Replace(xml, "kind: a", "kind: a\n    root: r", 1)
	for name, test := range map[string]struct {
		yaml string
		want string
	}{
		"no YAML":                    {"a: [", "1 yaml"},
		"empty":                      {"", "0 yaml"},
		"two documents":              {answered + answer + remark + "---\na: 1\n", "9 yaml"},
		"not a mapping":              {"- a\n", "1 yaml-type"},
		"no system":                  {"format: json\n", "1 missing-key"},
		"no format":                  {"system: x\nformat: csv\n", "1 missing-key"},
		"unknown key":                {head + "extra: 1\n", "3 unknown-key"},
		"repeated key":               {head + "system: y\n", "3 repeated-key"},
		"namespaces in JSON":         {head + "namespaces: {a: b}\n", "1 unknown-key"},
		"namespace twice":            {"system: x\nformat: xml\nnamespaces:\n  a: u\n  b: u\n", "5 namespace"},
		"unknown message":            {head + "messages:\n  hello:\n    kind: a\n", "4 unknown-message"},
		"no kind":                    {head + "messages:\n  clarification-answered:\n    fields:\n" + answer + remark, "4 missing-key"},
		"kind twice":                 {answered + answer + remark + "  consent-withdrawn:\n    kind: a\n    fields:\n" + strings.Replace(remark+answer, "answer,", "withdrawnOn,", 1), "9 repeated-kind"},
		"root in JSON":               {strings.Replace(answered, "kind: a", "kind: a\n    root: r", 1) + answer + remark, "4 unknown-key"},
		"no root in XML":             {xml + answer + remark, "4 root"},
		"root with unknown prefix":   {strings.Replace(rooted, "root: r", "root: p:r", 1) + answer + remark, "4 root"},
		"unknown key of a row":       {answered + strings.Replace(answer, "rule", "role", 1) + remark, "7 unknown-key"},
		"row without rule":           {answered + strings.Replace(answer, ", rule: text", "", 1) + remark, "7 row-form"},
		"row with one side":          {answered + answer + "      - {native: notiz, rule: text}\n", "8 row-form"},
		"constant and drop":          {answered + answer + remark + "      - {native: z, const: a, drop: true, because: b}\n", "9 row-form"},
		"constant with two sides":    {answered + answer + "      - {native: z, canonical: remark, const: a, because: b}\n", "8 row-form"},
		"constant without reason":    {answered + answer + remark + "      - {native: z, const: a}\n", "9 no-reason"},
		"drop without reason":        {answered + answer + remark + "      - {native: z, drop: true}\n", "9 no-reason"},
		"drop and optional":          {answered + answer + remark + "      - {native: z, drop: true, because: b, optional: true}\n", "9 row-form"},
		"drop: false":                {answered + answer + remark + "      - {native: z, drop: false, because: b}\n", "9 yaml-type"},
		"max for a date":             {strings.Replace(answered+answer+remark, "rule: text}", "rule: date, max: 3}", 1), "7 row-form"},
		"max is no number":           {strings.Replace(answered+answer+remark, "rule: text}", "rule: text, max: viel}", 1), "7 yaml-type"},
		"unknown charset":            {strings.Replace(answered+answer+remark, "rule: text}", "rule: text, charset: ebcdic}", 1), "7 row-form"},
		"unknown rule":               {strings.Replace(answered+answer+remark, "rule: text}", "rule: magic}", 1), "7 unknown-rule"},
		"rule of another class":      {strings.Replace(answered+answer+remark, "rule: text}", "rule: date}", 1), "7 rule-class"},
		"list without code":          {head + "codes: {l: {A: a}}\n" + strings.TrimPrefix(answered, head) + strings.Replace(answer, "rule: text", "rule: text, list: l", 1) + remark, "8 row-form"},
		"malformed path":             {answered + strings.Replace(answer, "native: antwort", "native: a..b", 1) + remark, "7 path"},
		"attribute in JSON":          {answered + strings.Replace(answer, "native: antwort", "native: \"@a\"", 1) + remark, "7 path"},
		"prefix without namespace":   {rooted + strings.Replace(answer, "native: antwort", "native: p:a", 1) + remark, "8 namespace"},
		"unknown canonical":          {answered + answer + remark + "      - {native: z, canonical: zz, rule: text}\n", "9 unknown-canonical"},
		"unknown dropped canonical":  {answered + answer + remark + "      - {canonical: zz, drop: true, because: b}\n", "9 unknown-canonical"},
		"I4: unmapped value":         {answered + answer, "4 unmapped"},
		"native twice":               {answered + answer + strings.Replace(remark, "notiz", "antwort", 1), "8 repeated-path"},
		"canonical twice":            {answered + answer + remark + "      - {native: z, canonical: remark, rule: text, optional: true}\n", "9 repeated-path"},
		"value and object":           {answered + answer + strings.Replace(remark, "notiz", "antwort.b", 1), "8 path-conflict"},
		"object and value":           {answered + strings.Replace(answer, "antwort", "a.b", 1) + strings.Replace(remark, "notiz", "a", 1), "8 path-conflict"},
		"list and no list":           {answered + strings.Replace(answer, "antwort", "\"a.b\"", 1) + strings.Replace(remark, "notiz", "\"a[].c\"", 1), "8 path-conflict"},
		"different number of lists":  {answered + strings.Replace(answer, "antwort", "\"a[].b\"", 1) + remark, "7 list-mismatch"},
		"optional value, strict row": {answered + answer + strings.Replace(remark, ", optional: true", "", 1), "8 absence"},
		"unknown group":              {answered + answer + "      - {include: g}\n", "8 unknown-group"},
		"group in itself":            {head + "fields:\n  g:\n    - {include: g}\n" + strings.TrimPrefix(answered, head) + answer + remark + "      - {include: g}\n", "5 cyclic-group"},
		"include with a rule":        {head + "fields:\n  g: []\n" + strings.TrimPrefix(answered, head) + answer + remark + "      - {include: g, rule: text}\n", "11 row-form"},
		"unused group":               {head + "fields:\n  g: []\n" + strings.TrimPrefix(answered, head) + answer + remark, "4 unused"},
		"unused list":                {head + "codes:\n  l: {A: a}\n" + strings.TrimPrefix(answered, head) + answer + remark, "4 unused"},
		"native code twice":          {head + "codes:\n  l:\n    A: a\n    B: a\n", "6 list-code"},
		"canonical code in small":    {head + "codes:\n  l:\n    b: a\n", "5 list-code"},
		"number constant":            {answered + answer + remark + "      - {native: z, const: 0x1f, because: b}\n", "9 const"},
		"canonical constant":         {answered + "      - {canonical: answer, const: 3, because: b}\n" + remark, "7 const"},
		"rows of one element apart": {rooted + strings.Replace(answer, "antwort", "a.b", 1) + remark +
			"      - {native: a.c, drop: true, because: b}\n", "10 scattered"},
	} {
		t.Run(name, func(t *testing.T) {
			loaded, err := table.Load("x.yaml", []byte(test.yaml))
			require.Nil(t, loaded)
			require.Equal(t, fault.Stop, fault.KindOf(err))
			var fs fault.Findings
			require.ErrorAs(t, err, &fs)
			var got []string
			for _, f := range fs {
				require.Equal(t, "x.yaml", f.File)
				got = append(got, fmt.Sprintf("%d %s", f.Line, f.Code))
			}
			require.Contains(t, got, test.want)
		})
	}
}

func TestEveryFindingOfATableIsReportedOnceAndInOrder(t *testing.T) {
	yaml := head + "fields:\n  g:\n    - {native: notiz, canonical: remark, rule: magic, optional: true}\nmessages:\n" +
		"  consent-withdrawn:\n    kind: a\n    fields:\n      - {native: am, canonical: withdrawnOn, rule: text}\n      - {include: g}\n" +
		"  clarification-answered:\n    kind: b\n    fields:\n      - {include: g}\n" +
		"      - {canonical: documents, drop: true, because: none}\n"
	_, err := table.Load("x.yaml", []byte(yaml))
	var fs fault.Findings
	require.ErrorAs(t, err, &fs)
	require.Len(t, fs, 3)
	require.Equal(t, "x.yaml:5: fields.g[0]: the rule magic is not known; see the package comment of mapping/table", fs[0].String())
	require.Equal(t, []int{5, 10, 12}, []int{fs[0].Line, fs[1].Line, fs[2].Line})
}

func TestATableSaysWhatItKnows(t *testing.T) {
	small := load(t, "klein.yaml")
	require.Equal(t, "klein", small.System())
	require.Equal(t, "json", small.Format())
	require.Len(t, small.Names(), 5)
	require.Equal(t, handover.Name("application-submitted"), small.Names()[0])
	require.Equal(t, handover.Name("application-decided"), small.NameOf("entscheid"))
	require.Empty(t, small.KindOf("case-closed"))
	require.Equal(t, []table.Code{{Canonical: "ACCEPTED", Native: "1"}, {Canonical: "REJECTED", Native: "2"}}, small.Codes("decision"))
	require.Nil(t, small.Codes("none"))
	rows := small.Rows("application-decided")
	require.Equal(t, "contact.name", rows[3].Canonical, "a dropped object stands for all values in it")
	require.Equal(t, "contact.email", rows[5].Canonical)
}

func TestTheRenderingForPeopleIsUpToDate(t *testing.T) {
	for _, name := range []string{"klein", "ech"} {
		golden := "testdata/" + name + ".md"
		rendered := load(t, name+".yaml").Markdown()
		if *update {
			require.NoError(t, os.WriteFile(golden, []byte(rendered), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), rendered)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(answered + answer + remark))
	f.Add([]byte(fixed))
	f.Fuzz(func(t *testing.T, data []byte) {
		loaded, err := table.Load("x.yaml", data)
		require.Equal(t, loaded == nil, err != nil)
	})
}
