package personal

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// AHV is a Swiss social insurance number (AHV-Nummer, AHVN13; vn in eCH-0044): 13 digits, 756 for the
// country, nine random digits, an EAN-13 check digit. The zero value is "no number". Storing a hash
// of it counts as using it (AHVG Art. 153c, practice of the ZAS), so nothing outside the sealed payload
// is ever derived from it.
type AHV struct{ number hidden }

// ParseAHV reads the canonical 13 digits or the dotted form 756.XXXX.XXXX.XX. Nothing else is
// accepted: no blanks, no other separators, no digits of other scripts.
//
// It fails with a [fault.Error] of kind Park and code ahv-format, ahv-country, ahv-check-digit, or
// ahv-dummy (a number whose nine digits are all the same).
func ParseAHV(s string) (AHV, error) {
	digits, ok := ahvDigits(s)
	switch {
	case !ok:
		return AHV{}, ahvFault("ahv-format", "an AHV number has 13 digits, plain or as 756.XXXX.XXXX.XX")
	case digits[:3] != "756":
		return AHV{}, ahvFault("ahv-country", "an AHV number starts with 756")
	case checkDigit(digits[:12]) != digits[12]:
		return AHV{}, ahvFault("ahv-check-digit", "the check digit of the AHV number is wrong")
	case strings.Count(digits[3:12], digits[3:4]) == 9:
		return AHV{}, ahvFault("ahv-dummy", "the AHV number is one that forms are filled with when nobody knows it")
	}
	return AHV{number: hide(digits)}, nil
}

func ahvFault(code, text string) error {
	return fault.New(fault.Park, "personal.ahv", code, text).
		Hint("compare the number with the insurance card and correct it in the system where it was entered")
}

// ahvDigits strips the dots of the one dotted form and reports whether 13 ASCII digits remain.
func ahvDigits(s string) (string, bool) {
	if len(s) == 16 && s[3] == '.' && s[8] == '.' && s[13] == '.' {
		s = s[:3] + s[4:8] + s[9:13] + s[14:]
	}
	if len(s) != 13 {
		return "", false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return "", false
		}
	}
	return s, true
}

// checkDigit computes the EAN-13 check digit of twelve ASCII digits.
func checkDigit(twelve string) byte {
	sum := 0
	for i := range len(twelve) {
		d := int(twelve[i] - '0')
		if i%2 == 1 {
			d *= 3
		}
		sum += d
	}
	return byte('0' + (10-sum%10)%10)
}

// IsZero reports whether there is no number.
func (a AHV) IsZero() bool { return a.number.isZero() }

// Reveal returns the 13 digits, or "" for the zero value.
func (a AHV) Reveal() string { return a.number.reveal() }

// RevealDotted returns 756.XXXX.XXXX.XX, or "" for the zero value.
func (a AHV) RevealDotted() string {
	if a.IsZero() {
		return ""
	}
	n := a.Reveal()
	return n[:3] + "." + n[3:7] + "." + n[7:11] + "." + n[11:]
}

// String returns a mask without any digit after the country.
func (AHV) String() string { return "756." + mask }

// GoString returns the same mask as String.
func (a AHV) GoString() string { return a.String() }

// Format writes the mask for every verb.
func (a AHV) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(a.String())) }

// LogValue returns the mask.
func (a AHV) LogValue() slog.Value { return slog.StringValue(a.String()) }

// MarshalText returns the mask; see [Revealed] for the real value.
func (a AHV) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText parses with [ParseAHV]; empty text gives the zero value.
func (a *AHV) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*a = AHV{}
		return nil
	}
	n, err := ParseAHV(string(b))
	if err != nil {
		return err
	}
	*a = n
	return nil
}
