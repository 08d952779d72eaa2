package clerks

import (
	"regexp"
	"slices"
	"strings"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
)

// checked is the message with which an application is answered.
const checked handover.Name = "application-checked"

// answers reports whether a kind is what a system calls the answer to an application; a system without a form calls everything as the messages are called.
func answers(s System, kind native.Kind) bool {
	if s.Compose == nil {
		return kind == native.Kind(checked)
	}
	own, _ := s.Compose(checked, core.Facts{CheckOutcome: string(handover.Returned)})
	return own != "" && kind == own
}

// read holds an entry against what was meant: the documents, what it refers to, and what the system's own form makes of the same facts.
func (c *checker) read(e entry, s Step, h Handover) {
	documents := core.Hashes(s.Facts.Documents)
	if !slices.Equal(slices.Sorted(slices.Values(e.Documents)), slices.Sorted(slices.Values(documents))) {
		c.find(WrongDocuments, e, "does not stand with the documents that it was made with")
	}
	action, refers := s.Action, c.stands[s.Refers][e.place].ID
	if c.steps[s.Refers].Returned() && e.place != s.Place {
		action = "" // what was returned never stood here: this is the first of it
	}
	if e.Action != action || e.Refers != refers {
		c.find(WrongReference, e, "does not say of the right earlier entry whether it is recalled or corrected")
	}
	sys := c.systems[e.place.System]
	if sys.Compose == nil {
		return
	}
	kind, body := sys.Compose(s.Name, h.known(s, e.place))
	if kind != e.Kind {
		c.find(WrongKind, e, "is not what this system calls "+string(s.Name))
		return
	}
	if sys.Compare == nil {
		return
	}
	if places := sys.Compare.Differ(body, e.Body); len(places) > 0 {
		c.find(Altered, e, "differs at "+strings.Join(places, ", "))
	}
}

// known returns the facts of a step as they must stand at a place. Beyond where the clerk entered it, somebody has been found who receives; and in the assigning
// agency's dossier stands how it leads its own procedure: while the other one leads, and again when the case has come back.
func (h Handover) known(s Step, at Place) core.Facts {
	f := s.Facts
	if at != s.Place {
		f.Receiving = h.Parties.Receiving
	}
	if at.Organisation != h.Parties.Assigning {
		return f
	}
	switch {
	case s.Name == "transfer-meeting-recorded" && !slices.ContainsFunc(f.Participants, func(p core.Participant) bool { return !p.Agreed }):
		f.Procedure = h.Meanwhile
	case s.Name == "case-closed":
		f.Procedure = "FULL"
	}
	return f
}

// answer holds the answer to an application against what the clerks expect of the rules.
func (c *checker) answer(e entry, application Step) {
	switch {
	case application.Answer == nil:
		c.find(Unexplained, e, "nothing was to be answered here")
		return
	case application.Returned() && e.place.System != application.Place.System:
		c.find(Leaked, e, "the application was returned, and nothing of it may stand here")
		return
	case e.place != application.Place:
		c.find(Misplaced, e, "answers an application that was entered elsewhere")
	}
	if _, again := c.answered[e.marker]; again {
		c.find(Double, e, "answers the application again")
		return
	}
	c.answered[e.marker] = e
	c.records[checked]++
	if first, stands := c.stands[e.marker][e.place]; stands && (first.Case != e.Case || first.Number > e.Number) {
		c.find(Misplaced, e, "does not stand after the application in its case")
	}
	c.verdict(e, *application.Answer, application)
}

// verdict reads which rules an answer names and whether the application goes on. Which words stand for that is learnt from the system's own form.
func (c *checker) verdict(e entry, want Answer, application Step) {
	sys := c.systems[e.place.System]
	if sys.Compose == nil || sys.Compare == nil {
		return
	}
	said, err := sys.Compare(e.Body)
	if err != nil {
		c.find(Altered, e, "differs at the content is not readable")
		return
	}
	if got := rulesIn(said); !slices.Equal(got, want.Rules) {
		c.find(WrongAnswer, e, "names "+strings.Join(got, ", ")+" and not "+strings.Join(want.Rules, ", "))
	}
	facts := application.Facts
	outcome := func(o handover.Code) map[string]string {
		f := facts
		f.CheckOutcome = string(o)
		_, body := sys.Compose(checked, f)
		leaves, _ := sys.Compare(body) // what cannot be read has no leaves, and the outcome is not found
		return leaves
	}
	yes, no := outcome(handover.Forward), outcome(handover.Returned)
	if want.Returned {
		yes, no = no, yes
	}
	known := false
	for place := range yes {
		if yes[place] != no[place] {
			known = true
			if said[place] != yes[place] {
				c.find(WrongAnswer, e, "does not say at "+place+" whether the application goes on as the rules demand")
			}
		}
	}
	if !known {
		c.find(WrongAnswer, e, "does not say whether the application goes on")
	}
}

// ruleForm is how rules are numbered.
var ruleForm = regexp.MustCompile(`^(G|IWO|ALV|IV|SH)\d{1,2}[a-z]?$|^(GROUP|DIRECTORY)-[A-Z-]+$|^CLEARED$`)

// rulesIn returns the rules that a content names, each once, in alphabetical order.
func rulesIn(leaves map[string]string) []string {
	var found []string
	for _, text := range leaves {
		if ruleForm.MatchString(text) && !slices.Contains(found, text) {
			found = append(found, text)
		}
	}
	slices.Sort(found)
	return found
}
