package table

import (
	"time"
	_ "time/tzdata" // the rules of Europe/Zurich are part of the program, not of the machine

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/personal"
)

const (
	dottedDay   = "02.01.2006"
	compactDay  = "20060102"
	localLayout = "02.01.2006 15:04"
	localZone   = "Europe/Zurich"
)

func timeRules() []rule {
	days := []class{classBirth, classDay}
	return []rule{
		{name: "date", native: text, classes: days, form: "YYYY-MM-DD", read: readDay(time.DateOnly), write: writeDay(time.DateOnly)},
		{name: "date-dmy", native: text, classes: days, form: "DD.MM.YYYY", read: readDay(dottedDay), write: writeDay(dottedDay)},
		{name: "date-compact", native: text, classes: days, form: "YYYYMMDD", read: readDay(compactDay), write: writeDay(compactDay)},
		{name: "instant", native: text, classes: []class{classInstant}, form: "RFC 3339 with offset", read: readInstant, write: same},
		{name: "instant-local", native: text, classes: []class{classInstant}, form: "DD.MM.YYYY HH:MM in " + localZone, read: readLocal, write: writeLocal},
	}
}

// readDay takes a day in one layout; a day has no time zone and is never converted.
func readDay(layout string) conversion {
	return func(f *field, s string) (string, *problem) {
		t, err := time.Parse(layout, s)
		if err != nil || t.Format(layout) != s {
			return "", dateProblem()
		}
		day := t.Format(time.DateOnly)
		if f.class == classBirth {
			_, err = personal.ParseDate(day)
		} else {
			_, err = handover.ParseDate(day)
		}
		if err != nil {
			return "", of(err)
		}
		return day, nil
	}
}

func writeDay(layout string) conversion {
	return func(_ *field, s string) (string, *problem) {
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			return "", dateProblem()
		}
		return t.Format(layout), nil
	}
}

func dateProblem() *problem {
	return &problem{"date-format", "the date is not a day that exists, written as this system writes it", ""}
}

// readInstant refuses fractions of a second, which a message cannot carry.
func readInstant(_ *field, s string) (string, *problem) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return "", instantProblem()
	}
	if t.Nanosecond() != 0 {
		return "", &problem{"not-representable", "the moment has a fraction of a second, which a message cannot carry", ""}
	}
	if _, err := handover.ParseInstant(s); err != nil {
		return "", of(err)
	}
	return handover.InstantOf(t).String(), nil
}

// readLocal finds the one moment at which clocks in Switzerland show a time.
func readLocal(f *field, s string) (string, *problem) {
	wall, err := time.Parse(localLayout, s)
	if err != nil || wall.Format(localLayout) != s {
		return "", instantProblem()
	}
	at := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), 0, 0, f.zone)
	if at.Format(localLayout) != s {
		return "", &problem{"local-time-missing", "clocks never showed this time: it lies in the hour that summer time skips", "correct it where it was entered"}
	}
	if twice(at) {
		return "", ambiguous()
	}
	return at.Format(time.RFC3339), nil
}

// writeLocal refuses moments that the native form would show differently or could not tell from another.
func writeLocal(f *field, s string) (string, *problem) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return "", instantProblem()
	}
	at := t.In(f.zone)
	switch {
	case at.Second() != 0:
		return "", &problem{"not-representable", "the moment has seconds, which the native system cannot hold", "use a full minute"}
	case twice(at):
		return "", ambiguous()
	}
	return at.Format(localLayout), nil
}

// twice reports whether clocks show the time of a moment again an hour later or showed it an hour before.
func twice(at time.Time) bool {
	shown := at.Format(localLayout)
	return at.Add(time.Hour).Format(localLayout) == shown || at.Add(-time.Hour).Format(localLayout) == shown
}

func ambiguous() *problem {
	return &problem{"local-time-ambiguous", "clocks show this time twice: it lies in the hour that winter time repeats", "choose another time"}
}

func instantProblem() *problem {
	return &problem{"instant-format", "the moment is not written as this system writes it", ""}
}
