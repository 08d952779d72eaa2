package delivery

import (
	"context"
	"log/slog"

	"github.com/go-json-experiment/json"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// Applicants keeps on this machine, sealed, what is known of the applicants of open cases, so that a gateway that starts need not read all their applications from the bus again before it admits
// one. It only saves work: what it has lost or cannot be opened is read again. Its methods are safe for concurrent use and do not wait.
type Applicants interface {
	// Kept returns what was kept, by case.
	Kept() (map[handover.CaseID][]byte, error)
	// Keep keeps it; nil forgets the case.
	Keep(id handover.CaseID, sealed []byte)
}

// nowhere keeps nothing.
type nowhere struct{}

// Kept implements [Applicants].
func (nowhere) Kept() (map[handover.CaseID][]byte, error) { return nil, nil } //nolint:nilnil // nothing is kept

// Keep implements [Applicants].
func (nowhere) Keep(handover.CaseID, []byte) {}

// writtenApplicant is an applicant as it is sealed.
type writtenApplicant struct {
	Place   ledger.Place  `json:"place"`
	Number  string        `json:"number,omitzero"`
	Name    string        `json:"name"`
	Process handover.Code `json:"process"`
	Content string        `json:"content"`
	Test    bool          `json:"test,omitzero"`
}

// boundTo binds a sealed applicant to its case and to what it is for.
func boundTo(id handover.CaseID) []byte { return []byte("einmal.applicant|" + string(id)) }

// recall takes up what was known when the gateway stopped. A case whose application is another one by now, or that has ended, is noticed when somebody asks for rivals.
func (d *Delivery) recall() {
	kept, err := d.o.Applicants.Kept()
	if err != nil {
		d.o.Log.WarnContext(context.Background(), "what was known of applicants cannot be read; their applications are read again", slog.Any("error", err))
	}
	for id, sealed := range kept {
		var w writtenApplicant
		plain, err := d.o.Keys.Open(sealed, boundTo(id))
		if err == nil {
			err = json.Unmarshal(plain, &w)
		}
		if err != nil {
			d.o.Applicants.Keep(id, nil) // of another key file, or of another version
			continue
		}
		d.persons.known[id] = applicant{place: w.Place, number: w.Number, name: w.Name, process: w.Process, content: w.Content, test: w.Test}
	}
}

// seal is an applicant as it is kept.
func (d *Delivery) seal(id handover.CaseID, a applicant) ([]byte, error) {
	plain, err := json.Marshal(writtenApplicant{Place: a.place, Number: a.number, Name: a.name, Process: a.process, Content: a.content, Test: a.test})
	if err != nil {
		return nil, fault.Wrap(fault.Stop, "delivery.applicant", err)
	}
	return d.o.Keys.Seal(plain, boundTo(id))
}

// learn notes who applies in a case. One whose application cannot be read is not kept: perhaps it can be the next time.
func (d *Delivery) learn(id handover.CaseID, a applicant) {
	d.persons.learn(id, a)
	if a.name == "" {
		return
	}
	if sealed, err := d.seal(id, a); err == nil { // if not, it is read again after the next start
		d.o.Applicants.Keep(id, sealed)
	}
}
