package gateway_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// badInput is something that no desk and no contract would let through, or that may not be said now, and what a person is told about it.
type badInput struct {
	name   string
	enter  func(a *affair)
	code   string
	text   string // a part of the sentence for a person
	next   string // a part of what to do
	path   string // the place in the native format, where there is one
	opened bool   // a case stands before the bad entry comes
}

func badInputs() []badInput {
	slip := func(system handover.SystemID, by handover.OrganisationID, name handover.Name, old, fresh string) func(a *affair) {
		return func(a *affair) { a.slips(system, by, name, a.replace(old, fresh)) }
	}
	return []badInput{
		{
			name: "an unknown code in JSON", enter: slip(world.KLIB, "sd-kriens", "application-submitted", `"ZG-H"`, `"ZG-Z"`),
			code: "unknown-code", text: "the code is not in the list zielgruppe", next: "correct it where it was entered", path: "zielgruppe",
		}, {
			name: "an unknown code in XML", enter: func(a *affair) {
				a.slips(world.AVAM, "rav-luzern", "application-submitted", a.replace("<targetGroup>08", "<targetGroup>99"))
			},
			code: "unknown-code", text: "targetGroup", next: "", path: "targetGroup",
		}, {
			name: "a wrong check digit in JSON", enter: func(a *affair) {
				dotted := a.facts.Person.AHV
				dotted = dotted[:3] + "." + dotted[3:7] + "." + dotted[7:11] + "." + dotted[11:]
				a.slips(world.KLIB, "sd-kriens", "application-submitted", a.replace(dotted, dotted[:len(dotted)-1]+otherDigit(dotted)))
			},
			code: "ahv-check-digit", text: "the check digit of the AHV number is wrong", path: "klient.ahv",
		}, {
			name: "a wrong check digit in XML", enter: func(a *affair) {
				n := a.facts.Person.AHV
				a.slips(world.AVAM, "rav-luzern", "application-submitted", a.replace(n, n[:12]+otherDigit(n)))
			},
			code: "ahv-check-digit", text: "the check digit of the AHV number is wrong", path: "vn",
		}, {
			name: "an unknown field in JSON", enter: slip(world.KLIB, "sd-kriens", "application-submitted", `"auftrag"`, `"haustier":"Hund","auftrag"`),
			code: "unknown-field", text: "the table has no row for this field", path: "haustier",
		}, {
			name: "an unknown element in XML", enter: slip(world.AVAM, "rav-luzern", "application-submitted", "<objective>", "<pet>Hund</pet><objective>"),
			code: "unknown-field", text: "the table has no row for this field", path: "pet",
		}, {
			name: "an unknown field on the platform", enter: slip(world.CASEnet, "sd-kriens", "application-submitted", `{`, `{"pet":"Hund",`),
			code: "unknown-field", text: "the table has no row for this field", path: "pet",
		}, {
			name: "a missing field", enter: slip(world.KLIB, "sd-kriens", "application-submitted", `"zielgruppe":"ZG-H",`, ``),
			code: "missing", text: "the value is missing; fill it in where the record was entered", path: "zielgruppe",
		}, {
			name: "an unknown kind", enter: func(a *affair) {
				a.slips(world.KLIB, "sd-kriens", "application-submitted", func(w *core.Write) { w.Kind = "hausbesuch" })
			},
			code: "unknown-kind", text: "the table has no message for this kind of record",
		}, {
			name: "a foreign reference", enter: func(a *affair) {
				a.slips(world.KLIB, "sd-kriens", "application-submitted", func(w *core.Write) { w.Reference, w.By = "0123456789abcdef", core.ByInterface })
			},
			code: "foreign-reference", text: "the record carries a reference that this installation never gave", next: "find out who wrote it",
		}, {
			name: "an unknown organisation", enter: func(a *affair) {
				a.between("sd-nirgends", "rav-luzern").enters(world.KLIB, "sd-nirgends", "application-submitted")
			},
			code: "unknown-organisation", text: "the organisation that applies is not in the directory", next: "add it to the directory",
		}, {
			name: "an application for oneself", enter: func(a *affair) {
				a.between("sd-kriens", "sd-kriens").enters(world.KLIB, "sd-kriens", "application-submitted")
			},
			code: "same-organisation", text: "a case cannot be handed over to oneself",
		}, {
			name: "a reply before the application", enter: func(a *affair) { a.enters(world.AVAM, "rav-luzern", "application-decided") },
			code: "not-in-this-state", text: "the case is not opened, where application-decided is not provided for", next: "correct the entry in the native system, or withdraw this message",
		}, {
			name: "a reply in the wrong state", opened: true, enter: func(a *affair) { a.enters(world.AVAM, "rav-luzern", "case-closed") },
			code: "not-in-this-state", text: "the case is UNDER_REVIEW, where case-closed is not provided for",
		}, {
			name: "a message of the wrong party", opened: true, enter: func(a *affair) { a.enters(world.KLIB, "sd-kriens", "application-decided") },
			code: "not-by-this-party", text: "application-decided is for the other party to say", next: "withdraw this message",
		}, {
			name: "a stranger's entry on the platform", opened: true, enter: func(a *affair) { a.enters(world.CASEnet, "sobz-sursee", "clarification-requested") },
			code: "not-by-this-party", text: "clarification-requested is for the other party to say",
		},
	}
}

// otherDigit returns a wrong last digit.
func otherDigit(number string) string {
	return string('0' + (number[len(number)-1]-'0'+1)%10)
}

// Everything bad is put before a person with a reason, while ten ordinary handovers go on beside it; once it is withdrawn, its case goes on.
func TestI4BadInputIsParkedWithAReasonAndHoldsBackOnlyItsOwnCase(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway()
	p := plan(t, 31, 10)
	play := s.begin(p, 1000)
	for i, bad := range badInputs() {
		a := s.affair(i)
		var markers []string
		if bad.opened {
			markers = append(markers, a.enters(world.KLIB, "sd-kriens", "application-submitted"))
			a.appears(markers[0], everywhere()...)
		}
		bad.enter(a)
		it := g.waits(1)[0]
		require.Equal(t, bad.code, it.Reason.Code, bad.name)
		require.Contains(t, it.Reason.Text, bad.text, bad.name)
		require.Contains(t, it.Reason.Path, bad.path, bad.name)
		require.Contains(t, it.Reason.Text+"; "+it.Reason.Next, bad.next, bad.name)
		require.Equal(t, ledger.StatusParked, it.Status, bad.name)
		require.Equal(t, "gate", it.Destination, bad.name)
		require.Eventually(t, func() bool { return g.parked()[0].Entered.Case != "" }, patience, tick, bad.name+": what was handed over stands in the journal a moment before the ledger knows its number")
		require.Equal(t, a.cases[it.Entered.System], g.parked()[0].Entered.Case, bad.name+": where it was entered")
		if bad.opened {
			markers = append(markers, a.enters(world.AVAM, "rav-luzern", "clarification-requested"))
			require.Equal(t, ledger.StatusHeld, g.waits(2)[1].Status, bad.name)
		}
		g.rule(it.ID, "WITHDRAW")
		g.waits(0)
		if bad.opened {
			require.Len(t, markers, 2)
			a.appears(markers[1], everywhere()...)
		}
	}
	play.end()
	g.clean()
	s.onceAmong(p)
}
