package handover_test

import (
	"testing"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseDateTakesDaysThatExist(t *testing.T) {
	for _, s := range []string{"1990-01-01", "2024-02-29", "2100-12-31"} {
		d, err := handover.ParseDate(s)
		require.NoError(t, err)
		require.Equal(t, handover.Date(s), d)
	}
	for _, s := range []string{"", "1989-12-31", "2101-01-01", "2023-02-29", "2026-13-01", "2026-1-1", "1.1.2026", "2026-01-01T00:00:00Z", " 2026-01-01", "２０２６-01-01"} {
		d, err := handover.ParseDate(s)
		require.Empty(t, d, s)
		require.Equal(t, "date-format", fault.CodeOf(err), s)
	}
}

func TestDateTextIsTheDayItself(t *testing.T) {
	var d handover.Date
	require.NoError(t, d.UnmarshalText([]byte("2026-03-29")))
	b, err := d.MarshalText()
	require.NoError(t, err)
	require.Equal(t, "2026-03-29", string(b))
	require.Error(t, d.UnmarshalText([]byte("29.03.2026")))
	require.Equal(t, handover.Date("2026-03-29"), d, "a failed reading changes nothing")
	require.NoError(t, d.UnmarshalText(nil))
	require.Empty(t, d)
}

func TestParseInstantKeepsTheOffset(t *testing.T) {
	for in, want := range map[string]string{
		"2026-10-25T02:30:00+02:00":     "2026-10-25T02:30:00+02:00",
		"2026-10-25T02:30:00+01:00":     "2026-10-25T02:30:00+01:00",
		"2026-03-24T08:30:00Z":          "2026-03-24T08:30:00Z",
		"2026-03-24T08:30:00+00:00":     "2026-03-24T08:30:00Z",
		"2026-03-24T08:30:00.999+01:00": "2026-03-24T08:30:00+01:00",
		"1990-01-01T00:00:00-12:00":     "1990-01-01T00:00:00-12:00",
	} {
		i, err := handover.ParseInstant(in)
		require.NoError(t, err)
		require.Equal(t, want, i.String())
	}
}

func TestTheHourThatExistsTwiceIsTwoInstants(t *testing.T) {
	first, err := handover.ParseInstant("2026-10-25T02:30:00+02:00")
	require.NoError(t, err)
	second, err := handover.ParseInstant("2026-10-25T02:30:00+01:00")
	require.NoError(t, err)
	require.Equal(t, time.Hour, second.Time().Sub(first.Time()))
}

func TestParseInstantRefusesWhatIsNotRFC3339(t *testing.T) {
	for _, s := range []string{
		"", "2026-03-24", "2026-03-24T08:30:00", "2026-03-24 08:30:00Z", "2026-03-24T8:30:00Z", "2026-03-24T08:30Z", "2026-03-24T08:30:00,5Z",
		"2026-03-24T08:30:60Z", "2026-03-24T24:00:00Z", "2026-02-30T08:30:00Z", "2026-03-24T08:30:00+0100", "2026-03-24T08:30:00+25:00", "2026-03-24T08:30:00+24:00", "2026-03-24T08:30:00-24:30", "2026-03-24T08:30:00+01:60", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z",
		"2026-03-24t08:30:00z", "1989-12-31T23:59:59Z", "2101-01-01T00:00:00Z", "24.03.2026 08:30", "2026-03-24T08:30:00Z ",
	} {
		i, err := handover.ParseInstant(s)
		require.True(t, i.IsZero(), s)
		require.Equal(t, "instant-format", fault.CodeOf(err), s)
	}
}

func TestInstantOfForgetsTheZoneButNotTheOffset(t *testing.T) {
	zurich, err := time.LoadLocation("Europe/Zurich")
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(631200000, 4133800000).Draw(t, "seconds"), rapid.Int64Range(0, 999999999).Draw(t, "nanoseconds")).In(zurich)
		i := handover.InstantOf(at)
		b, err := i.MarshalText()
		require.NoError(t, err)
		var back handover.Instant
		require.NoError(t, back.UnmarshalText(b))
		require.Equal(t, i, back)
		require.Equal(t, at.Unix(), back.Time().Unix())
	})
}

func TestZeroInstantIsNoMoment(t *testing.T) {
	var i handover.Instant
	require.True(t, i.IsZero())
	require.Empty(t, i.String())
	require.NoError(t, i.UnmarshalText(nil))
	require.True(t, i.IsZero())
	require.Error(t, i.UnmarshalText([]byte("tomorrow")))
}

func FuzzParseInstant(f *testing.F) {
	for _, s := range []string{"2026-10-25T02:30:00+02:00", "2026-03-24T08:30:00Z", "2026-03-24T08:30:00.5-11:30", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		i, err := handover.ParseInstant(s)
		if err != nil {
			require.True(t, i.IsZero())
			require.Equal(t, fault.Park, fault.KindOf(err))
			return
		}
		back, err := handover.ParseInstant(i.String())
		require.NoError(t, err)
		require.Equal(t, i, back)
		require.Equal(t, s[:10], i.String()[:10], "the day stays the day that was written")
	})
}
