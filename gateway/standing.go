package gateway

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/witness"
)

// Standing is the ledger as it is found, and what is remembered of it outside Kafka.
type Standing struct {
	Cluster      string      `json:"cluster"`
	Installation string      `json:"installation"` // empty: the ledger is empty
	Era          int         `json:"era"`          // how many losses were accepted
	Records      int64       `json:"records"`      // that the ledger has had, compacted ones included
	Witnesses    []Testimony `json:"witnesses"`
}

// Testimony is what one witness remembers.
type Testimony struct {
	Witness  string         `json:"witness"`
	Mark     witness.Mark   `json:"mark"`
	Findings fault.Findings `json:"findings,omitzero"` // in what the ledger is less
}

// Findings are those of all witnesses.
func (s Standing) Findings() (all fault.Findings) {
	for _, t := range s.Witnesses {
		all = append(all, t.Findings...)
	}
	return all
}

// standing compares the ledger, which has been read, with what is remembered of it. Nothing has been written into it. What is remembered is read first: other gateways may be writing, and what they
// remember meanwhile lies behind an end that was asked for before.
func (m *memory) standing(ctx context.Context) (Standing, error) {
	s := Standing{Cluster: m.cluster, Installation: m.g.view.Installation(), Era: m.g.view.Era()}
	mark, there, err := m.file.Load()
	if err != nil {
		return s, err
	}
	if there {
		m.redis.beat = mark.Beat
		s.Witnesses = append(s.Witnesses, Testimony{Witness: m.file.String(), Mark: mark})
	}
	for _, k := range m.inRedis(ctx, s.Installation) {
		s.Witnesses = append(s.Witnesses, Testimony{Witness: "Redis", Mark: k})
	}
	ends, err := m.ends(ctx, m.g.bus.Topics().Ledger)
	if err = errors.Join(err, m.ask(ctx)); err != nil {
		return s, err
	}
	for _, n := range ends {
		s.Records += n
	}
	found := witness.Found{
		Mark:    witness.Mark{Cluster: s.Cluster, Installation: s.Installation, Era: s.Era, Ledger: ends, Handover: m.handover, Parked: m.parked},
		Instead: m.g.view.Instead, RecordAt: m.recordAt(ctx),
	}
	for i, t := range s.Witnesses {
		if s.Witnesses[i].Findings, err = witness.Compare(t.Witness, t.Mark, found); err != nil {
			return s, err
		}
	}
	return s, nil
}

// inRedis returns the marks that Redis keeps; none when it is away: it is the second witness only.
func (m *memory) inRedis(ctx context.Context, installation string) (all []witness.Mark) {
	for _, name := range m.names(installation) {
		k, err := m.remembered(ctx, name)
		if err == nil && k != nil && !slices.ContainsFunc(all, k.Same) {
			all = append(all, *k)
		}
	}
	return all
}

// recordAt reads records of the ledger again.
func (m *memory) recordAt(ctx context.Context) func(int32, int64) (string, bool, error) {
	return func(partition int32, offset int64) (string, bool, error) {
		r, err := m.g.bus.ReadAt(ctx, m.g.bus.Topics().Ledger, partition, offset)
		if fault.KindOf(err) == fault.Park {
			return "", false, nil // compacted away
		}
		return witness.Digest(r.Value), err == nil, err
	}
}

// recognise stops a gateway on a ledger that has lost something, before it has written anything.
func (m *memory) recognise(ctx context.Context) error {
	s, err := m.standing(ctx)
	if err != nil {
		return err
	}
	if found := s.Findings(); len(found) > 0 {
		return setBack(found)
	}
	if len(s.Witnesses) == 0 && s.Installation != "" {
		m.g.o.Log.WarnContext(ctx, "nothing is remembered of this ledger here, so that it is whole is taken for granted this once", slog.String("file", m.file.Path))
	}
	return nil
}

func setBack(found fault.Findings) error {
	return fault.New(fault.Stop, "gateway.ledger", "ledger-set-back", "the ledger is not the one that is remembered, or part of it is lost").
		Because(errors.New(found.Error())). // not as findings: nothing in the configuration is wrong
		Hint(`bring the right brokers or the newest backup back if there is one; 'einmal ledger' shows what is missing. What is lost for good is accepted with 'einmal ledger accept': then what may have been recorded before is looked up first, see deploy/README.md, "The ledger was set back"`)
}

// InspectLedger reads the ledger and compares it with what is remembered of it outside Kafka. It writes nothing, except that missing topics are made. Call it on a gateway that does not run.
func (g *Gateway) InspectLedger(ctx context.Context) (s Standing, err error) {
	err = g.onLedger(ctx, func(m *memory) error {
		s, err = m.standing(ctx)
		return err
	})
	return s, err
}

// AcceptLedger writes down, in the ledger, that a person knows what it has lost; from then on what may have been recorded before is looked up first (see [ledger.Acceptance]). It fails with kind
// Stop and the code group-in-use while a gateway runs, with Refuse and nothing-to-accept when nothing is missing. What it has done by half is done by the next call. Call it on a gateway
// that does not run.
func (g *Gateway) AcceptLedger(ctx context.Context, person, why string) (s Standing, err error) {
	err = g.onLedger(ctx, func(m *memory) error {
		if s, err = m.standing(ctx); err != nil {
			return err
		}
		if len(s.Findings()) == 0 {
			return fault.New(fault.Refuse, "gateway.accept-ledger", "nothing-to-accept", "by all that is remembered the ledger is whole")
		}
		return m.accept(ctx, s, person, why)
	})
	return s, err
}

func (m *memory) accept(ctx context.Context, s Standing, person, why string) error {
	if strings.TrimSpace(person) == "" || strings.TrimSpace(why) == "" {
		return fault.New(fault.Refuse, "gateway.accept-ledger", "incomplete-acceptance", "person or reason is missing").Hint("say who accepts it and why")
	}
	era, acceptance := s.Era+1, ledger.Acceptance{Person: person, Why: why}
	for _, t := range s.Witnesses {
		era = max(era, t.Mark.Era+1)
		if other := t.Mark.Installation; other != s.Installation && !slices.Contains(acceptance.Instead, other) {
			acceptance.Instead = append(acceptance.Instead, other)
		}
	}
	// The group may have committed what the bus has lost; it starts at the beginning and finds in the ledger what is done.
	if err := m.g.bus.Forget(ctx, m.g.o.Config.Kafka.Prefix+".delivery"); err != nil {
		return err
	}
	if err := m.g.ledger.Belong(ctx, m.g.keys.DeriveID("keyring")); err != nil {
		return err
	}
	if err := m.g.ledger.Accept(ctx, era, acceptance); err != nil {
		return err
	}
	if _, err := m.g.ledger.Install(ctx); err != nil {
		return err
	}
	k := m.mark()
	if err := m.file.Save(k, true); err != nil {
		return err
	}
	return m.testify(ctx, k, true)
}

// onLedger starts what is needed to read the ledger, and stops it again.
func (g *Gateway) onLedger(ctx context.Context, f func(*memory) error) error {
	s := newStack(g.o.Log)
	err := g.startStages(ctx, s, g.holdShelf, g.startTelemetry, g.startKeys, g.startEngines, g.startBus, g.startClaims, g.readLedger)
	if err == nil {
		err = f(g.memory)
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.o.Config.Grace)
	defer cancel()
	return errors.Join(err, s.stop(grace))
}
