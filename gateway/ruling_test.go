package gateway_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/parked"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// older is a mapper of an older version: it does not know some kinds or messages yet, or breaks down over them.
type older struct {
	mapping.Mapper
	reads, writes handover.Name
	breaks        bool
}

func (o older) ToHandover(r native.Record) (mapping.Draft, error) {
	d, err := o.Mapper.ToHandover(r)
	if err == nil && d.Payload.Name() == o.reads {
		return mapping.Draft{}, o.fail()
	}
	return d, err
}

func (o older) FromHandover(m handover.Message, at mapping.Placement) (native.Entry, error) {
	if m.Name == o.writes {
		return native.Entry{}, o.fail()
	}
	return o.Mapper.FromHandover(m, at)
}

func (o older) fail() error {
	if o.breaks {
		panic("Hans Muster 7569217076985")
	}
	return fault.New(fault.Park, "older", "unknown-kind", "the table has no message for this kind of record")
}

// with replaces one mapper.
func with(system string, o older) func(*gateway.Options) {
	return func(g *gateway.Options) {
		o.Mapper = g.Mappers[system]
		g.Mappers[system] = o
	}
}

// A message that an older version cannot read waits at the gate with everything after it; the next version goes on with all of it in order.
func TestI3ARetryAfterAnUpdateGoesOnInOrder(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway(with("klib", older{reads: "application-withdrawn"}))
	a := s.affair(1)
	markers := []string{a.enters(world.KLIB, "sd-kriens", "application-submitted")}
	a.appears(markers[0], everywhere()...)
	markers = append(markers, a.enters(world.AVAM, "rav-luzern", "clarification-requested"))
	a.appears(markers[1], everywhere()...)
	markers = append(markers, a.enters(world.KLIB, "sd-kriens", "application-withdrawn"))
	g.waits(1)
	late := a.enters(world.AVAM, "rav-luzern", "clarification-requested") // the office has not seen the withdrawal
	items := g.waits(2)
	require.Equal(t, []ledger.Status{ledger.StatusParked, ledger.StatusHeld}, []ledger.Status{items[0].Status, items[1].Status})
	g.rule(items[0].ID, "RETRY") // too early: the same version cannot read it now either
	require.Eventually(t, func() bool {
		again := g.parked()
		return len(again) == 2 && again[0].ID != items[0].ID && again[1].ID != items[0].ID
	}, patience, tick)
	g.stop()

	g = s.gateway()
	again := g.waits(2)
	i := slices.IndexFunc(again, func(it parked.Item) bool { return it.Status == ledger.StatusParked })
	require.GreaterOrEqual(t, i, 0)
	g.rule(again[i].ID, "RETRY")
	for _, id := range everywhere() {
		a.appears(markers[2], id)
	}
	// What the office said in between is no longer provided for: a person is asked, and nothing is written behind the withdrawal.
	var last parked.Item
	require.Eventually(t, func() bool { last = g.waits(1)[0]; return last.Status == ledger.StatusParked }, patience, tick, "it is held until it is judged")
	require.Equal(t, "not-in-this-state", last.Reason.Code)
	g.rule(last.ID, "WITHDRAW")
	g.waits(0)
	g.clean()
	require.Equal(t, markers, a.stands(world.KLIB))
	require.Equal(t, markers, a.stands(world.CASEnet))
	require.Equal(t, []string{markers[0], markers[1], late, markers[2]}, a.stands(world.AVAM))
}

// A destination that cannot take a message holds back its own lane only; after the ruling it gets everything in order, once.
func TestI3ARulingAtOneDestinationGoesOnInOrder(t *testing.T) {
	t.Parallel()
	for _, breaks := range []bool{false, true} {
		s := newStage(t, core.Faults{})
		g := s.gateway(with("avam", older{writes: "application-submitted", breaks: breaks}))
		a := s.affair(1)
		markers := []string{a.enters(world.KLIB, "sd-kriens", "application-submitted")}
		a.appears(markers[0], world.CASEnet)
		first := g.waits(1)[0]
		require.Equal(t, "avam/rav-luzern", first.Destination)
		require.Equal(t, map[bool]string{false: "unknown-kind", true: "panic"}[breaks], first.Reason.Code)
		markers = append(markers, a.enters(world.CASEnet, "rav-luzern", "clarification-requested"))
		a.appears(markers[1], world.KLIB)
		markers = append(markers, a.enters(world.KLIB, "sd-kriens", "clarification-answered"))
		a.appears(markers[2], world.CASEnet)
		g.waits(3)
		g.stop()
		g = s.gateway()
		g.waits(3)
		g.rule(first.ID, "RETRY")
		a.inOrder(markers...)
		g.waits(0)
		g.clean()
		require.NotContains(t, s.log.String(), "Muster")
	}
}

