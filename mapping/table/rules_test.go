package table

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func ruleNamed(t testing.TB, name string) rule {
	t.Helper()
	for _, r := range rules() {
		if r.name == name {
			return r
		}
	}
	require.FailNow(t, "no rule", name)
	return rule{}
}

func aField(t testing.TB, c class) *field {
	t.Helper()
	zone, err := time.LoadLocation(localZone)
	require.NoError(t, err)
	return &field{class: c, zone: zone, format: formatJSON, codes: []Code{{"A", "a"}, {"TRUE", "ja"}, {"FALSE", "nein"}}, Row: Row{List: "l"}}
}

// ruleCase is a native value and what it means; a canonical value starting with "!" is the code of the refusal.
type ruleCase struct {
	rule              string
	class             class
	native, canonical string
}

func (c ruleCase) holds(t *testing.T) {
	r, f := ruleNamed(t, c.rule), aField(t, c.class)
	got, p := r.read(f, c.native)
	if code, refused := strings.CutPrefix(c.canonical, "!"); refused {
		require.NotNil(t, p)
		require.Equal(t, code, p.code)
		return
	}
	require.Nil(t, p)
	require.Equal(t, c.canonical, got)
	back, p := r.write(f, got)
	require.Nil(t, p)
	require.Equal(t, c.native, back)
}

func TestRulesOfTimeReadWhatTheyWriteAndRefuseTheRest(t *testing.T) {
	for _, test := range []ruleCase{
		{"date-dmy", classDay, "01.02.2026", "2026-02-01"},
		{"date-dmy", classDay, "1.2.2026", "!date-format"},
		{"date-dmy", classDay, "29.02.2025", "!date-format"},
		{"date-dmy", classDay, "01/02/2026", "!date-format"},
		{"date-dmy", classDay, "01.02.1989", "!date-format"},
		{"date-dmy", classBirth, "01.02.1989", "1989-02-01"},
		{"date-dmy", classBirth, "31.12.1899", "!date-format"},
		{"date-compact", classDay, "20260201", "2026-02-01"},
		{"date", classDay, "2026-02-01", "2026-02-01"},
		{"date", classDay, "2026-02-01Z", "!date-format"},
		{"instant", classInstant, "2026-07-01T09:30:00+02:00", "2026-07-01T09:30:00+02:00"},
		{"instant", classInstant, "2026-07-01T09:30:00Z", "2026-07-01T09:30:00Z"},
		{"instant", classInstant, "2026-07-01T09:30:00", "!instant-format"},
		{"instant", classInstant, "2026-07-01T09:30:00.5+02:00", "!not-representable"},
		{"instant", classInstant, "2026-07-01T09:30:60Z", "!instant-format"},
		{"instant-local", classInstant, "01.07.2026 09:30", "2026-07-01T09:30:00+02:00"},
		{"instant-local", classInstant, "01.12.2026 09:30", "2026-12-01T09:30:00+01:00"},
		{"instant-local", classInstant, "29.03.2026 01:59", "2026-03-29T01:59:00+01:00"},
		{"instant-local", classInstant, "29.03.2026 02:00", "!local-time-missing"},
		{"instant-local", classInstant, "29.03.2026 02:30", "!local-time-missing"},
		{"instant-local", classInstant, "29.03.2026 03:00", "2026-03-29T03:00:00+02:00"},
		{"instant-local", classInstant, "25.10.2026 01:59", "2026-10-25T01:59:00+02:00"},
		{"instant-local", classInstant, "25.10.2026 02:00", "!local-time-ambiguous"},
		{"instant-local", classInstant, "25.10.2026 02:59", "!local-time-ambiguous"},
		{"instant-local", classInstant, "25.10.2026 03:00", "2026-10-25T03:00:00+01:00"},
		{"instant-local", classInstant, "25.10.2026 24:00", "!instant-format"},
	} {
		t.Run(test.rule+" "+test.native, test.holds)
	}
}

