package profile

import "github.com/einmal-hub/einmal/contracts/handover"

// Text is a text in every language of the profile, by ISO 639-1 code in lower case.
type Text map[string]string

// In returns the text in the first of the languages that it has, or "".
func (t Text) In(languages ...string) string {
	for _, l := range languages {
		if s := t[l]; s != "" {
			return s
		}
	}
	return ""
}

// Scope limits an entry to some versions; an empty one means all.
type Scope struct {
	In []string `yaml:"in" json:"-"`
}

// Agency is a type of agency, such as the unemployment office.
type Agency struct {
	Scope `yaml:",inline"`
	Code  handover.Code `yaml:"agency"`
	Text  Text          `yaml:"text"`
}

// Process is a kind of handover, named after who receives.
type Process struct {
	Scope    `yaml:",inline"`
	Code     handover.Code `yaml:"process"`
	Receiver handover.Code `yaml:"receiver"` // agency type
	Source   string        `yaml:"source"`
	Text     Text          `yaml:"text"`
}

// Group is a target group: who belongs to it, and which handovers it allows.
type Group struct {
	Scope      `yaml:",inline"`
	Code       handover.Code `yaml:"group"`
	Source     string        `yaml:"source"`
	Text       Text          `yaml:"text"`
	Definition Condition     `yaml:"definition"` // as far as it can be checked
	Directions []Direction   `yaml:"directions"`
}

// Direction is a handover from one agency type to another.
type Direction struct {
	Scope        `yaml:",inline"`
	From         handover.Code `yaml:"from"`
	To           handover.Code `yaml:"to"`
	Process      handover.Code `yaml:"process"`
	Precondition string        `yaml:"precondition"` // for people; the rules check it
}

// Setting is a fact that holds for a whole version, such as a permission by law.
type Setting struct {
	Scope  `yaml:",inline"`
	Fact   handover.Code `yaml:"setting"`
	Value  handover.Code `yaml:"value"`
	Source string        `yaml:"source"`
	Text   Text          `yaml:"text"`
}

// Item is something that the form asks. Exactly one of Answers, Number and Date is set.
type Item struct {
	Scope   `yaml:",inline"`
	Code    handover.Code   `yaml:"item"`
	Answers []handover.Code `yaml:"answers"` // of the code list "answer"
	Number  *Range          `yaml:"number"`
	Date    bool            `yaml:"date"`
	Text    Text            `yaml:"text"`
}

// Range is what a number may be. There is no unit of money: amounts of benefits are never asked (P3).
type Range struct {
	Unit  handover.Code `yaml:"unit"` // PERCENT, MONTHS, DAYS or COUNT
	Least int           `yaml:"least"`
	Most  int           `yaml:"most"`
}

// The two kinds of rules.
const (
	Checkable handover.Code = "checkable" // follows from facts
	Judgement handover.Code = "judgement" // a person's; only its confirmation is checked
)

// How severe a rule is.
const (
	Refuse handover.Code = "refuse" // the application does not go out
	Warn   handover.Code = "warn"   // it goes out, and both sides are told
)

// Rule is one condition of admission.
type Rule struct {
	Scope    `yaml:",inline"`
	ID       string        `yaml:"rule"`
	Source   string        `yaml:"source"` // chapter
	Kind     handover.Code `yaml:"kind"`
	Severity handover.Code `yaml:"severity"`
	Reason   handover.Code `yaml:"reason"`  // of the code list "rejection"
	Applies  Condition     `yaml:"applies"` // where the rule has a say; empty: always
	When     Condition     `yaml:"when"`    // what must hold; of a checkable rule
	Confirm  handover.Code `yaml:"confirm"` // the item that must be CONFIRMED; of a judgement
	Text     Text          `yaml:"text"`
	Hint     Text          `yaml:"hint"` // what to do when it does not hold
}

// Gate is the legal ground on which data may go from one agency type to another, in both directions.
type Gate struct {
	Scope   `yaml:",inline"`
	Between []handover.Code `yaml:"between"` // two agency types, which may be the same
	Ground  []handover.Code `yaml:"ground"`  // any of these consent kinds suffices
	Source  string          `yaml:"source"`
	Text    Text            `yaml:"text"`
}

// Rate is a flat rate for case leadership, for one month.
type Rate struct {
	Agency      handover.Code `yaml:"rate"` // agency type that leads
	AmountCents int64         `yaml:"amountCents"`
	ValidFrom   handover.Date `yaml:"validFrom"`
	ValidTo     handover.Date `yaml:"validTo"`  // empty: open
	Billable    Condition     `yaml:"billable"` // by the application's facts
	Source      string        `yaml:"source"`
	Text        Text          `yaml:"text"`
}

// List is a code list.
type List struct {
	Name  string  `yaml:"list"`
	Codes []Entry `yaml:"codes"`
}

// Entry is one code of a list.
type Entry struct {
	Scope `yaml:",inline"`
	Code  handover.Code `yaml:"code"`
	Text  Text          `yaml:"text"`
}

// Label names something that the program knows: a state, a message, a phrase.
type Label struct {
	Name string `yaml:"name"`
	Text Text   `yaml:"text"`
}
