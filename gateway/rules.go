package gateway

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/config"
	"github.com/einmal-hub/einmal/gateway/directory"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/mapping/profile"
)

// rules are the jurisdiction profile and the directory together: what delivery asks before anything leaves. They never change while the gateway runs.
type rules struct {
	profile   *profile.Profile
	directory *directory.Directory
}

// loadRules reads the profile and the directory that a configuration names. It fails (kind Stop) with every finding of both, each with file and line.
func loadRules(c config.Config) (*rules, error) {
	r := &rules{}
	var findings fault.Findings
	var err error
	known := directory.Known{On: handover.Date(now().Format(time.DateOnly))}
	for id := range c.Systems {
		known.Systems = append(known.Systems, id)
	}
	r.profile, err = loadProfile(c.Profile)
	findings = append(findings, findingsOf(err, "profile")...)
	if r.profile != nil {
		known.Agencies, known.Capabilities, known.Groups = codesOf(r.profile)
	}
	r.directory, err = directory.Load(c.Directory, known)
	findings = append(findings, findingsOf(err, "directory")...)
	if r.directory != nil {
		if _, taken := r.directory.Organisation(handover.Gateway); taken {
			findings.Add("directory", "reserved-id", "an organisation has the id under which the gateway itself speaks: "+string(handover.Gateway), "give it another one")
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.Receipts.Senders)) {
		if r.directory == nil {
			break
		}
		if _, known := r.directory.Organisation(id); !known {
			findings.Add("receipts.senders."+string(id), "unknown-organisation", "no organisation of the directory has this id", "correct it, or add the organisation to the directory")
		}
	}
	if len(findings) > 0 {
		return nil, fault.Wrap(fault.Stop, "gateway.rules", findings)
	}
	return r, nil
}

// CheckRules returns what is wrong with the profile and the directory that a configuration names, as far as it names them: for a configuration that has errors of its own.
func CheckRules(c config.Config) fault.Findings {
	if _, err := os.Stat(c.Directory); c.Profile == "" || err != nil {
		return fault.Findings{} // the configuration has said so
	}
	_, err := loadRules(c)
	return findingsOf(err, "")
}

// loadProfile reads a profile that is part of the program, by its name, or one in a folder, by its path.
func loadProfile(name string) (*profile.Profile, error) {
	if filepath.IsAbs(name) || strings.ContainsRune(name, filepath.Separator) {
		return profile.Parse(os.DirFS(name))
	}
	return profile.Load(name)
}

// findingsOf returns the findings of an error, or the error as one.
func findingsOf(err error, path string) fault.Findings {
	var found fault.Findings
	if err == nil || errors.As(err, &found) {
		return found
	}
	f := fault.Finding{Path: path, Code: fault.CodeOf(err), Text: err.Error()}
	var e *fault.Error
	if errors.As(err, &e) {
		f.Text, f.Next = e.Text, e.Next
	}
	return fault.Findings{f}
}

// codesOf returns what every version of a profile knows, together.
func codesOf(p *profile.Profile) (agencies, capabilities, groups []handover.Code) {
	for _, v := range p.Versions() {
		for list, into := range map[string]*[]handover.Code{"agency": &agencies, "capability": &capabilities, "targetGroup": &groups} {
			for _, e := range v.Codes(list) {
				*into = append(*into, e.Code)
			}
		}
	}
	return agencies, capabilities, groups
}

// What stands in the place of a rule's id when something else than a rule of the profile is against an application.
const (
	notServed = "DIRECTORY-NOT-SERVED"
	notListed = "DIRECTORY-NOT-LISTED"
	oneself   = "DIRECTORY-ONESELF"
	sameCase  = "SAME-CASE"
	cleared   = "CLEARED"
)

// against makes a finding that is no rule's.
func against(rule, source, text, hint string) *ledger.Finding {
	return &ledger.Finding{Rule: rule, Severity: handover.SeverityRefuse, Reason: "OTHER", Source: source, Text: text, Hint: hint}
}

// Open implements [delivery.Rules].
func (r *rules) Open(m handover.Message) (handover.Parties, ledger.Opening, error) {
	form, _ := m.Payload.(handover.ApplicationSubmitted)
	v, err := r.profile.On(form.AppliedOn)
	if err != nil {
		return m.Parties, ledger.Opening{}, err
	}
	if err := v.Check(form); err != nil {
		return m.Parties, ledger.Opening{}, err
	}
	assigning, known := r.directory.Organisation(form.Assigning)
	if !known {
		return m.Parties, ledger.Opening{}, fault.New(fault.Park, "directory", "unknown-organisation", "the organisation that applies is not in the directory").
			Hint("add it to the directory, or correct the entry in the native system")
	}
	o := ledger.Opening{Profile: v.ID}
	receiving, against := r.receiver(v, form)
	parties := handover.Parties{Assigning: form.Assigning, Receiving: receiving.ID}
	r.settle(&o, v, form, assigning, receiving)
	if against != nil {
		o.Check = &ledger.Check{Outcome: handover.Returned, Findings: []ledger.Finding{*against}}
		return parties, o, nil
	}
	o.Check = check(v, profile.Application{
		Assigning: party(assigning), Receiving: party(receiving), Form: form,
		Responsible: r.directory.Responsible(receiving.ID, form.Person.Address.Municipality, form.AppliedOn),
	})
	return parties, o, nil
}

