package gateway

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"slices"
	"time"

	"github.com/einmal-hub/einmal/adapters/measure"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/config"
	"github.com/einmal-hub/einmal/gateway/directory"
	"github.com/einmal-hub/einmal/gateway/specimen"
	"github.com/einmal-hub/einmal/mapping/profile"
)

// Verification says which system is to be measured, and how.
type Verification struct {
	System       handover.SystemID
	Organisation handover.OrganisationID        // whose dossier is written into; empty: the first of the directory that works in the system
	Form         *handover.ApplicationSubmitted // an application to use; nil: an invented one
	Productive   bool                           // it is known that the system is no test instance, and wanted
	By           string                         // who measures
	Program      string                         // version of einmal
	Options      measure.Options
}

// Measurement is a verification that is ready to run.
type Measurement struct {
	v       Verification
	on      connection
	forms   *specimen.Forms
	Intents Intents
}

// Intents say what a measurement will write, and where, before it does.
type Intents struct {
	System       handover.SystemID       `json:"system"`
	Type         string                  `json:"type"`
	Settings     []string                `json:"settings"` // of the adapter, without secrets: among them where the system is
	Test         bool                    `json:"test"`     // it is configured as a test instance
	Marked       bool                    `json:"marked"`   // every entry says in the system's own way that it is a test
	Organisation handover.OrganisationID `json:"organisation"`
	Entries      int                     `json:"entries"`
	Cases        int                     `json:"cases"`
	Least        measure.Span            `json:"least"` // the waiting alone takes at least so long
}

// PrepareVerification makes everything ready and connects nothing yet. Errors are of kind Stop: what is wrong with the configuration, as findings; "productive" when the system is no test instance
// and that is not wanted.
func PrepareVerification(o Options, v Verification) (*Measurement, error) {
	s := o.Config.Systems[v.System]
	if s == nil {
		return nil, fault.New(fault.Stop, "gateway.verify", "unknown-system", "no system of this name is configured").Hint("name one of the configuration")
	}
	one := *s
	one.Verified = "" // the record is what is to be written
	alone := o.Config
	alone.Systems = map[handover.SystemID]*config.System{v.System: &one}
	connected, err := connect(alone, o.Factories, o.Mappers)
	if err != nil {
		return nil, err
	}
	rules, err := loadRules(o.Config)
	if err != nil {
		return nil, err
	}
	m := &Measurement{v: v, on: connected[0]}
	if err := m.prepare(rules); err != nil {
		return nil, err
	}
	if !s.Test && !v.Productive {
		return m, fault.New(fault.Stop, "gateway.verify", "productive", "the system is not configured as a test instance, and measuring writes entries that nobody may take for real ones").
			Hint("configure a test instance with test: true, or agree with the operator on when the entries are deleted and give --yes-write-into-productive")
	}
	return m, nil
}

// prepare invents the forms.
func (m *Measurement) prepare(r *rules) error {
	assigning, receiving, err := m.parties(r.directory)
	if err != nil {
		return err
	}
	o := specimen.Options{
		Mapper: m.on.mapper, Coded: m.on.coded, System: m.v.System, Assigning: assigning.ID, Receiving: receiving.ID, Shared: m.on.system.Abilities.Shared, BFS: served(r.directory, receiving.ID),
		Test: m.on.config.Test, Day: now(), Form: m.v.Form,
	}
	o.Processes, o.Groups = likely(r.profile, receiving.Agency)
	if m.v.Options.Seed == 0 {
		var seed [8]byte
		_, _ = rand.Read(seed[:]) // it never fails
		m.v.Options.Seed = binary.BigEndian.Uint64(seed[:])
	}
	binary.BigEndian.PutUint32(o.Mark[:], uint32(m.v.Options.Seed)) //nolint:gosec // its lower half is enough
	m.v.Options.Unread = !m.on.config.Read
	if m.forms, err = specimen.Find(o); err != nil {
		return err
	}
	plan := m.v.Options.Plan(m.on.system.Abilities)
	m.Intents = Intents{
		System: m.v.System, Type: m.on.config.Type, Settings: measure.Settings(m.on.config.Adapter), Test: m.on.config.Test, Marked: m.forms.Marked(),
		Organisation: receiving.ID, Entries: plan.Entries, Cases: plan.Cases, Least: measure.Span(plan.Least),
	}
	return nil
}

// parties chooses whose dossier is written into, and who seems to apply: somebody of another agency.
func (m *Measurement) parties(d *directory.Directory) (assigning, receiving directory.Organisation, err error) {
	works := func(o directory.Organisation) bool {
		return (m.on.system.Abilities.Shared || slices.Contains(o.Systems(), m.v.System)) && (m.v.Organisation == "" || o.ID == m.v.Organisation)
	}
	all := d.Organisations()
	k := slices.IndexFunc(all, works)
	if k < 0 {
		return assigning, receiving, fault.New(fault.Stop, "gateway.verify", "unknown-organisation", "no organisation of the directory, or not the one that was named, works in this system").
			Hint("name one that the system knows in the directory, with system: " + string(m.v.System))
	}
	receiving = all[k]
	k = slices.IndexFunc(all, func(o directory.Organisation) bool { return o.Agency != receiving.Agency })
	if k < 0 {
		return assigning, receiving, fault.New(fault.Stop, "gateway.verify", "no-other-agency", "the directory holds organisations of one agency only, so that nobody can seem to apply")
	}
	return all[k], receiving, nil
}

// served is the number of a municipality that an organisation serves, or of any that a form can hold.
func served(d *directory.Directory, id handover.OrganisationID) int {
	today := handover.Date(now().UTC().Format(time.DateOnly))
	for bfs := 1; bfs < 10_000; bfs++ {
		if d.Responsible(id, bfs, today) {
			return bfs
		}
	}
	return 1
}

// likely lists the processes that end at an agency, and all target groups.
func likely(p *profile.Profile, agency handover.Code) (processes, groups []handover.Code) {
	for _, v := range slices.Backward(p.Versions()) {
		for _, process := range v.Codes("process") {
			if to, known := v.ProcessReceiver(process.Code); known && to == agency {
				processes = append(processes, process.Code)
			}
		}
		for _, group := range v.Codes("targetGroup") {
			groups = append(groups, group.Code)
		}
	}
	return processes, groups
}

// Run measures and returns the verification record. Beside an error the record says what was written so far.
func (m *Measurement) Run(ctx context.Context) (measure.Record, error) {
	report, err := measure.Run(ctx, m.on.system, m.forms, m.v.Options)
	if m.on.system.Close != nil {
		_ = m.on.system.Close()
	}
	return measure.Record{
		Format: measure.Format, System: m.v.System, Type: m.on.config.Type, Contract: m.on.system.Abilities.Contract, Program: m.v.Program,
		Fingerprint: measure.Fingerprint(m.on.config.Type, m.on.config.Adapter), Test: m.on.config.Test, At: now().UTC().Truncate(time.Second), By: m.v.By, Report: report,
	}, err
}
