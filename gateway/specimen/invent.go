package specimen

import (
	"fmt"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/personal"
)

// candidates lists applications in the order in which they are tried: every process and group, without and with an AHV number, then each with one declaration.
func (o Options) candidates() ([]handover.ApplicationSubmitted, error) {
	if o.Form != nil {
		form := *o.Form
		form.Assigning, form.Receiving = o.Assigning, o.Receiving
		return []handover.ApplicationSubmitted{form}, nil
	}
	base, err := o.base()
	if err != nil {
		return nil, err
	}
	var all []handover.ApplicationSubmitted
	for _, declared := range o.declarations() {
		for _, number := range []personal.AHV{{}, invented()} {
			for _, process := range o.known("process", o.Processes) {
				for _, group := range o.known("targetGroup", o.Groups) {
					form := base
					form.Process, form.TargetGroup, form.Person.AHV, form.Declarations = process, group, number, declared
					all = append(all, form)
				}
			}
		}
	}
	return all, nil
}

// invented is a number in the block of the number 000, which is given to nobody.
func invented() personal.AHV {
	for check := range 10 {
		if n, err := personal.ParseAHV(fmt.Sprintf("756000000000%d", check)); err == nil {
			return n
		}
	}
	return personal.AHV{}
}

// declarations lists no declaration, and every single one that can be answered with a code.
func (o Options) declarations() [][]handover.Declaration {
	all := [][]handover.Declaration{nil}
	for _, item := range o.known("declarations[].item", nil) {
		for _, answer := range o.known("declarations[].answer", nil) {
			all = append(all, []handover.Declaration{{Item: item, Answer: answer}})
		}
	}
	return all
}

// known are the codes that the system has words for: first of those that are likely, then all others.
func (o Options) known(path string, likely []handover.Code) []handover.Code {
	if o.Coded == nil {
		return likely
	}
	words, listed := o.Coded.Codes(handover.ApplicationSubmitted{}.Name(), path)
	if !listed {
		return likely
	}
	var all []handover.Code
	seen := map[handover.Code]bool{}
	has := map[handover.Code]bool{}
	for _, w := range words {
		has[w] = true
	}
	for _, code := range append(append([]handover.Code(nil), likely...), words...) {
		if has[code] && !seen[code] {
			seen[code] = true
			all = append(all, code)
		}
	}
	return all
}

// base is an application of a person who is seen not to exist.
func (o Options) base() (handover.ApplicationSubmitted, error) {
	born, err := personal.ParseDate("1900-01-01")
	if err != nil {
		return handover.ApplicationSubmitted{}, fault.Wrap(fault.Stop, "specimen.invent", err)
	}
	day := handover.Date(o.Day.UTC().Format(time.DateOnly))
	first := func(path string, otherwise handover.Code) handover.Code {
		for _, code := range o.known(path, []handover.Code{otherwise}) {
			return code
		}
		return otherwise
	}
	return handover.ApplicationSubmitted{
		Assigning: o.Assigning, Receiving: o.Receiving, AppliedOn: day,
		Person: handover.Person{
			OfficialName: "TEST-Einmal", FirstName: "Bitte löschen", DateOfBirth: born, Sex: first("person.sex", handover.SexUnknown),
			Address: handover.Address{Zip: "9999", Town: "Testdorf", Municipality: o.BFS},
		},
		Situation: handover.Situation{SocialCounselling: true, EconomicAssistance: true, RegisteredJobseeker: true},
		Consent:   handover.Consent{Kind: first("consent.kind", "CONSENT"), GivenOn: day}, PlannedMonths: 1,
		Goal: text(0), Reason: text(0), Contact: handover.Contact{Name: "TEST einmal"},
	}, nil
}