// receiver finds the organisation that receives: the one that is named, or the one that is responsible for the person's residence. What keeps the
// application from having one is the answer to the sender, with whom to ask.
func (r *rules) receiver(v profile.Version, form handover.ApplicationSubmitted) (directory.Organisation, *ledger.Finding) {
	agency, _ := v.ProcessReceiver(form.Process) // an unknown process was found before
	ask := v.Phrase(profile.PhraseAsk) + " " + r.directory.Ask(agency)
	o, known := r.directory.Organisation(form.Receiving)
	switch {
	case form.Receiving == "":
		found, err := r.directory.Receiver(agency, form.Person.Address.Municipality, form.AppliedOn)
		if err != nil {
			return found, against(notServed, "directory", v.Phrase(profile.PhraseNotServed), ask)
		}
		o = found
	case !known:
		return o, against(notListed, "directory", v.Phrase(profile.PhraseNotListed), v.Phrase(profile.PhraseLeaveOut)+" "+ask)
	}
	if o.ID == form.Assigning {
		return directory.Organisation{}, against(oneself, "directory", v.Phrase(profile.PhraseOneself), v.Phrase(profile.PhraseOneselfHint))
	}
	return o, nil
}

// Same implements [delivery.Rules].
func (r *rules) Same(version string, system handover.SystemID, number native.CaseKey) ledger.Finding {
	v, _ := r.version(version)
	return *against(sameCase, "I8", v.Phrase(profile.PhraseSameCase), v.Phrase(profile.PhraseSameCaseHint)+" "+string(number)+", "+string(system))
}

// Cleared implements [delivery.Rules].
func (r *rules) Cleared(version string) ledger.Finding {
	v, _ := r.version(version)
	return ledger.Finding{Rule: cleared, Severity: handover.SeverityWarn, Source: version, Text: v.Phrase(profile.PhraseCleared)}
}

// Repeated implements [delivery.Rules]. The words of the latest version do for a case whose own is not known.
func (r *rules) Repeated(version string) string {
	v, known := r.version(version)
	if all := r.profile.Versions(); !known && len(all) > 0 {
		v = all[len(all)-1]
	}
	return v.Phrase(profile.PhraseRepeated)
}

// settle writes down what holds for the whole case.
func (r *rules) settle(o *ledger.Opening, v profile.Version, form handover.ApplicationSubmitted, parties ...directory.Organisation) {
	o.Works = map[handover.OrganisationID]handover.SystemID{}
	for _, p := range parties {
		if system, known := r.directory.System(p.ID, form.TargetGroup); known {
			o.Works[p.ID] = system
		}
	}
	if p, ok := v.Procedure(parties[0].Agency, form.Process); ok {
		o.During, o.After = p.Meanwhile, p.Afterwards
	}
}

func party(o directory.Organisation) profile.Party {
	return profile.Party{Organisation: o.ID, Agency: o.Agency, Offers: o.Offers, Full: o.Full}
}

// check judges an application; nil: every rule holds.
func check(v profile.Version, a profile.Application) *ledger.Check {
	answer, something := v.Checked(a, v.Judge(a), "")
	if !something {
		return nil
	}
	c := &ledger.Check{Outcome: answer.Outcome}
	for _, f := range answer.Findings {
		c.Findings = append(c.Findings, ledger.Finding{
			Rule: f.Rule, Severity: f.Severity, Reason: f.Reason, Source: f.Source, Text: f.Text.Reveal(), Hint: f.Hint.Reveal(),
		})
	}
	return c
}

// Check implements [delivery.Rules].
func (r *rules) Check(m handover.Message, version string) (*ledger.Expected, error) {
	v, known := r.version(version)
	if !known {
		return nil, fault.New(fault.Park, "profile", "unknown-version", "the case was opened under a version of the rules that this gateway does not have: "+version).
			Hint("give the gateway the profile that has it, and let the message go on")
	}
	if err := v.CheckMessage(m.Payload); err != nil {
		return nil, err
	}
	e, waits := v.Expects(m.Payload, handover.Date(m.Time.UTC().Format(time.DateOnly)))
	if !waits {
		return nil, nil //nolint:nilnil // nobody waits for anything
	}
	return &ledger.Expected{Deadline: e.Deadline.Code, By: e.By}, nil
}

// version returns a version by its id.
func (r *rules) version(id string) (profile.Version, bool) {
	_, name, _ := strings.Cut(id, "/")
	return r.profile.Version(name)
}
