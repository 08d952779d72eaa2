package profile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping/profile"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// everyVersion runs a test for each version of each profile.
func everyVersion(t *testing.T, test func(*testing.T, profile.Version)) {
	t.Helper()
	for _, name := range profile.Names() {
		for _, v := range load(t, name).Versions() {
			t.Run(v.ID, func(t *testing.T) { test(t, v) })
		}
	}
}

// P1: no sovereign acts across agencies. Each message of the catalogue is a party's word on what is its own to decide, or asks, or notes what happened; none rules on something of
// the other agency's, and none of those that ask moves a case that somebody leads. A new message fails here until it is decided which of these it is.
func TestP1_NoMessageDecidesForAnotherAgency(t *testing.T) {
	decides := map[handover.Name]handover.Role{
		"application-withdrawn": handover.Assigning, // its own request
		"application-decided":   handover.Receiving, // whether it takes over
		"cost-approval-signed":  handover.Assigning, // its own money
		"cost-approval-refused": handover.Assigning,
		"measure-ordered":       handover.Receiving, // an order to a provider, only with that signature (P10)
		"case-closed":           handover.Receiving, // it gives the lead back
		"application-checked":   handover.Checking,  // what the rules say, before anybody decides
	}
	asks := []handover.Name{"application-submitted", "clarification-requested", "cost-approval-requested", "cost-approval-reminder", "sanction-hint", "extra-meeting-requested"}
	notes := []handover.Name{
		"clarification-answered", "transfer-meeting-scheduled", "transfer-meeting-recorded", "job-search-exemption-signed", "measure-completed", "invoice-forwarded",
		"review-meeting-scheduled", "review-meeting-recorded", "consent-withdrawn",
	}
	for _, p := range handover.Catalogue() {
		role, decided := decides[p.Name()]
		require.True(t, decided || slices.Contains(asks, p.Name()) || slices.Contains(notes, p.Name()), "decide what %s is", p.Name())
		for _, line := range handover.Transitions() {
			if line.Message != p.Name() {
				continue
			}
			require.True(t, !decided || line.Sender == role, "%s is not the other party's to say", p.Name())
			require.True(t, !slices.Contains(asks, p.Name()) || line.From != handover.Active || line.To == handover.Active, "%s moves the case", p.Name())
		}
	}
	require.Len(t, handover.Catalogue(), len(decides)+len(asks)+len(notes))
	var said []string
	for f := range reflect.TypeFor[handover.SanctionHint]().Fields() {
		said = append(said, f.Name)
	}
	require.Equal(t, []string{"ObservedOn", "Hint", "Remark"}, said, "what was seen, and no sanction")
	everyVersion(t, func(t *testing.T, v profile.Version) {
		for _, m := range v.Messages {
			require.True(t, slices.ContainsFunc(handover.Catalogue(), func(p handover.Payload) bool { return string(p.Name()) == m.Name }))
		}
	})
}

// P2: no process of its own; each is the ordinary work of the agency type that receives.
func TestP2_EveryProcessBelongsToAnAgencyType(t *testing.T) {
	everyVersion(t, func(t *testing.T, v profile.Version) {
		for _, p := range v.Processes {
			require.True(t, v.Knows("agency", p.Receiver))
		}
	})
}

// P3: benefits are neither examined nor paid, so no form asks for an amount.
func TestP3_NoFormAsksForMoney(t *testing.T) {
	everyVersion(t, func(t *testing.T, v profile.Version) {
		for _, i := range v.Items {
			if i.Number != nil {
				require.Contains(t, []handover.Code{"PERCENT", "MONTHS", "DAYS", "COUNT"}, i.Number.Unit)
			}
		}
	})
}

// P3: the only money in any message is the cost of a measure, where it is approved and where it is invoiced; every other number is named here.
func TestP3_NoMessageHoldsTheAmountOfABenefit(t *testing.T) {
	var numbers []string
	for _, p := range handover.Catalogue() {
		for _, kind := range []reflect.Type{reflect.TypeFor[int](), reflect.TypeFor[int64](), reflect.TypeFor[float64](), reflect.TypeFor[uint64]()} {
			for _, path := range leaves(reflect.TypeOf(p), "", kind) {
				if !strings.HasSuffix(path, "documents[].size") {
					numbers = append(numbers, string(p.Name())+" "+path)
				}
			}
		}
	}
	require.ElementsMatch(t, []string{
		"application-submitted plannedMonths", "application-submitted declarations[].number", "application-submitted person.address.municipality",
		"cost-approval-requested amountCents", "invoice-forwarded amountCents",
	}, numbers)
}

