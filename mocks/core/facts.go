package core

import (
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// Facts are what a clerk knows when she fills in a form: everything that any message of the catalogue needs, as plain text. Days are
// YYYY-MM-DD, codes are in einmal's own spelling, amounts are centimes. An empty value means "not given"; which values may be
// empty follows from the message. All people are invented.
type Facts struct {
	Remark string // free text of every message; the clerks put their marker here

	// Documents of this one message: an application, the answer to a question, a note of the transfer meeting, an agreement or approval that was signed, an
	// invoice, or a closure. The forms of other messages leave them out.
	Documents []Document
	// Procedure is how the agency in whose dossier the entry stands leads its own procedure from now on: REDUCED, SUSPENDED or FULL. It stands in the
	// assigning agency's dossier only, with a transfer meeting that everybody agreed to and with the closure; clerks never enter it.
	Procedure string

	// application-submitted
	Assigning, Receiving        handover.OrganisationID
	Process, TargetGroup        string
	AppliedOn                   string
	Person                      Person
	Situation                   Situation
	Declarations                []Declaration
	ConsentKind, ConsentGivenOn string
	PlannedMonths               int
	Goal, Reason                string
	Contact                     Contact
	Deputy                      *Contact

	// application-withdrawn; the day also of consent-withdrawn
	WithdrawnOn, WithdrawalReason string

	// clarification-requested, clarification-answered
	Question, AnswerBy, Answer string

	// application-decided; the reason only when rejected
	Decision, RejectionReason, DecidedOn string
	Lead                                 *Contact // the future case lead

	// transfer-meeting-scheduled, review-meeting-scheduled
	MeetingAt    time.Time // to the second, with the offset of the place
	MeetingPlace string

	// transfer-meeting-recorded, review-meeting-recorded
	HeldOn          string
	Participants    []Participant
	CanAndWantsWork bool
	StartOfCaseWork string // empty when somebody did not agree
	NextReviewOn    string // empty when there is none
	Strategy        string
	Continue        bool
	FurtherMeasures string

	// job-search-exemption-signed
	ExemptFrom, ExemptTo, ExemptionSignedOn, ExtensionReason string

	// the messages on cost approval and measure
	Approval                   string // the request's number
	Measure, Provider          string
	MeasureFrom, MeasureTo     string
	AmountCents                int64
	ReturnBy                   string
	ApprovalSignedOn, SignedBy string
	RefusedOn, RefusalReason   string
	OrderedOn, CompletedOn     string
	Result                     string
	InvoicedOn                 string
	InvoiceCents               int64

	// sanction-hint
	ObservedOn, Hint string

	// extra-meeting-requested
	ExtraRequestedOn, ExtraReason string

	// application-checked, which no clerk enters: what einmal's own check of an application says
	CheckOutcome, CheckProfile string // RETURNED or FORWARD; the version of the rules
	Findings                   []Finding

	// case-closed
	ClosedOn, ClosureReason, Outcome string
}

// Person is the person whose case it is.
type Person struct {
	AHV                     string // 13 digits, valid, invented
	OfficialName, FirstName string
	DateOfBirth             string
	Sex                     string
	Street, HouseNumber     string
	Zip, Town               string
	Municipality            int // BFS number
	Phone, Email, Language  string
}

// Situation is what the application form asks about entitlements.
type Situation struct {
	SocialCounselling, EconomicAssistance, RegisteredJobseeker, UnemploymentBenefit, DisabilityMeasures bool
}

// Declaration is one more answer on the form: exactly one of Answer, Number and On is given.
type Declaration struct {
	Item, Answer string
	Number       *int
	On           string
}

// Finding is a rule that does not hold.
type Finding struct {
	Rule, Severity, Reason, Source, Text, Hint string
}

// Contact is an employee of an agency.
type Contact struct{ Name, Phone, Email string }

// Participant took part in a meeting.
type Participant struct {
	Name, Part string
	Agreed     bool
}
