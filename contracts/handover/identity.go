package handover

// CaseID identifies one handover of one person from one agency to another, from application to
// closure. It is opaque (36 characters), never derived from personal data, and the same in every system.
type CaseID string

// MessageID identifies one message; the same native record always gives the same id. At most 36 characters,
// so that it fits messageId of eCH-0058.
type MessageID string

// SystemID names one instance of a native system as the configuration does: "klib", "casenet".
type SystemID string

// OrganisationID names one organisation of the directory, such as one municipal social service. It is
// not a person and may stand in the open.
type OrganisationID string

// Code is a value of a code list of the jurisdiction profile, in einmal's own spelling: upper case
// letters, digits and underscores. Which codes exist is data of the mapping and of the profile.
type Code string

// Name is the name of a message: "application-submitted".
type Name string

// TypePrefix starts the CloudEvents type of every message; the name and ".v1" follow.
const TypePrefix = "ch.optima.handover."

// Version is the version of every message of this catalogue.
const Version = "v1"

// Type returns the CloudEvents type: "ch.optima.handover.application-submitted.v1".
func (n Name) Type() string { return TypePrefix + string(n) + "." + Version }

// Role is what an organisation is in one case.
type Role uint8

const (
	// NoRole is an organisation that has nothing to do with the case.
	NoRole Role = iota
	// Assigning is the agency that asks for the handover (Auftraggeber).
	Assigning
	// Receiving is the agency that is asked to take the lead (Auftragnehmer).
	Receiving
	// Checking is einmal itself, which answers an application by the rules of the jurisdiction. It is no party and decides nothing that is a person's to decide.
	Checking
)

// Gateway is the organisation id under which einmal itself speaks; no organisation of a directory may have it.
const Gateway OrganisationID = "einmal"

// String returns the role's name.
func (r Role) String() string {
	switch r {
	case Assigning:
		return "assigning"
	case Receiving:
		return "receiving"
	case Checking:
		return "einmal"
	default:
		return "none"
	}
}

// Parties are the two organisations of a case. Same-type handovers are allowed: what matters is that
// the organisations differ.
type Parties struct {
	Assigning OrganisationID `json:"assigning"`
	Receiving OrganisationID `json:"receiving"`
}

// RoleOf returns what an organisation is in the case; [Gateway] checks in every case.
func (p Parties) RoleOf(o OrganisationID) Role {
	switch {
	case o == "":
		return NoRole
	case o == Gateway:
		return Checking
	case o == p.Assigning:
		return Assigning
	case o == p.Receiving:
		return Receiving
	default:
		return NoRole
	}
}
