package gateway_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	adaptersall "github.com/einmal-hub/einmal/adapters/all"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway"
	"github.com/einmal-hub/einmal/gateway/config"
	mappingall "github.com/einmal-hub/einmal/mapping/all"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// lippe makes a gateway that of another jurisdiction: the profile, the directory and the code lists of the sample. The program stays the same.
func lippe(o *gateway.Options) {
	const sample = "../deploy/examples/lippe"
	o.Config.Profile, o.Config.Directory = "lippe", filepath.Join(sample, "directory.yaml")
	delete(o.Config.Systems, world.CASEnet)
	for _, id := range []handover.SystemID{world.AVAM, world.KLIB} {
		o.Config.Systems[id].Codes = filepath.Join(sample, "codes-"+string(id)+".yaml")
	}
}

// lippeAffair invents a participant of IQiB. The mocks' forms know the words of Lucerne only; they are filled in with those that the sample gives to Lippe's codes.
func (s *stage) lippeAffair(number, failedMeasures int) *affair {
	a := s.affair(number)
	a.facts.Assigning, a.facts.Receiving = "jobcenter-lippe", "netzwerk-lippe"
	a.facts.Process, a.facts.TargetGroup, a.facts.ConsentKind = "OPTIMA_ALV", "A", "CONSENT"
	a.facts.Documents = nil
	a.facts.AppliedOn, a.facts.ConsentGivenOn, a.facts.PlannedMonths = "2018-05-02", "2018-05-02", 24
	a.facts.Person.Municipality, a.facts.Person.AHV, a.facts.Person.Language = 20, "", "DE"
	a.facts.Declarations = []core.Declaration{
		{Item: "WORK_PERMIT", Answer: "RESIDENCE"},               // severe learning disability
		{Item: "WORK_CAPACITY_PERCENT", Number: &failedMeasures}, // measures without success
		{Item: "WANTS_AND_CAN_WORK", Answer: "CONFIRMED"},        // wishes considered
	}
	return a
}

// Another jurisdiction, with agencies, rules and codes of its own, plays a handover from the application to the closure: it is data, and the code is the same.
func TestTheCodeIsNeutral_LippeHandsACaseOver(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway(lippe)
	a := s.lippeAffair(1, 2)
	a.facts.Decision, a.facts.ClosureReason, a.facts.Outcome = "ACCEPTED", "GOAL_REACHED", "SUCCESSFUL"
	for i := range a.facts.Participants {
		a.facts.Participants[i].Agreed = true
	}
	var markers []string
	for _, step := range []struct {
		in   handover.SystemID
		by   handover.OrganisationID
		says handover.Name
	}{
		{world.AVAM, "jobcenter-lippe", "application-submitted"},
		{world.KLIB, "netzwerk-lippe", "application-decided"},
		{world.AVAM, "jobcenter-lippe", "transfer-meeting-scheduled"},
		{world.KLIB, "netzwerk-lippe", "transfer-meeting-recorded"},
		{world.KLIB, "netzwerk-lippe", "review-meeting-recorded"},
		{world.KLIB, "netzwerk-lippe", "case-closed"},
	} {
		marker := a.enters(step.in, step.by, step.says)
		a.appears(marker, world.AVAM, world.KLIB)
		markers = append(markers, marker)
	}
	for _, id := range []handover.SystemID{world.AVAM, world.KLIB} {
		require.Equal(t, markers, a.stands(id), id)
	}
	written := a.written(world.KLIB)
	require.Contains(t, written[0], `"verfahren":"arbeitsvermittlung"`)
	require.Contains(t, written[0], `"frage":"arbeitsfaehigkeit-prozent","zahl":2`)
	jobcenter := a.written(world.AVAM)
	require.Contains(t, jobcenter[1], "<ownProceedings>2</ownProceedings>", "reduced while the provider leads")
	require.Contains(t, jobcenter[3], "<ownProceedings>1</ownProceedings>", "without limitation afterwards")
	g.clean()
}

// written returns what einmal wrote into the affair's case in a system.
func (a *affair) written(id handover.SystemID) []string {
	entries, _ := a.s.world.Store(id).Case(a.cases[id])
	var bodies []string
	for _, e := range entries {
		if e.By == core.ByInterface {
			bodies = append(bodies, string(e.Body))
		}
	}
	return bodies
}

// Lippe's own rules hold an application back before anything leaves, and say which one.
func TestTheCodeIsNeutral_LippesRulesAnswerAnApplication(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway(lippe)
	a := s.lippeAffair(1, 1)
	marker := a.enters(world.AVAM, "jobcenter-lippe", "application-submitted")
	require.Eventually(t, func() bool { return len(a.written(world.AVAM)) == 1 }, patience, tick)
	require.Contains(t, a.written(world.AVAM)[0], "LI2")
	require.Contains(t, a.written(world.AVAM)[0], "Mindestens zwei Eingliederungsmassnahmen ohne Erfolg.")
	require.Contains(t, a.written(world.AVAM)[0], "lippe/second-2017")
	g.clean()
	require.Empty(t, s.world.Store(world.KLIB).Containing(marker), "nothing has left")
}

// The sample configuration of another jurisdiction is in order as it stands.
func TestTheCodeIsNeutral_TheSampleOfLippeIsInOrder(t *testing.T) {
	c, err := config.Load("../deploy/examples/lippe/einmal.yaml", adaptersall.Factories())
	require.NoError(t, err)
	mappers, err := mappingall.Mappers()
	require.NoError(t, err)
	_, err = gateway.New(gateway.Options{Config: c, Factories: adaptersall.Factories(), Mappers: mappers})
	require.NoError(t, err)
}

// A code list that does not fit is found before anything runs, with its file and line.
func TestCodes_AWrongFileStopsTheGatewayWithItsPlace(t *testing.T) {
	s := newStage(t, core.Faults{})
	file := filepath.Join(t.TempDir(), "codes.yaml")
	require.NoError(t, os.WriteFile(file, []byte("codes:\n  verfahren: {IQIB: a}\n  nowhere: {A: a}\n"), 0o600))
	o := s.options()
	o.Config.Systems[world.KLIB].Codes = file
	_, err := gateway.New(o)
	require.Equal(t, fault.Stop, fault.KindOf(err))
	require.ErrorContains(t, err, file+":3: codes.nowhere")
}

// A system that has no words for the codes of its jurisdiction would park every message; the gateway does not start with it, and names each code.
func TestCodes_ASystemWithoutWordsForTheProfileStopsTheGateway(t *testing.T) {
	s := newStage(t, core.Faults{})
	o := s.options()
	lippe(&o)
	o.Config.Systems[world.KLIB].Codes = ""
	_, err := gateway.New(o)
	require.Equal(t, fault.Stop, fault.KindOf(err))
	require.ErrorContains(t, err, "systems.klib.codes: the system has no word for IQIB, ACCOMPANIMENT of the profile's list process (application-submitted process)")
	require.ErrorContains(t, err, "IMPAIRMENT, FAILED_MEASURES, EMPLOYED_SINCE, WISHES_CONSIDERED")
	require.NotContains(t, err.Error(), "systems.avam")
}
