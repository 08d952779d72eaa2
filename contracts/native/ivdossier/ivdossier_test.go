package ivdossier

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
)

func forms(t *testing.T) *Forms {
	t.Helper()
	f, err := Load()
	require.NoError(t, err)
	return f
}

func TestForms_EveryKindIsWholeAndNoPathStandsTwice(t *testing.T) {
	f := forms(t)
	require.Len(t, f.Kinds(), 22)
	types := []string{TypeText, TypeLong, TypeDate, TypeMoment, TypeAmount, TypeAHV, TypeNumber, TypeCode, TypeFile}
	path := regexp.MustCompile(`^[\p{L}-]+(\[\])?(\.[\p{L}-]+)?$`)
	opens := 0
	for _, k := range f.Kinds() {
		require.Regexp(t, `^[a-z]{5,18}$`, k.Code, "it stands in file names")
		require.NotEmpty(t, k.Title)
		require.LessOrEqual(t, len(k.Title), 80)
		if k.Opens {
			opens++
		}
		seen := map[string]bool{}
		for _, field := range k.Fields {
			require.Contains(t, types, field.Type, field.Path)
			require.Regexp(t, path, field.Path)
			require.False(t, seen[field.Path], "%s: %s", k.Code, field.Path)
			require.Equal(t, field.Type == TypeCode, field.List != "", field.Path)
			require.Equal(t, field.Type == TypeText || field.Type == TypeLong || field.Type == TypeFile, field.Max > 0, field.Path)
			require.NotContains(t, []string{NameForm, NameCase, NameRelease, NameRecord, NameReference, NameCaseReference}, field.Path)
			seen[field.Path] = true
		}
		found, known := f.Kind(k.Code)
		require.True(t, known)
		require.Equal(t, k, found)
	}
	require.Equal(t, 1, opens)
	_, known := f.Kind("brief")
	require.False(t, known)
}

func TestForms_AnOfficeProgramCanOfferEveryWord(t *testing.T) {
	f := forms(t)
	used := map[string]bool{}
	for _, k := range f.Kinds() {
		for _, field := range k.Fields {
			used[field.List] = true
		}
	}
	for name, words := range f.lists {
		require.True(t, used[name], "no field uses the list %s", name)
		require.Len(t, slices.Compact(slices.Sorted(slices.Values(words))), len(words), "a word stands twice in %s", name)
		for _, w := range words {
			require.Equal(t, strings.TrimSpace(w), w)
			require.NotContains(t, "=+-@", w[:1], "a word is never taken for a formula")
		}
	}
	require.Equal(t, []string{"Ja", "Nein"}, f.List("ja-nein"))
}

func TestForms_TheRegisterTakesWhatTheApplicationHas(t *testing.T) {
	f := forms(t)
	a, known := f.Kind("antrag")
	require.True(t, known)
	for _, c := range f.Columns() {
		_, known := a.Field(c.Field)
		require.True(t, known, c.Title)
	}
	found, known := a.Field("Erklärungen[17].Tag")
	require.True(t, known)
	require.Equal(t, TypeDate, found.Type)
	_, known = a.Field("Erklärungen[1].Farbe")
	require.False(t, known)
}

func TestLoad_AMistakeInTheFileIsFound(t *testing.T) {
	for from, to := range map[string]string{"list: rueckzug": "list: rueckzig", "must: true": "muss: true"} {
		_, err := load([]byte(strings.Replace(string(formsYAML), from, to, 1)))
		require.Equal(t, fault.Stop, fault.KindOf(err))
	}
}

func TestForms_AFileHasTheEndOfItsFormatOrOneThatNothingRuns(t *testing.T) {
	f := forms(t)
	for file, want := range map[string]string{"Vertrag.PDF": "application/pdf", "a.jpeg": "image/jpeg", "a.exe": "application/octet-stream", "pdf": "application/octet-stream", "": "application/octet-stream"} {
		require.Equal(t, want, f.MediaType(file), file)
	}
	for mediaType, want := range map[string]string{
		"application/pdf": ".pdf", "image/jpeg": ".jpg", "application/x-msdownload": ".bin", "application/octet-stream": ".bin",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".bin",
	} {
		require.Equal(t, want, f.End(mediaType), mediaType)
	}
	for _, known := range f.formats {
		require.Regexp(t, `^[a-z]{3,4}$`, known.End)
		require.Equal(t, known.Type, f.MediaType("x"+f.End(known.Type)))
	}
}

func TestForms_OneOnlyIsEinmalsOwn(t *testing.T) {
	for _, k := range forms(t).Kinds() {
		require.Equal(t, k.Code == "vorpruefung", k.Einmal, k.Code)
	}
}
