package core

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the mocks run on machines without a time zone database
	"unicode/utf8"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/strict"
)

//go:embed invented.json
var inventedJSON []byte

// stock is what invented facts are drawn from; everything of a place or a person's name is data.
type stock struct {
	OfficialNames []string   `json:"officialNames"`
	FirstNames    []string   `json:"firstNames"`
	Streets       []string   `json:"streets"`
	HouseNumbers  []string   `json:"houseNumbers"`
	Towns         []town     `json:"towns"`
	Employees     []string   `json:"employees"`
	Goals         []string   `json:"goals"`
	Reasons       []string   `json:"reasons"`
	Questions     []string   `json:"questions"`
	Answers       []string   `json:"answers"`
	Places        []string   `json:"places"`
	Strategies    []string   `json:"strategies"`
	Measures      []string   `json:"measures"`
	Providers     []string   `json:"providers"`
	Results       []string   `json:"results"`
	Hints         []string   `json:"hints"`
	ExtraReasons  []string   `json:"extraReasons"`
	Remarks       []string   `json:"remarks"`
	Rules         []rule     `json:"rules"`
	Documents     []string   `json:"documents"`
	Declarations  []Question `json:"declarations"`
}

type town struct {
	Zip          string `json:"zip"`
	Town         string `json:"town"`
	Municipality int    `json:"municipality"`
}

// rule is one that an application may not meet.
type rule struct {
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
	Source string `json:"source"`
	Text   string `json:"text"`
	Hint   string `json:"hint"`
}

// loaded reads the stock once; the file is part of the program, so a test holds that it can be read.
var loaded = sync.OnceValues(func() (stock, error) { //nolint:gochecknoglobals // read once, never changed
	var s stock
	err := strict.JSON(inventedJSON, &s)
	return s, err
})

// zone is where the meetings take place.
var zone = sync.OnceValues(func() (*time.Location, error) { return time.LoadLocation("Europe/Zurich") }) //nolint:gochecknoglobals // read once, never changed

// inventor draws facts.
type inventor struct {
	*rand.Rand
	stock stock
	zone  *time.Location
	day   time.Time // the day of the application
}

// Invent returns facts about an invented person and a whole handover of hers, from application to closure: days in order, every message of the
// catalogue valid. Values that a message may lack are absent at times. The same source of chance gives the same facts.
func Invent(rng *rand.Rand) Facts {
	return InventOn(rng, time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rng.IntN(300)))
}

// InventOn is Invent for an application of a given day. The person is of working age on that day.
func InventOn(rng *rand.Rand, day time.Time) Facts {
	s, err := loaded()
	if err != nil {
		return Facts{}
	}
	at, err := zone()
	if err != nil {
		return Facts{}
	}
	i := inventor{Rand: rng, stock: s, zone: at, day: day}
	f := i.application()
	i.beginning(&f)
	i.meetings(&f)
	i.costs(&f)
	i.ending(&f)
	f.Declarations = Declare(rng, s.Declarations, f.AppliedOn)
	i.answer(&f)
	for n := range rng.IntN(3) {
		f.Documents = append(f.Documents, InventDocument(rng, s.Documents[(rng.IntN(len(s.Documents))+n)%len(s.Documents)], 1000+rng.IntN(4000)))
	}
	return f
}

// AHV returns an invented number with a valid check digit.
func AHV(rng *rand.Rand) string {
	for {
		nine := fmt.Sprintf("%09d", rng.IntN(1_000_000_000))
		if strings.Count(nine, nine[:1]) == 9 {
			continue // known placeholders are refused
		}
		twelve, sum := "756"+nine, 0
		for i, c := range twelve {
			sum += int(c-'0') * (1 + 2*(i%2))
		}
		return fmt.Sprintf("%s%d", twelve, (10-sum%10)%10)
	}
}

// on returns the day so many days after the application.
func (i inventor) on(days int) string { return i.day.AddDate(0, 0, days).Format(time.DateOnly) }

func (i inventor) one(of []string) string { return of[i.IntN(len(of))] }

// maybe returns the value in two of three draws.
func (i inventor) maybe(v string) string {
	if i.IntN(3) == 0 {
		return ""
	}
	return v
}

func (i inventor) person() Person {
	lives := i.stock.Towns[i.IntN(len(i.stock.Towns))]
	return Person{
		AHV: AHV(i.Rand), OfficialName: i.one(i.stock.OfficialNames), FirstName: i.one(i.stock.FirstNames),
		DateOfBirth: time.Date(i.day.Year()-61, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i.IntN(42*365)).Format(time.DateOnly),
		Sex:         i.one([]string{"MALE", "FEMALE", "FEMALE", "MALE", "UNKNOWN"}),
		Street:      i.maybe(i.one(i.stock.Streets)), HouseNumber: i.one(i.stock.HouseNumbers),
		Zip: lives.Zip, Town: lives.Town, Municipality: lives.Municipality,
		Phone: i.maybe(i.phone()), Email: i.maybe(fmt.Sprintf("person%d@example.org", i.IntN(1e6))),
		Language: i.maybe(i.one([]string{"DE", "DE", "FR", "IT", "EN"})),
	}
}

// inFull returns the name as a list of participants shows it, which has 100 characters at most.
func (p Person) inFull() string {
	if full := p.FirstName + " " + p.OfficialName; utf8.RuneCountInString(full) <= 100 {
		return full
	}
	return p.OfficialName
}

// phone returns a number in the form that Swiss numbers have, from no assigned range.
func (i inventor) phone() string {
	return fmt.Sprintf("+41 41 000 %02d %02d", i.IntN(100), i.IntN(100))
}

