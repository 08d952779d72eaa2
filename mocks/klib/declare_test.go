package klib

import (
	"testing"

	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/stretchr/testify/require"
)

// Every question and every answer that the forms know has a word of the contract; a question is answered once, and in one way.
func TestCompose_DeclarationsAreWhatTheContractDescribes(t *testing.T) {
	w := start(t, Options{})
	var words map[string]map[string]string
	require.NoError(t, strict.JSON(wordsJSON, &words))
	number := 0
	good := []core.Declaration{{Item: "WORK_CAPACITY_PERCENT", Number: &number}, {Item: "LAST_REGISTERED_ON", On: "2025-05-31"}}
	compose := func(ds ...core.Declaration) string {
		f := facts(1)
		f.Declarations = ds
		_, content := Compose("application-submitted", f)
		return string(content)
	}
	validate := func(ds ...core.Declaration) error { return w.mock.Validate("anmeldung", []byte(compose(ds...))) }
	require.NoError(t, validate(good...))
	require.NoError(t, validate(), "nothing more to say")
	for item := range words["frage"] {
		require.NoError(t, validate(core.Declaration{Item: item, Answer: "YES"}), item)
	}
	for answer := range words["antwort"] {
		require.NoError(t, validate(core.Declaration{Item: "IV_APPEAL", Answer: answer}), answer)
	}
	require.ErrorContains(t, validate(good[0], good[0]), "inhalt.erklaerungen[1].frage: bereich")
	require.Error(t, validate(core.Declaration{Item: "IV_APPEAL"}))
	require.Error(t, validate(core.Declaration{Item: "IV_APPEAL", Answer: "YES", Number: &number}))
	require.Error(t, validate(core.Declaration{Item: "SHOE_SIZE", Number: &number}))
	require.Error(t, validate(core.Declaration{Item: "IV_APPEAL", Answer: "MAYBE"}))
	twice := w.do("POST", "/api/v1/dossiers", `{"stelle":"sd-kriens","fallreferenz":"`+ref+`","ersterEintrag":{"externeReferenz":"`+ref+`","art":"anmeldung","inhalt":`+compose(good[0], good[0])+`}}`,
		"Content-Type", "application/json")
	require.Equal(t, 422, twice.status, twice.body)
	require.Contains(t, twice.body, "ersterEintrag.inhalt.erklaerungen[1].frage")
}
