package personal_test

import (
	"testing"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/stretchr/testify/require"
)

func TestParseDateTakesDaysThatExist(t *testing.T) {
	for _, s := range []string{"1900-01-01", "1984-02-29", "2000-02-29", "2026-12-31", "9998-12-31"} {
		d, err := personal.ParseDate(s)
		require.NoError(t, err)
		require.Equal(t, s, d.Reveal())
	}
}

func TestParseDateRefusesWhatIsNoDay(t *testing.T) {
	for _, s := range []string{
		"", "1899-12-31", "9999-12-31", "1983-02-29", "1900-02-29", "2026-00-10", "2026-13-01", "2026-01-00", "2026-04-31", "26-01-01", "2026-1-1",
		"01.02.2026", "2026/01/01", "2026-01-01T00:00:00Z", " 2026-01-01", "2026-01-01 ", "２０２６-01-01", "0000-00-00", "+2026-01-01",
	} {
		d, err := personal.ParseDate(s)
		require.True(t, d.IsZero(), s)
		require.Equal(t, "date-format", fault.CodeOf(err), s)
		require.Equal(t, fault.Park, fault.KindOf(err), s)
	}
}

func TestEqualDatesCompareAsEqual(t *testing.T) {
	a, err := personal.ParseDate("1984-02-29")
	require.NoError(t, err)
	var b personal.Date
	require.NoError(t, b.UnmarshalText([]byte("1984-02-29")))
	require.Contains(t, map[personal.Date]bool{a: true}, b)
	require.NoError(t, b.UnmarshalText(nil))
	require.True(t, b.IsZero())
	require.Error(t, b.UnmarshalText([]byte("29.02.1984")))
}