// P3: nor does any contract of a native system have a field for one. Whether there is a daily allowance is a yes or no.
func TestP3_NoNativeContractHasAFieldForABenefit(t *testing.T) {
	yesOrNo := regexp.MustCompile(`(?i)boolean|janein`)
	field := regexp.MustCompile(`name="(\w+)"|^\s+(\w+): `)
	money := regexp.MustCompile(`(?i)allowance|benefit|taggeld|rente|pension|lohn|salary|wage|entschaedigung|leistungs|praemie|income|einkommen|vermoegen|budget`)
	files := 0
	require.NoError(t, filepath.WalkDir("../../contracts/native", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{".xsd", ".wsdl", ".yaml"}, filepath.Ext(path)) {
			return err
		}
		text, err := os.ReadFile(path)
		files++
		for line := range strings.Lines(string(text)) {
			for _, m := range field.FindAllStringSubmatch(line, -1) {
				require.True(t, !money.MatchString(m[1]+m[2]) || yesOrNo.MatchString(line), "%s: %s", path, line)
			}
		}
		return err
	}))
	require.Greater(t, files, 3)
}

// P4: one agency leads. An application that only wants advice is refused, and an agency that goes on leading is a reason to close.
func TestP4_TheWholeLeadershipMoves(t *testing.T) {
	for _, v := range load(t, "lucerne").Versions() {
		a := base(t, v, "H", "SH>ALV")
		a.answer("CASE_LEADERSHIP_MOVES", "NO")
		require.Equal(t, []string{"G3"}, blocked(v.Judge(a.Application)))
		require.True(t, v.Knows("closure", "PARALLEL_CASE_LEADERSHIP"))
	}
}

// P5: nothing leaves without the ground that the law demands; where it knows none, nothing leaves at all.
func TestP5_EveryDirectionHasItsLegalGate(t *testing.T) {
	for _, v := range load(t, "lucerne").Versions() {
		require.Equal(t, []handover.Code{"CONSENT"}, v.Gate("SH", "ALV"))
		require.Equal(t, v.Gate("IV", "ALV"), v.Gate("ALV", "IV"))
		require.Contains(t, v.Gate("ALV", "IV"), handover.Code("INFORMED"))
		require.Equal(t, []handover.Code{"CONSENT"}, v.Gate("IV", "SH"))
		require.Nil(t, v.Gate("ALV", "ALV"))
		for _, g := range v.Groups {
			for _, d := range g.Directions {
				a := base(t, v, g.Code, string(d.From+">"+d.To))
				a.Form.Consent = handover.Consent{}
				require.Contains(t, blocked(v.Judge(a.Application)), "G2")
			}
		}
	}
}

// P8: no running status. While it leads, the receiving agency can say what the process knows as an event, and nothing else.
func TestP8_NoMessageIsARunningStatus(t *testing.T) {
	events := []handover.Name{
		"cost-approval-requested", "cost-approval-reminder", "measure-ordered", "measure-completed", "invoice-forwarded", "sanction-hint",
		"review-meeting-scheduled", "review-meeting-recorded", "consent-withdrawn", "case-closed",
	}
	var said []handover.Name
	for _, line := range handover.Transitions() {
		if line.From == handover.Active && line.Sender != handover.Assigning && !slices.Contains(said, line.Message) {
			said = append(said, line.Message)
		}
	}
	require.ElementsMatch(t, events, said)
}

// P8: instead of running status, reviews have their day.
func TestP8_ReviewsHaveADay(t *testing.T) {
	d, ok := version(t, "regular-2025").Deadline("REVIEW_MEETING")
	require.True(t, ok)
	due, err := d.Due("2026-05-04")
	require.NoError(t, err)
	require.Equal(t, handover.Date("2026-05-04"), due)
}

// P9: nothing is asked for the sake of reports: every item is needed by a rule or a target group. The loader refuses others (see the test "item that nobody
// reads"); here every item is asked in some direction.
func TestP9_EveryItemIsAskedSomewhere(t *testing.T) {
	for _, v := range load(t, "lucerne").Versions() {
		asked := map[handover.Code]bool{}
		for _, g := range v.Groups {
			for _, d := range g.Directions {
				a := base(t, v, g.Code, string(d.From+">"+d.To))
				a.Form.Declarations = nil
				for _, i := range v.Questions(a.Application) {
					asked[i.Code] = true
				}
			}
		}
		for _, i := range v.Items {
			require.True(t, asked[i.Code], "%s: %s", v.Name, i.Code)
		}
	}
}

