package profile_test

import (
	"testing"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/all"
	"github.com/stretchr/testify/require"
)

// Whatever the profile of the first home knows, every system has a word for, and the other way round: a code that only one of them knows would park its message.
func TestTables_KnowTheCodesOfTheProfile(t *testing.T) {
	type where struct {
		message handover.Name
		path    string
	}
	spoken := map[where]map[handover.Code]bool{}
	for _, v := range load(t, "lucerne").Versions() {
		for _, s := range v.Spoken() {
			at := where{s.Message, s.Path}
			if spoken[at] == nil {
				spoken[at] = map[handover.Code]bool{}
			}
			for _, c := range s.Codes {
				spoken[at][c] = true
			}
		}
	}
	mappers, err := all.Mappers()
	require.NoError(t, err)
	for name, m := range mappers {
		t.Run(name, func(t *testing.T) {
			coded, able := m.(mapping.Coded)
			require.True(t, able)
			for at, codes := range spoken {
				known, written := coded.Codes(at.message, at.path)
				require.True(t, written, "%s %s has no list", at.message, at.path)
				got := map[handover.Code]bool{}
				for _, c := range known {
					got[c] = true
				}
				require.Equal(t, codes, got, "%s %s", at.message, at.path)
			}
		})
	}
}
