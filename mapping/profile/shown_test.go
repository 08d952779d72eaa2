package profile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/mapping/profile"
	"github.com/stretchr/testify/require"
)

// example is one application that a rule must treat in a certain way.
type example struct {
	rule      string
	versions  string // those with this wording; empty: every version that has the rule
	group     code
	direction string
	change    func(*application)
	want      profile.Status
}

// jurisdiction is a profile with an application that is in order and examples that differ from it.
type jurisdiction struct {
	profile  string
	base     func(t testing.TB, v profile.Version, group code, direction string) *application
	examples []example
	// byLaw are rules that go one way for a whole version, because the law forbids or permits it; they go both ways over the versions.
	byLaw []string
}

func jurisdictions() []jurisdiction {
	return []jurisdiction{
		{profile: "lucerne", base: base, examples: examples(), byLaw: []string{"IV9", "IV10"}},
		{profile: "lippe", base: lippeBase, examples: lippeExamples()},
	}
}

func (e example) meant(v profile.Version) bool {
	return hasRule(v, e.rule) && (e.versions == "" || slices.Contains(strings.Fields(e.versions), v.Name))
}

func hasRule(v profile.Version, id string) bool { return slices.Contains(ruleIDs(v), id) }

// ruleIDs lists the rules of a version, and the definitions of its target groups.
func ruleIDs(v profile.Version) []string {
	var ids []string
	for _, r := range v.Rules {
		ids = append(ids, r.ID)
	}
	for _, g := range v.Groups {
		ids = append(ids, "GROUP-"+string(g.Code))
	}
	return ids
}

// Every wording of every rule, in every version of every profile that is part of the program, is shown to let an application pass and to stop or warn of one. A rule without such
// examples fails here, and so does an example for a rule that is gone.
func TestEveryRuleAdmitsAndRefuses(t *testing.T) {
	names := []string{}
	for _, j := range jurisdictions() {
		names = append(names, j.profile)
		t.Run(j.profile, j.show)
	}
	require.ElementsMatch(t, profile.Names(), names)
}

func (j jurisdiction) show(t *testing.T) {
	admits, refuses := map[string]bool{}, map[string]bool{}
	used := make([]bool, len(j.examples))
	for _, v := range load(t, j.profile).Versions() {
		for i, e := range j.examples {
			if !e.meant(v) {
				continue
			}
			used[i] = true
			t.Run(fmt.Sprintf("%d %s %s %s", i, e.rule, v.Name, e.want), func(t *testing.T) {
				a := j.base(t, v, e.group, e.direction)
				e.change(a)
				rulings := v.Judge(a.Application)
				require.Equal(t, e.want, statuses(rulings)[e.rule])
				for _, r := range rulings {
					if r.Rule == e.rule {
						requireSpeaking(t, r)
					}
				}
			})
			for _, key := range []string{v.Name + " " + e.rule, e.rule} {
				admits[key] = admits[key] || e.want == profile.Satisfied
				refuses[key] = refuses[key] || e.want == profile.Refused || e.want == profile.Warned
			}
		}
		for _, id := range ruleIDs(v) {
			key := v.Name + " " + id
			if slices.Contains(j.byLaw, id) {
				require.True(t, admits[key] || refuses[key], "%s is never shown", key)
				continue
			}
			require.True(t, admits[key], "%s is never shown to admit", key)
			require.True(t, refuses[key], "%s is never shown to refuse", key)
		}
	}
	for _, id := range j.byLaw {
		require.True(t, admits[id] && refuses[id], "%s goes the same way in every version", id)
	}
	for i, e := range j.examples {
		require.True(t, used[i], "no version has the rule %s of an example", e.rule)
	}
}

// Every part of every condition is shown to matter: whichever comparison is taken to hold always, or never, some example comes out differently.
func TestEveryPartOfEveryRuleIsShownToMatter(t *testing.T) {
	for _, j := range jurisdictions() {
		for _, v := range load(t, j.profile).Versions() {
			for i, r := range v.Rules {
				j.parts(t, v, r.ID, r.Applies, func(c profile.Condition) profile.Version {
					w := v
					w.Rules = slices.Clone(v.Rules)
					w.Rules[i].Applies = c
					return w
				})
				j.parts(t, v, r.ID, r.When, func(c profile.Condition) profile.Version {
					w := v
					w.Rules = slices.Clone(v.Rules)
					w.Rules[i].When = c
					return w
				})
			}
			for i, g := range v.Groups {
				j.parts(t, v, "GROUP-"+string(g.Code), g.Definition, func(c profile.Condition) profile.Version {
					w := v
					w.Groups = slices.Clone(v.Groups)
					w.Groups[i].Definition = c
					return w
				})
			}
		}
	}
}

func (j jurisdiction) parts(t *testing.T, v profile.Version, rule string, c profile.Condition, with func(profile.Condition) profile.Version) {
	t.Helper()
	for _, m := range mutants(c) {
		w := with(m.Condition)
		noticed := slices.ContainsFunc(j.examples, func(e example) bool {
			if e.rule != rule || !e.meant(v) {
				return false
			}
			a := j.base(t, v, e.group, e.direction)
			e.change(a)
			return statuses(v.Judge(a.Application))[rule] != statuses(w.Judge(a.Application))[rule]
		})
		if !noticed && !slices.Contains(j.byLaw, rule) {
			t.Errorf("%s %s: no example would miss it if [%s] held %s", v.ID, rule, m.part, m.held)
		}
	}
}

// mutant is a condition of which one comparison is taken to hold always, or never.
type mutant struct {
	profile.Condition
	part profile.Condition
	held string
}

func mutants(c profile.Condition) []mutant {
	switch {
	case c.Fact != "":
		always := profile.Condition{}
		return []mutant{{always, c, "always"}, {profile.Condition{Not: &always}, c, "never"}}
	case c.Not != nil:
		all := mutants(*c.Not)
		for i := range all {
			inner := all[i].Condition
			all[i].Condition = profile.Condition{Not: &inner}
		}
		return all
	}
	var all []mutant
	for i, part := range slices.Concat(c.All, c.Any) {
		for _, m := range mutants(part) {
			other := profile.Condition{All: slices.Clone(c.All), Any: slices.Clone(c.Any)}
			if c.All != nil {
				other.All[i] = m.Condition
			} else {
				other.Any[i] = m.Condition
			}
			all = append(all, mutant{other, m.part, m.held})
		}
	}
	return all
}

// requireSpeaking demands that a ruling tells a person what it is about and what to do.
func requireSpeaking(t *testing.T, r profile.Ruling) {
	t.Helper()
	require.NotEmpty(t, r.Source)
	for _, language := range []string{"de", "en"} {
		require.NotEmpty(t, r.Text.In(language))
		require.Equal(t, r.Status != profile.Satisfied, r.Hint.In(language) != "")
	}
	require.Equal(t, r.Status == profile.NotAnswered, len(r.Missing) > 0)
	require.Equal(t, r.Status != profile.Satisfied, r.Reason != "")
}