// P10: an order can only follow a signature, and an invoice only a measure; nothing leads from an order back to before it.
func TestP10_NoMeasureIsOrderedWithoutASignedApproval(t *testing.T) {
	states := []handover.ApprovalState{handover.NoApproval}
	for _, line := range handover.ApprovalTransitions() {
		states = append(states, line.To)
	}
	for _, from := range states {
		_, refusal := handover.NextApproval(from, "measure-ordered")
		require.Equal(t, from == handover.ApprovalSigned, refusal == "", "%s", from)
		_, refusal = handover.NextApproval(from, "invoice-forwarded")
		require.Equal(t, from == handover.MeasureEnded || from == handover.MeasureInvoiced, refusal == "", "%s", from)
		_, refusal = handover.NextApproval(from, "cost-approval-signed")
		require.Equal(t, from == handover.ApprovalRequested, refusal == "", "a signature answers a request, and what was refused is asked for anew")
	}
}

// P10: the time to return a cost approval is known, so that an order can wait for it and a reminder can go out.
func TestP10_TheCostApprovalHasItsTenDays(t *testing.T) {
	d, ok := version(t, "regular-2025").Deadline("COST_APPROVAL_RETURN")
	require.True(t, ok)
	due, err := d.Due("2026-03-02")
	require.NoError(t, err)
	require.Equal(t, handover.Date("2026-03-12"), due)
	require.Equal(t, profile.BeyondRemind, d.Beyond)
}

// P12: the assigning agency keeps its procedure and what is its own by law, while the other one leads, and has it back unreduced.
func TestP12_TheAssigningAgencyKeepsItsProcedure(t *testing.T) {
	everyVersion(t, func(t *testing.T, v profile.Version) {
		require.NotEmpty(t, v.Procedures)
		for _, p := range v.Procedures {
			require.NotEmpty(t, p.Keeps, "%s %s", p.Assigning, p.Process)
			require.Contains(t, []handover.Code{profile.Reduced, profile.Suspended}, p.Meanwhile, "never closed")
			require.Equal(t, profile.Full, p.Afterwards)
			receiver, _ := v.ProcessReceiver(p.Process)
			require.True(t, v.Knows("agency", receiver))
		}
	})
}

// P14: a form asks what its direction needs and nothing else; an application that answers the questions is judged without further ones.
func TestP14_AFormAsksOnlyWhatIsNeeded(t *testing.T) {
	v := version(t, "regular-2025")
	a := base(t, v, "H", "SH>ALV")
	all := a.Form.Declarations
	a.Form.Declarations = nil
	var codes []handover.Code
	for _, i := range v.Questions(a.Application) {
		codes = append(codes, i.Code)
	}
	require.Contains(t, codes, handover.Code("WORK_CAPACITY_PERCENT"))
	for _, c := range codes {
		require.NotContains(t, string(c), "SOCIAL_IMPEDIMENT")
	}
	a.Form.Declarations = slices.DeleteFunc(slices.Clone(all), func(d handover.Declaration) bool { return !slices.Contains(codes, d.Item) })
	require.Empty(t, blocked(v.Judge(a.Application)))
	require.Less(t, len(a.Form.Declarations), len(all))
}

// P14: every question that a form asks can change the outcome: there are answers to the rest with which one answer to it is treated differently from another.
func TestP14_EveryQuestionMatters(t *testing.T) {
	for _, j := range jurisdictions() {
		for _, v := range load(t, j.profile).Versions() {
			for _, g := range v.Groups {
				for _, d := range g.Directions {
					a := j.base(t, v, g.Code, string(d.From+">"+d.To))
					a.Form.Declarations = nil
					for _, i := range v.Questions(a.Application) {
						require.True(t, matters(v, a, i), "%s %s %s>%s: %s", v.ID, g.Code, d.From, d.To, i.Code)
					}
				}
			}
		}
	}
}

