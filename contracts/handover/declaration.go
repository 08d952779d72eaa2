package handover

import (
	"fmt"
	"log/slog"

	"github.com/einmal-hub/einmal/contracts/personal"
)

// Declaration is one answer of the assigning agency on the form, which the rules of admission need and no other field holds: exactly one of Answer,
// Number and On is given. Which items exist, and what may be answered, is data of the jurisdiction profile.
type Declaration struct {
	Item   Code `json:"item"`            // what is asked
	Answer Code `json:"answer,omitzero"` // an answer of the item's list
	Number *int `json:"number,omitzero"` // 0 to 999999, in the item's unit; 0 is an answer too
	On     Date `json:"on,omitzero"`
}

// LogValue masks the declaration: what was answered is about a person, and often about her health.
func (Declaration) LogValue() slog.Value { return slog.StringValue("***") }

// Format masks the whole declaration for every verb.
func (Declaration) Format(s fmt.State, _ rune) { personal.WriteMask(s) }

func (d Declaration) validate() error {
	var c check
	c.code("item", d.Item, true)
	c.code("answer", d.Answer, false)
	c.day("on", d.On)
	c.must(d.Number == nil || *d.Number >= 0 && *d.Number <= 999_999, "number", "out-of-range", "a number lies between 0 and 999999")
	given := 0
	for _, there := range []bool{d.Answer != "", d.Number != nil, d.On != ""} {
		if there {
			given++
		}
	}
	c.must(given == 1, "answer", "one-answer", "exactly one of answer, number and on is given")
	return c.Err()
}

// declarations checks the list of answers. An empty list is left out, so that saying nothing has one spelling.
func (c *check) declarations(ds []Declaration) {
	c.must(ds == nil || len(ds) >= 1 && len(ds) <= 60, "declarations", "out-of-range", "there are 1 to 60 declarations, or the list is left out")
	seen := map[Code]bool{}
	for i, d := range ds {
		path := fmt.Sprintf("declarations[%d].", i)
		c.within(path, d.validate)
		c.must(!seen[d.Item], path+"item", "repeated-item", "the item is declared twice")
		seen[d.Item] = true
	}
}
