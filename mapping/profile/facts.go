package profile

import (
	"slices"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// Answers that every profile knows.
const (
	Yes       handover.Code = "YES"
	No        handover.Code = "NO"
	Confirmed handover.Code = "CONFIRMED"
)

// The code lists that the program knows by name.
const (
	listAgency      = "agency"
	listProcess     = "process"
	listGroup       = "targetGroup"
	listAnswer      = "answer"
	listConsent     = "consent"
	listRejection   = "rejection"
	listCapability  = "capability"
	listSex         = "sex"
	listProcedure   = "procedure"
	listDecision    = "decision"
	listWithdrawal  = "withdrawal"
	listCostRefusal = "costRefusal"
	listClosure     = "closure"
	listOutcome     = "outcome"
	listPart        = "part"
	listLanguage    = "language"
)

// What the direction of an application is.
const (
	directionAllowed handover.Code = "ALLOWED"          // one of its target group
	directionSame    handover.Code = "SAME_AGENCY_TYPE" // between two agencies of one type, to the process's receiver
	directionNot     handover.Code = "NOT_ALLOWED"
)

// What the legal ground of an application is.
const (
	groundSufficient   handover.Code = "SUFFICIENT"
	groundInsufficient handover.Code = "INSUFFICIENT"
	groundNone         handover.Code = "NOT_PROVIDED" // no ground would do: the law knows none for this pair
)

// Party is one organisation of an application as the directory knows it on that day.
type Party struct {
	Organisation handover.OrganisationID
	Agency       handover.Code   // agency type
	Offers       []handover.Code // capabilities, of the code list "capability"
	Full         bool            // it says that it has no capacity
}

// Application is what is judged.
type Application struct {
	Assigning, Receiving Party
	// Responsible: the receiving organisation is the one of its type that is responsible for the person's residence.
	Responsible bool
	Form        handover.ApplicationSubmitted
}

// kind is what a fact is.
type kind uint8

const (
	codeFact kind = iota + 1
	setFact
	numberFact
	dateFact
)

// factType is a fact's kind and, for codes, what it can be: a code list, or the codes themselves.
type factType struct {
	kind  kind
	list  string
	codes []handover.Code
}

// builtin lists the facts that come from the application and from the directory.
func builtin() map[handover.Code]factType {
	yesNo := factType{kind: codeFact, codes: []handover.Code{Yes, No}}
	return map[handover.Code]factType{
		"ASSIGNING_AGENCY":      {kind: codeFact, list: listAgency},
		"RECEIVING_AGENCY":      {kind: codeFact, list: listAgency},
		"RECEIVER_OFFERS":       {kind: setFact, list: listCapability},
		"RECEIVER_RESPONSIBLE":  yesNo,
		"RECEIVER_HAS_CAPACITY": yesNo,
		"DIRECTION":             {kind: codeFact, codes: []handover.Code{directionAllowed, directionSame, directionNot}},
		"LEGAL_GROUND":          {kind: codeFact, codes: []handover.Code{groundSufficient, groundInsufficient, groundNone}},
		"PROCESS":               {kind: codeFact, list: listProcess},
		"TARGET_GROUP":          {kind: codeFact, list: listGroup},
		"CONSENT":               {kind: codeFact, list: listConsent},
		"SOCIAL_COUNSELLING":    yesNo,
		"ECONOMIC_ASSISTANCE":   yesNo,
		"REGISTERED_JOBSEEKER":  yesNo,
		"UNEMPLOYMENT_BENEFIT":  yesNo,
		"DISABILITY_MEASURES":   yesNo,
		"APPLIED_ON":            {kind: dateFact},
		"CONSENT_GIVEN_ON":      {kind: dateFact},
		"PLANNED_MONTHS":        {kind: numberFact},
		"SEX":                   {kind: codeFact, list: listSex},
		"BIRTH_YEAR":            {kind: numberFact},
		"AGE_MONTHS":            {kind: numberFact}, // completed, on the day of the application
	}
}

// facts collects what is known. A declaration that the version does not know, or that answers in another kind than asked, is not known.
func (v Version) facts(a Application) facts {
	s := a.Form.Situation
	f := facts{
		"ASSIGNING_AGENCY":      code(a.Assigning.Agency),
		"RECEIVING_AGENCY":      code(a.Receiving.Agency),
		"RECEIVER_OFFERS":       {codes: a.Receiving.Offers},
		"RECEIVER_RESPONSIBLE":  answer(a.Responsible),
		"RECEIVER_HAS_CAPACITY": answer(!a.Receiving.Full),
		"DIRECTION":             code(v.direction(a)),
		"LEGAL_GROUND":          code(v.ground(a)),
		"PROCESS":               code(a.Form.Process),
		"TARGET_GROUP":          code(a.Form.TargetGroup),
		"CONSENT":               code(a.Form.Consent.Kind),
		"SOCIAL_COUNSELLING":    answer(s.SocialCounselling),
		"ECONOMIC_ASSISTANCE":   answer(s.EconomicAssistance),
		"REGISTERED_JOBSEEKER":  answer(s.RegisteredJobseeker),
		"UNEMPLOYMENT_BENEFIT":  answer(s.UnemploymentBenefit),
		"DISABILITY_MEASURES":   answer(s.DisabilityMeasures),
		"APPLIED_ON":            {day: a.Form.AppliedOn},
		"CONSENT_GIVEN_ON":      {day: a.Form.Consent.GivenOn},
		"PLANNED_MONTHS":        {number: a.Form.PlannedMonths},
		"SEX":                   code(a.Form.Person.Sex),
	}
	f.age(a.Form)
	for _, s := range v.Settings {
		f[s.Fact] = code(s.Value)
	}
	for _, d := range a.Form.Declarations {
		if item, known := v.Item(d.Item); known && item.answeredBy(d) {
			f[d.Item] = declared(d)
		}
	}
	return f
}

func code(c handover.Code) value { return value{codes: []handover.Code{c}} }

func answer(b bool) value {
	if b {
		return code(Yes)
	}
	return code(No)
}

func declared(d handover.Declaration) value {
	v := value{day: d.On}
	if d.Answer != "" {
		v.codes = []handover.Code{d.Answer}
	}
	if d.Number != nil {
		v.number = *d.Number
	}
	return v
}

// answeredBy reports whether a declaration is an answer to the item.
func (i Item) answeredBy(d handover.Declaration) bool {
	switch {
	case i.Date:
		return d.On != "" && d.Answer == "" && d.Number == nil
	case i.Number != nil:
		return d.Number != nil && d.Answer == "" && d.On == "" && *d.Number >= i.Number.Least && *d.Number <= i.Number.Most
	default:
		return slices.Contains(i.Answers, d.Answer) && d.Number == nil && d.On == ""
	}
}

// age adds the person's year of birth and age, which stay inside the judgement.
func (f facts) age(m handover.ApplicationSubmitted) {
	born, err1 := time.Parse(time.DateOnly, m.Person.DateOfBirth.Reveal())
	applied, err2 := time.Parse(time.DateOnly, string(m.AppliedOn))
	if err1 != nil || err2 != nil {
		return
	}
	months := 12*(applied.Year()-born.Year()) + int(applied.Month()) - int(born.Month())
	if applied.Day() < born.Day() {
		months--
	}
	f["BIRTH_YEAR"], f["AGE_MONTHS"] = value{number: born.Year()}, value{number: months}
}

// direction finds out whether the application's target group allows its direction.
func (v Version) direction(a Application) handover.Code {
	from, to := a.Assigning.Agency, a.Receiving.Agency
	for _, g := range v.Groups {
		for _, d := range g.Directions {
			if g.Code == a.Form.TargetGroup && d.From == from && d.To == to && d.Process == a.Form.Process {
				return directionAllowed
			}
		}
	}
	for _, p := range v.Processes {
		if from == to && p.Code == a.Form.Process && p.Receiver == to && a.Assigning.Organisation != a.Receiving.Organisation {
			return directionSame
		}
	}
	return directionNot
}

// ground holds the application's legal ground against the gate of its two agency types.
func (v Version) ground(a Application) handover.Code {
	gate := v.Gate(a.Assigning.Agency, a.Receiving.Agency)
	switch {
	case gate == nil:
		return groundNone
	case slices.Contains(gate, a.Form.Consent.Kind) && a.Form.Consent.GivenOn != "":
		return groundSufficient
	default:
		return groundInsufficient
	}
}