func TestRulesReadWhatTheyWriteAndRefuseTheRest(t *testing.T) {
	for _, test := range []ruleCase{
		{"amount", classInt, "1234.50", "123450"},
		{"amount", classInt, "0.05", "5"},
		{"amount", classInt, "0.00", "0"},
		{"amount", classInt, "1'234.50", "!amount-format"},
		{"amount", classInt, "1,234.50", "!amount-format"},
		{"amount", classInt, "1234.5", "!amount-format"},
		{"amount", classInt, "1234.505", "!amount-format"},
		{"amount", classInt, "-1.00", "!amount-format"},
		{"amount", classInt, "01.00", "!amount-format"},
		{"amount", classInt, ".50", "!amount-format"},
		{"amount-number", classInt, "1234.50", "123450"},
		{"amount-number", classInt, "12345678901234.00", "!amount-format"},
		{"ahv", classAHV, "7569217076985", "7569217076985"},
		{"ahv", classAHV, "７５６９２１７０７６９８５", "!ahv-format"},
		{"ahv", classAHV, "756921707698\u200b5", "!ahv-format"},
		{"ahv-dotted", classAHV, "756.9217.0769.85", "7569217076985"},
		{"ahv-dotted", classAHV, "756 9217 0769 85", "!ahv-format"},
		{"ahv-int", classAHV, "7569217076985", "7569217076985"},
		{"ahv-int", classAHV, "7559217076985", "!ahv-country"},
		{"int", classInt, "-12", "-12"},
		{"int", classInt, "+12", "!number-format"},
		{"int", classInt, "-0", "!number-format"},
		{"int", classInt, "9999999999999999999", "!number-format"},
		{"int-text", classInt, "12", "12"},
		{"text-int", classText, "6010", "6010"},
		{"text-int", classText, "06010", "!number-format"},
		{"bool-ja", classBool, "J", "true"},
		{"bool-ja", classBool, "", "!bool-format"},
		{"bool-code", classBool, "nein", "false"},
		{"bool-code", classBool, "ja", "true"},
		{"bool", classBool, "true", "true"},
		{"bool", classBool, "TRUE", "!bool-format"},
		{"code", classCode, "a", "A"},
		{"code", classCode, "A", "!unknown-code"},
		{"code", classCode, "", "!unknown-code"},
	} {
		t.Run(test.rule+" "+test.native, test.holds)
	}
}

func TestWritingALocalTimeRefusesWhatItWouldShowDifferently(t *testing.T) {
	r, f := ruleNamed(t, "instant-local"), aField(t, classInstant)
	for canonical, want := range map[string]string{
		"2026-07-01T07:30:00Z":      "01.07.2026 09:30",
		"2026-07-01T07:30:01Z":      "!not-representable",
		"2026-10-25T00:30:00Z":      "!local-time-ambiguous",
		"2026-10-25T01:30:00Z":      "!local-time-ambiguous",
		"2026-10-25T02:00:00Z":      "25.10.2026 03:00",
		"2026-03-29T01:00:00Z":      "29.03.2026 03:00",
		"2026-12-31T23:59:00-05:00": "01.01.2027 05:59",
	} {
		got, p := r.write(f, canonical)
		if p != nil {
			got = "!" + p.code
		}
		require.Equal(t, want, got, canonical)
	}
}

// canonicalValues draws a canonical value for a class.
func canonicalValues(c class) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		switch c {
		case classAHV:
			nine := fmt.Sprintf("%09d", rapid.IntRange(1, 999_999_998).Draw(t, "nine"))
			for d := range 10 {
				if n, err := personal.ParseAHV("756" + nine + strconv.Itoa(d)); err == nil {
					return n.Reveal()
				}
			}
			return "7569217076985"
		case classBirth, classDay:
			return time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 40000).Draw(t, "day")).Format(time.DateOnly)
		case classInstant:
			return time.Unix(rapid.Int64Range(631152000, 4102444800).Draw(t, "second"), 0).UTC().Format(time.RFC3339)
		case classCode:
			return rapid.SampledFrom([]string{"A", "B"}).Draw(t, "code")
		case classBool:
			return strconv.FormatBool(rapid.Bool().Draw(t, "bool"))
		case classInt:
			return strconv.Itoa(rapid.IntRange(0, 999_999_999).Draw(t, "int"))
		default:
			return rapid.OneOf(rapid.String(), rapid.StringMatching(`[1-9][0-9]{3}`)).Draw(t, "text")
		}
	})
}

// What a rule writes it reads back as the same value, or it refuses to write: I4 for single values.
func TestI4NoRuleChangesAValueInSilence(t *testing.T) {
	for _, r := range rules() {
		for _, c := range r.classes {
			t.Run(r.name+" "+string(c), func(t *testing.T) {
				f := aField(t, c)
				rapid.Check(t, func(t *rapid.T) {
					canonical := canonicalValues(c).Draw(t, "canonical")
					written, p := r.write(f, canonical)
					if p != nil {
						return
					}
					back, p := r.read(f, written)
					require.Nil(t, p)
					if c == classInstant {
						want, err := time.Parse(time.RFC3339, canonical)
						require.NoError(t, err)
						got, err := time.Parse(time.RFC3339, back)
						require.NoError(t, err)
						require.True(t, want.Equal(got))
						return
					}
					require.Equal(t, canonical, back)
				})
			})
		}
	}
}

func TestEveryRuleIsDescribedAndServesSomething(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rules() {
		require.False(t, seen[r.name], r.name)
		seen[r.name] = true
		require.NotEmpty(t, r.form)
		require.NotEmpty(t, r.classes)
		require.True(t, r.serves(classOutside))
		require.NotEqual(t, null, r.native)
	}
}