// matters tries every answer to an item with every answer to the other items of each rule that reads it.
func matters(v profile.Version, a *application, item profile.Item) bool {
	conditions := map[string]profile.Condition{}
	for _, r := range v.Rules {
		conditions[r.ID] = profile.Condition{All: []profile.Condition{r.Applies, r.When, {Fact: r.Confirm}}}
	}
	for _, g := range v.Groups {
		conditions["GROUP-"+string(g.Code)] = g.Definition
	}
	for rule, c := range conditions {
		read := facts(c)
		if !slices.Contains(read, item.Code) {
			continue
		}
		others := []*application{a}
		for _, i := range v.Items {
			if i.Code == item.Code || !slices.Contains(read, i.Code) {
				continue
			}
			var more []*application
			for _, o := range others {
				for _, with := range possible(i, o) {
					b := *o
					b.answer(i.Code, with)
					more = append(more, &b)
				}
			}
			others = more
		}
		for _, o := range others {
			seen := map[profile.Status]bool{}
			for _, with := range possible(item, o) {
				b := *o
				b.answer(item.Code, with)
				seen[statuses(v.Judge(b.Application))[rule]] = true
			}
			if len(seen) > 1 {
				return true
			}
		}
	}
	return false
}

// possible lists answers to an item: all of a list, and of numbers and days those at the ends and around a year before the application.
func possible(i profile.Item, a *application) []string {
	switch {
	case i.Number != nil:
		return []string{"=" + strconv.Itoa(i.Number.Least), "=" + strconv.Itoa(i.Number.Most)}
	case i.Date:
		return []string{"@1999-01-01", "@" + string(a.Form.AppliedOn)}
	}
	var all []string
	for _, c := range i.Answers {
		all = append(all, string(c))
	}
	return all
}

// facts lists what a condition looks at.
func facts(c profile.Condition) []code {
	all := []code{c.Fact}
	for _, part := range slices.Concat(c.All, c.Any) {
		all = append(all, facts(part)...)
	}
	if c.Not != nil {
		all = append(all, facts(*c.Not)...)
	}
	return all
}

// P14: whoever answers what is asked, in whatever way, is asked no further: no ruling lacks an answer.
func TestP14_AnsweringTheQuestionsIsEnough(t *testing.T) {
	type way struct {
		v profile.Version
		a *application
	}
	var ways []way
	for _, j := range jurisdictions() {
		for _, v := range load(t, j.profile).Versions() {
			for _, g := range v.Groups {
				for _, d := range g.Directions {
					a := j.base(t, v, g.Code, string(d.From+">"+d.To))
					a.Form.Declarations = nil
					ways = append(ways, way{v, a})
				}
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.SampledFrom(ways).Draw(t, "way")
		a := *w.a
		for n := 0; ; n++ {
			open := slices.DeleteFunc(w.v.Questions(a.Application), func(i profile.Item) bool {
				return slices.ContainsFunc(a.Form.Declarations, func(d handover.Declaration) bool { return d.Item == i.Code })
			})
			if len(open) == 0 {
				break
			}
			require.LessOrEqual(t, n, len(w.v.Items))
			a.answer(open[0].Code, rapid.SampledFrom(possible(open[0], &a)).Draw(t, "answer"))
		}
		for _, r := range w.v.Judge(a.Application) {
			require.True(t, r.Status != profile.NotAnswered || !asksItems(w.v, r), r.Rule)
		}
	})
}

// asksItems reports whether a ruling asks for items, and not only for fields that every valid form has.
func asksItems(v profile.Version, r profile.Ruling) bool {
	return slices.ContainsFunc(r.Missing, func(c code) bool {
		_, known := v.Item(c)
		return known
	})
}

// The list of principles says where each is held, and does not promise tests that are not there.
func TestPrinciples_EachIsHeldWhereTheListSays(t *testing.T) {
	page, err := os.ReadFile("PRINCIPLES.md")
	require.NoError(t, err)
	row := regexp.MustCompile(`(?m)^\| (P\d+) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$`)
	var seen []string
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		name, tests := m[1], strings.TrimSpace(m[3])
		seen = append(seen, name)
		if tests == "none" {
			require.Contains(t, m[2], "Not held", name)
			continue
		}
		for _, folder := range strings.Split(tests, ", ") {
			require.True(t, tested(t, name, strings.Trim(folder, "`")), "%s: no test in %s is named Test%s_...", name, folder, name)
		}
	}
	var want []string
	for n := range 15 {
		want = append(want, "P"+strconv.Itoa(n+1))
	}
	require.Equal(t, want, seen)
}

// tested reports whether a package has a test that is named after a principle.
func tested(t *testing.T, principle, folder string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../..", filepath.FromSlash(folder), "*_test.go"))
	require.NoError(t, err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		if strings.Contains(string(text), "\nfunc Test"+principle+"_") {
			return true
		}
	}
	return false
}
