package personal

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// Date is a calendar day that identifies a person, such as a date of birth. It has no time zone and is
// never converted. The zero value is "no date".
type Date struct{ day hidden }

// ParseDate reads YYYY-MM-DD of a day that exists, from 1 January 1900 to the year 9998: registers use 9999 for "unknown".
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1900 || t.Year() > 9998 {
		return Date{}, fault.New(fault.Park, "personal.date", "date-format", "a date is a day that exists, written YYYY-MM-DD")
	}
	return Date{day: hide(s)}, nil
}

// IsZero reports whether there is no date.
func (d Date) IsZero() bool { return d.day.isZero() }

// Reveal returns YYYY-MM-DD, or "" for the zero value.
func (d Date) Reveal() string { return d.day.reveal() }

// String returns the mask.
func (Date) String() string { return mask }

// GoString returns the mask.
func (Date) GoString() string { return mask }

// Format writes the mask for every verb.
func (Date) Format(s fmt.State, _ rune) { WriteMask(s) }

// LogValue returns the mask.
func (Date) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText returns the mask; see [Revealed] for the real value.
func (Date) MarshalText() ([]byte, error) { return []byte(mask), nil }

// UnmarshalText parses with [ParseDate]; empty text gives the zero value.
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Date{}
		return nil
	}
	v, err := ParseDate(string(b))
	if err != nil {
		return err
	}
	*d = v
	return nil
}
