package handover

import (
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// Date is a calendar day YYYY-MM-DD that says nothing about a person by itself. It has no time zone and is never
// converted: a day stays the day that was written. The zero value is "no date".
type Date string

// ParseDate reads YYYY-MM-DD of a day that exists, from 1990 to 2100.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1990 || t.Year() > 2100 {
		return "", fault.New(fault.Park, "handover.date", "date-format", "a date is a day that exists between 1990 and 2100, written YYYY-MM-DD")
	}
	return Date(s), nil
}

// UnmarshalText parses with [ParseDate]; empty text gives the zero value.
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = ""
		return nil
	}
	v, err := ParseDate(string(b))
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// MarshalText returns the day.
func (d Date) MarshalText() ([]byte, error) { return []byte(d), nil }

// Instant is a moment with its offset from UTC, which is mandatory (eCH-0058 V5, rule 5): 02:30 on the
// night when clocks are set back exists twice. Precision is one second. The zero value is "no moment".
type Instant struct{ at time.Time }

// InstantOf returns t to the second, with its offset to the minute and without the name of its zone: two moments that are
// written in the same way are deeply equal.
func InstantOf(t time.Time) Instant {
	zone := time.UTC
	if _, offset := t.Zone(); offset/60 != 0 {
		zone = time.FixedZone("", offset/60*60)
	}
	return Instant{at: t.Truncate(time.Second).In(zone)}
}

// ParseInstant reads RFC 3339 with an offset, from 1990 to 2100. A fraction of a second is cut off. Unlike time.Parse it takes
// no single-digit hour, no decimal comma and no offset of a day or of 60 minutes.
func ParseInstant(s string) (Instant, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1990 || t.Year() > 2100 || !InstantOf(t).spelt(s) {
		return Instant{}, fault.New(fault.Park, "handover.instant", "instant-format", "a moment is written as RFC 3339 with an offset from UTC, between 1990 and 2100")
	}
	return InstantOf(t), nil
}

// spelt reports whether s is one of the spellings of i in RFC 3339: with a fraction of a second or without, and
// with +00:00 for Z.
func (i Instant) spelt(s string) bool {
	clock, offset := i.String()[:19], i.String()[19:]
	rest, ok := strings.CutPrefix(s, clock)
	rest = strings.TrimLeft(rest, ".0123456789")
	_, seconds := i.at.Zone()
	return ok && max(seconds, -seconds) < 24*60*60 && (rest == offset || offset == "Z" && (rest == "+00:00" || rest == "-00:00"))
}

// Time returns the moment.
func (i Instant) Time() time.Time { return i.at }

// IsZero reports whether there is no moment.
func (i Instant) IsZero() bool { return i.at.IsZero() }

// String returns RFC 3339, or "" for the zero value.
func (i Instant) String() string {
	if i.IsZero() {
		return ""
	}
	return i.at.Format(time.RFC3339)
}

// MarshalText returns RFC 3339.
func (i Instant) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText parses with [ParseInstant]; empty text gives the zero value.
func (i *Instant) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*i = Instant{}
		return nil
	}
	v, err := ParseInstant(string(b))
	if err != nil {
		return err
	}
	*i = v
	return nil
}
