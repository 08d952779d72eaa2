package klib

import (
	"time"
	_ "time/tzdata" // the mock runs on machines without a time zone database
)

// isDay reports whether TT.MM.JJJJ exists.
func isDay(s string) bool {
	_, err := time.Parse("02.01.2006", s)
	return err == nil
}

// isMoment reports whether TT.MM.JJJJ HH:MM exists in Europe/Zurich, and only once.
func isMoment(s string) bool {
	const layout = "02.01.2006 15:04"
	zone, err := time.LoadLocation("Europe/Zurich")
	if err != nil {
		return false
	}
	at, err := time.ParseInLocation(layout, s, zone)
	if err != nil || at.Format(layout) != s {
		return false
	}
	return at.Add(time.Hour).Format(layout) != s && at.Add(-time.Hour).Format(layout) != s
}

// isAHV reports whether the check digit of 756.XXXX.XXXX.XX is right; the schema's pattern holds the rest.
func isAHV(s string) bool {
	sum, digits := 0, 0
	for _, r := range s {
		if r < '0' || r > '9' {
			continue
		}
		weight := 1 + 2*(digits%2)
		sum += int(r-'0') * weight
		digits++
	}
	return digits == 13 && sum%10 == 0
}
