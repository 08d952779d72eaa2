package fault_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func of(k fault.Kind) error { return fault.New(k, "op", "code-"+k.String(), "text") }

func TestKindOfSurvivesWrapping(t *testing.T) {
	plain := errors.New("plain")
	for name, test := range map[string]struct {
		err  error
		want fault.Kind
	}{
		"nil":                              {nil, fault.Unclassified},
		"plain error":                      {plain, fault.Unclassified},
		"ended context":                    {context.DeadlineExceeded, fault.Unclassified},
		"itself":                           {of(fault.Park), fault.Park},
		"wrapped by fmt":                   {fmt.Errorf("more: %w", of(fault.Refuse)), fault.Refuse},
		"wrapped twice":                    {fmt.Errorf("a: %w", fmt.Errorf("b: %w", of(fault.Stop))), fault.Stop},
		"outer kind wins":                  {fault.Wrap(fault.Park, "op", of(fault.Stop)), fault.Park},
		"outer without kind is looked up":  {fault.Wrap(fault.Unclassified, "op", of(fault.Stop)), fault.Stop},
		"below an unclassified and a fmt":  {fmt.Errorf("a: %w", fault.Wrap(fault.Unclassified, "op", fmt.Errorf("b: %w", of(fault.Retry)))), fault.Retry},
		"plain cause":                      {fault.Wrap(fault.Retry, "op", plain), fault.Retry},
		"printed, not wrapped":             {fmt.Errorf("a: %v", of(fault.Stop)), fault.Unclassified}, //nolint:errorlint // the point of the case
		"joined with a plain error":        {errors.Join(plain, of(fault.Refuse)), fault.Refuse},
		"joined: doubt stays doubt":        {errors.Join(of(fault.Retry), of(fault.Refuse), of(fault.Doubt), of(fault.Stop)), fault.Doubt},
		"joined by fmt: doubt stays doubt": {fmt.Errorf("%w, then %w", of(fault.Retry), of(fault.Doubt)), fault.Doubt},
		"kind around a join":               {fault.Wrap(fault.Park, "op", errors.Join(of(fault.Doubt))), fault.Park},
		"unclassified around a join":       {fault.Wrap(fault.Unclassified, "op", errors.Join(of(fault.Retry), of(fault.Park))), fault.Park},
		"nil pointer":                      {(*fault.Error)(nil), fault.Unclassified},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, fault.KindOf(test.err)) })
	}
}

func TestKindOfAJoinDoesNotDependOnItsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.SliceOfN(rapid.SampledFrom([]fault.Kind{fault.Unclassified, fault.Retry, fault.Doubt, fault.Refuse, fault.Park, fault.Stop}), 1, 6).Draw(t, "kinds")
		errs := make([]error, len(kinds))
		for i, k := range kinds {
			errs[i] = of(k)
		}
		want := fault.KindOf(errors.Join(errs...))
		require.Equal(t, want, fault.KindOf(errors.Join(rapid.Permutation(errs).Draw(t, "order")...)))
		require.Contains(t, kinds, want)
	})
}

func TestCodeOfFindsTheFirstCode(t *testing.T) {
	bare := fault.Wrap(fault.Retry, "op", of(fault.Stop))
	require.Equal(t, "unclassified", fault.CodeOf(nil))
	require.Equal(t, "unclassified", fault.CodeOf(errors.New("plain")))
	require.Equal(t, "unclassified", fault.CodeOf((*fault.Error)(nil)))
	require.Equal(t, "code-stop", fault.CodeOf(bare))
	require.Equal(t, "code-stop", fault.CodeOf(fmt.Errorf("a: %w", bare)))
	require.Equal(t, "code-park", fault.CodeOf(errors.Join(errors.New("plain"), fault.Wrap(fault.Stop, "op", nil), of(fault.Park))))
	require.Equal(t, "outer", fault.CodeOf(fault.New(fault.Retry, "op", "outer", "").Because(of(fault.Park))))
}

func TestKindsHaveStableNames(t *testing.T) {
	var names []string
	for k := range fault.Stop + 2 {
		names = append(names, k.String())
	}
	require.Equal(t, []string{"unclassified", "retry", "doubt", "refuse", "park", "stop", "unclassified"}, names)
}

func TestErrorSaysEverythingOnce(t *testing.T) {
	cause := errors.New("dial refused")
	e := fault.New(fault.Park, "klib.apply", "unknown-code", "the code is not in the list")
	require.EqualError(t, e, "klib.apply: the code is not in the list (unknown-code)")
	require.EqualError(t, e.At("person.sex"), "klib.apply: the code is not in the list (unknown-code at person.sex)")
	require.EqualError(t, e.At("person.sex").Hint("add it to the list").Because(cause),
		"klib.apply: the code is not in the list (unknown-code at person.sex): dial refused; add it to the list")
	require.EqualError(t, fault.Wrap(fault.Retry, "klib.read", cause), "klib.read: dial refused")
	require.EqualError(t, (&fault.Error{Op: "op", Path: "a.b"}), "op (at a.b)")
	require.EqualError(t, e, "klib.apply: the code is not in the list (unknown-code)", "At, Hint and Because return copies")
	require.ErrorIs(t, e.Because(cause), cause)
}

func TestWrapOfNothingIsNothing(t *testing.T) {
	require.NoError(t, fault.Wrap(fault.Stop, "op", nil))
}

func TestFindingsAreAnErrorOnlyWhenThereAreAny(t *testing.T) {
	var fs fault.Findings
	require.NoError(t, fs.Err())
	fs.Add("person.sex", "unknown-code", "the sex is not known", "use MALE, FEMALE or UNKNOWN")
	fs = append(fs, fault.Finding{File: "lucerne.yaml", Line: 12, Path: "systems.klib.url", Code: "missing", Text: "the address is missing"},
		fault.Finding{File: "lucerne.yaml", Text: "the file is empty"})
	require.EqualError(t, fs.Err(), "person.sex: the sex is not known; use MALE, FEMALE or UNKNOWN\n"+
		"lucerne.yaml:12: systems.klib.url: the address is missing\nlucerne.yaml: the file is empty")
	var back fault.Findings
	require.ErrorAs(t, fault.Wrap(fault.Park, "check", fs.Err()), &back)
	require.Len(t, back, 3)
	require.Equal(t, fault.Park, fault.KindOf(fault.Wrap(fault.Park, "check", fs.Err())))
	require.Equal(t, fault.Unclassified, fault.KindOf(fs.Err()))
	require.Equal(t, "unknown-code", fault.CodeOf(fs.Err()))
}
