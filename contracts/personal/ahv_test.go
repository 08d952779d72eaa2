package personal_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// number draws a valid, invented AHV number.
func number(t *rapid.T) string {
	twelve := "756" + rapid.StringMatching(`[0-9]{8}[0-8]`).Draw(t, "nine digits")
	if strings.Count(twelve, twelve[3:4]) == 9 {
		twelve = "756123456789"
	}
	return twelve + string(ean13(twelve))
}

// ean13 computes the check digit in another way than the package does: from the right, weights 3 and 1.
func ean13(twelve string) byte {
	sum, weight := 0, 3
	for i := len(twelve) - 1; i >= 0; i-- {
		sum += weight * int(twelve[i]-'0')
		weight = 4 - weight
	}
	return "0987654321"[sum%10]
}

func TestParseAHVAcceptsPlainAndDotted(t *testing.T) {
	for _, s := range []string{"7569217076985", "756.9217.0769.85", "7561234567897", "756.1234.5678.97"} {
		n, err := personal.ParseAHV(s)
		require.NoError(t, err)
		require.Equal(t, strings.ReplaceAll(s, ".", ""), n.Reveal())
		require.False(t, n.IsZero())
	}
}

func TestParseAHVSaysWhatIsWrong(t *testing.T) {
	for name, test := range map[string]struct{ in, code string }{
		"empty":                        {"", "ahv-format"},
		"too short":                    {"756921707698", "ahv-format"},
		"too long":                     {"75692170769850", "ahv-format"},
		"blank around":                 {" 7569217076985", "ahv-format"},
		"line break after":             {"7569217076985\n", "ahv-format"},
		"blanks as separators":         {"756 9217 0769 85", "ahv-format"},
		"hyphens as separators":        {"756-9217-0769-85", "ahv-format"},
		"dots in other places":         {"75.69217.0769.85", "ahv-format"},
		"one dot missing":              {"756.9217.076985", "ahv-format"},
		"two dots in a row":            {"756..9217.076985", "ahv-format"},
		"Arabic-Indic digits":          {"٧٥٦٩٢١٧٠٧٦٩٨٥", "ahv-format"},
		"fullwidth digits":             {"７５６９２１７０７６９８５", "ahv-format"},
		"one Devanagari digit":         {"756921707698५", "ahv-format"},
		"letter O for zero":            {"75692170769O5", "ahv-format"},
		"sign":                         {"+756921707698", "ahv-format"},
		"zero width space":             {"756921\u200b7076985", "ahv-format"},
		"not UTF-8":                    {"756921707698\xff", "ahv-format"},
		"another country":              {"7579217076984", "ahv-country"},
		"old eleven digits, filled up": {"0075692170769", "ahv-country"},
		"wrong check digit":            {"7569217076984", "ahv-check-digit"},
		"wrong check digit, dotted":    {"756.9217.0769.84", "ahv-check-digit"},
		"the sample of an old form":    {"756.8013.1965.54", "ahv-check-digit"},
		"nine equal digits":            {"7560000000002", "ahv-dummy"},
	} {
		t.Run(name, func(t *testing.T) {
			n, err := personal.ParseAHV(test.in)
			require.True(t, n.IsZero())
			require.Equal(t, test.code, fault.CodeOf(err))
			require.Equal(t, fault.Park, fault.KindOf(err))
			if len(test.in) > 4 {
				require.NotContains(t, err.Error(), test.in[3:])
			}
		})
	}
}

func TestParseAHVRefusesEveryDummy(t *testing.T) {
	for d := range 10 {
		twelve := "756" + strings.Repeat(fmt.Sprint(d), 9)
		_, err := personal.ParseAHV(twelve + string(ean13(twelve)))
		require.Equal(t, "ahv-dummy", fault.CodeOf(err))
	}
}

func TestParseAHVRefusesEveryOtherCheckDigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := number(t)
		for d := byte('0'); d <= '9'; d++ {
			_, err := personal.ParseAHV(n[:12] + string(d))
			require.Equal(t, d == n[12], err == nil)
		}
	})
}

func TestParseAHVFindsEverySingleWrongDigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := []byte(number(t))
		at := rapid.IntRange(3, 12).Draw(t, "at")
		right := n[at]
		for n[at] = '0'; n[at] <= '9'; n[at]++ {
			if n[at] == right {
				continue
			}
			_, err := personal.ParseAHV(string(n))
			require.Equal(t, "ahv-check-digit", fault.CodeOf(err))
		}
	})
}

func TestDottedAndPlainAreOneNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain, err := personal.ParseAHV(number(t))
		require.NoError(t, err)
		dotted, err := personal.ParseAHV(plain.RevealDotted())
		require.NoError(t, err)
		require.Contains(t, map[personal.AHV]bool{plain: true}, dotted, "equal numbers are equal keys")
	})
}

func TestZeroAHVIsNoNumber(t *testing.T) {
	var none personal.AHV
	require.True(t, none.IsZero())
	require.Empty(t, none.Reveal())
	require.Empty(t, none.RevealDotted())
	require.NoError(t, none.UnmarshalText(nil))
	require.True(t, none.IsZero())
}

func FuzzParseAHV(f *testing.F) {
	for _, s := range []string{"7569217076985", "756.9217.0769.85", "756.9217.0769.84", "", "756............."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := personal.ParseAHV(s)
		if err != nil {
			require.True(t, n.IsZero())
			require.Equal(t, fault.Park, fault.KindOf(err))
			return
		}
		require.Contains(t, []string{n.Reveal(), n.RevealDotted()}, s)
		require.Equal(t, n.Reveal()[12], ean13(n.Reveal()[:12]))
	})
}