func (i inventor) contact() Contact {
	return Contact{Name: i.one(i.stock.Employees), Phone: i.maybe(i.phone()), Email: i.maybe(fmt.Sprintf("stelle%d@example.org", i.IntN(100)))}
}

func (i inventor) maybeContact() *Contact {
	if i.IntN(2) == 0 {
		return nil
	}
	c := i.contact()
	return &c
}

func (i inventor) application() Facts {
	return Facts{
		Remark: i.one(i.stock.Remarks), Assigning: "sd-kriens", Receiving: "rav-luzern", Process: "OPTIMA_ALV", TargetGroup: "H",
		AppliedOn: i.on(0), Person: i.person(), ConsentKind: "CONSENT", ConsentGivenOn: i.on(-i.IntN(20)), PlannedMonths: i.months(3, 6),
		Situation: Situation{
			SocialCounselling: i.IntN(2) == 0, EconomicAssistance: true, RegisteredJobseeker: i.IntN(2) == 0,
		},
		Goal: i.one(i.stock.Goals), Reason: i.one(i.stock.Reasons), Contact: i.contact(), Deputy: i.maybeContact(),
	}
}

// months returns one of two planned durations.
func (i inventor) months(a, b int) int {
	if i.IntN(2) == 0 {
		return a
	}
	return b
}

func (i inventor) beginning(f *Facts) {
	f.WithdrawnOn, f.WithdrawalReason = i.on(5), i.one([]string{"PERSON_WITHDREW", "AGENCY_WITHDREW", "OTHER"})
	f.Question, f.AnswerBy, f.Answer = i.one(i.stock.Questions), i.maybe(i.on(12)), i.one(i.stock.Answers)
	f.Decision, f.DecidedOn, f.Lead = string(handover.Accepted), i.on(7), i.maybeContact()
	f.ExemptFrom, f.ExemptTo, f.ExemptionSignedOn = i.on(15), i.on(195), i.on(14)
	f.ExtensionReason = i.maybe(i.one(i.stock.Reasons))
	if f.ExtensionReason == "" {
		f.ExemptTo = i.on(100) // beyond three months an exemption has a reason
	}
}

func (i inventor) meetings(f *Facts) {
	f.MeetingAt = time.Date(i.day.Year(), i.day.Month(), i.day.Day()+14, 8+i.IntN(9), 15*i.IntN(4), 0, 0, i.zone)
	f.MeetingPlace, f.HeldOn = i.one(i.stock.Places), i.on(14)
	f.Participants = []Participant{
		{Name: f.Person.inFull(), Part: "PERSON", Agreed: true},
		{Name: f.Contact.Name, Part: "ASSIGNING", Agreed: true},
		{Name: i.one(i.stock.Employees), Part: "RECEIVING", Agreed: true},
	}
	if i.IntN(4) == 0 {
		f.Participants = append(f.Participants, Participant{Name: i.one(i.stock.Employees), Part: "OTHER", Agreed: true})
	}
	f.CanAndWantsWork, f.StartOfCaseWork, f.NextReviewOn = true, i.on(15), i.on(75)
	f.Strategy, f.Continue, f.FurtherMeasures = i.one(i.stock.Strategies), true, i.maybe(i.one(i.stock.Measures))
}

func (i inventor) costs(f *Facts) {
	f.Approval = fmt.Sprintf("KG-2026-%06d", i.IntN(1e6))
	f.Measure, f.Provider = i.one(i.stock.Measures), i.one(i.stock.Providers)
	f.MeasureFrom, f.MeasureTo = i.on(30), i.on(120)
	f.AmountCents = 5 * (1 + i.Int64N(200_000)) // prices end on 5 centimes; whole francs occur too
	f.ReturnBy = i.on(30)
	f.ApprovalSignedOn, f.SignedBy = i.on(22), i.one(i.stock.Employees)
	f.RefusedOn, f.RefusalReason = i.on(22), i.one([]string{"NO_ENTITLEMENT", "NOT_NECESSARY", "OTHER"})
	f.OrderedOn, f.CompletedOn, f.Result = i.on(25), i.on(120), i.one(i.stock.Results)
	f.InvoicedOn, f.InvoiceCents = i.on(130), f.AmountCents
}

func (i inventor) ending(f *Facts) {
	f.RejectionReason = "" // accepted, see beginning
	f.ObservedOn, f.Hint = i.on(40), i.one(i.stock.Hints)
	f.ExtraRequestedOn, f.ExtraReason = i.on(50), i.one(i.stock.ExtraReasons)
	f.ClosedOn = i.on(180)
	f.ClosureReason = i.one([]string{"GOAL_REACHED", "GOAL_NOT_REACHABLE", "REVOKED_BY_ASSIGNING", "PARALLEL_CASE_LEADERSHIP"})
	f.Outcome = i.one([]string{"SUCCESSFUL", "PARTIAL", "NOT_IMPLEMENTED", "OTHER"})
}

// answer is what the check of the application says: it is sent on with warnings, or returned.
func (i inventor) answer(f *Facts) {
	f.CheckOutcome, f.CheckProfile = string(handover.Forward), "lucerne/regular-2025"
	for _, n := range i.Perm(len(i.stock.Rules))[:1+i.IntN(len(i.stock.Rules))] {
		r := i.stock.Rules[n]
		severity := string(handover.SeverityWarn)
		if i.IntN(2) == 0 {
			severity, f.CheckOutcome = string(handover.SeverityRefuse), string(handover.Returned)
		}
		f.Findings = append(f.Findings, Finding{Rule: r.Rule, Severity: severity, Reason: r.Reason, Source: r.Source, Text: r.Text, Hint: i.maybe(r.Hint)})
	}
}