// One mapping that breaks down while it reads must not take the process with it.
func TestI7AMappingThatBreaksDownParksItsRecordAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway(with("klib", older{reads: "application-submitted", breaks: true}))
	a, b := s.affair(1), s.affair(2).between("rav-luzern", "sd-kriens")
	marker := a.enters(world.KLIB, "sd-kriens", "application-submitted")
	other := b.enters(world.AVAM, "rav-luzern", "application-submitted")
	b.appears(other, everywhere()...)
	it := g.waits(1)[0]
	require.Equal(t, "panic", it.Reason.Code)
	require.NotContains(t, s.log.String(), "Muster")
	g.stop()
	g = s.gateway()
	g.rule(g.waits(1)[0].ID, "RETRY")
	a.appears(marker, everywhere()...)
	g.waits(0)
	g.clean()
}

// An organisation that nobody had put into the directory: its case waits, and goes on when it is there.
func TestI1AnOrganisationThatIsAddedLaterGetsItsCase(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	whole, err := os.ReadFile("testdata/directory.yaml")
	require.NoError(t, err)
	before, rest, _ := strings.Cut(string(whole), "  - id: sd-kriens\n")
	_, after, _ := strings.Cut(rest, "  - id: ")
	small := filepath.Join(s.dir, "directory.yaml")
	require.NoError(t, os.WriteFile(small, []byte(before+"  - id: "+after), 0o600))
	g := s.gateway(func(o *gateway.Options) { o.Config.Directory = small })
	a := s.affair(1).between("sd-kriens", "rav-luzern")
	marker := a.enters(world.KLIB, "sd-kriens", "application-submitted")
	require.Equal(t, "unknown-organisation", g.waits(1)[0].Reason.Code)
	g.stop()
	g = s.gateway()
	g.rule(g.waits(1)[0].ID, "RETRY")
	a.inOrder(marker)
	g.waits(0)
	g.clean()
}

// A ruling counts once, says who and why, and is refused where it makes no sense.
func TestARulingThatCannotBeIsRefusedWithAReason(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway()
	a := s.affair(1)
	a.slips(world.KLIB, "sd-kriens", "application-submitted", a.replace(`"ZG-H"`, `"ZG-Z"`))
	it := g.waits(1)[0]
	for _, c := range []struct {
		id, body string
		status   int
		code     string
	}{
		{it.ID, `{"verdict":"WITHDRAW"}`, http.StatusUnprocessableEntity, "incomplete-ruling"},
		{it.ID, `{"verdict":"PERHAPS","person":"x","why":"y"}`, http.StatusUnprocessableEntity, "incomplete-ruling"},
		{it.ID, `{"verdict":"FOUND","person":"x","why":"y","record":"E-1"}`, http.StatusUnprocessableEntity, "impossible-ruling"},
		{it.ID, `{"verdict":"WITHDRAW","person":"x","why":"y","whim":true}`, http.StatusBadRequest, "malformed-json"},
		{it.ID, `{"verdict":`, http.StatusBadRequest, "malformed-json"},
		{"9-999", `{"verdict":"WITHDRAW","person":"x","why":"y"}`, http.StatusNotFound, "no-such-item"},
		{it.ID, `{"verdict":"WITHDRAW","person":"x","why":"y"}`, http.StatusNoContent, ""},
		{it.ID, `{"verdict":"WITHDRAW","person":"x","why":"y"}`, http.StatusNotFound, "no-such-item"},
	} {
		status, said := g.admin(http.MethodPost, "/parked/"+c.id+"/rulings", []byte(c.body))
		require.Equal(t, c.status, status, c.body+said)
		if c.code != "" {
			require.Contains(t, said, `"code":"`+c.code+`"`, c.body)
		}
	}
	g.waits(0)
}
