package profile_test

import (
	"reflect"
	"testing"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping/profile"
	"github.com/stretchr/testify/require"
)

// Every code of a message that a person or a rule of the profile says is among those that systems need words for.
func TestSpoken_IsEveryCodeOfTheCatalogue(t *testing.T) {
	own := map[string]bool{"application-checked outcome": true, "application-checked findings[].severity": true} // words of einmal, the same everywhere
	everyVersion(t, func(t *testing.T, v profile.Version) {
		spoken := map[string]bool{}
		for _, s := range v.Spoken() {
			require.NotEmpty(t, s.Codes, "%s %s", s.Message, s.Path)
			spoken[string(s.Message)+" "+s.Path] = true
		}
		for _, p := range handover.Catalogue() {
			for _, path := range leaves(reflect.TypeOf(p), "", reflect.TypeFor[handover.Code]()) {
				key := string(p.Name()) + " " + path
				require.True(t, spoken[key] || own[key], key)
				delete(spoken, key)
			}
		}
		require.Equal(t, map[string]bool{"transfer-meeting-recorded procedure": true, "case-closed procedure": true}, spoken, "what stands beside a message")
	})
}
