package handover

// Declaration is one answer of the assigning agency on the form, which the rules of admission need and no other field holds: exactly one of Answer,
// Number and On is given. Which items exist, and what may be answered, is data of the jurisdiction profile.
type Declaration struct {
	Item   Code `json:"item"`            // what is asked
	Answer Code `json:"answer,omitzero"` // an answer of the item's list
	Number *int `json:"number,omitzero"` // 0 to 999999, in the item's unit; a pointer, because 0 is an answer too
	On     Date `json:"on,omitzero"`
}
