package gateway_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// idle makes a gateway that is not started.
func (s *stage) idle() *gateway.Gateway {
	s.t.Helper()
	g, err := gateway.New(s.options())
	require.NoError(s.t, err)
	return g
}

// refused demands that a gateway does not start, and returns why.
func (s *stage) refused(code string) error {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	err := s.idle().Run(ctx)
	require.Error(s.t, err)
	require.Equal(s.t, fault.Stop, fault.KindOf(err), "%v", err)
	require.Equal(s.t, code, fault.CodeOf(err), "%v", err)
	return err
}

// copyFolder copies what lies in a folder to another place, which must not exist.
func copyFolder(t testing.TB, from, to string) {
	t.Helper()
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
}

// Fault 33: in the middle of the work the brokers are restored from an older backup. No gateway starts on that; when a person accepts the loss, what was recorded in between is
// found and nothing is recorded twice, and nothing waits for a person in modes A and B.
func TestI2TheLedgerIsRestoredFromAnOlderBackup(t *testing.T) {
	t.Parallel()
	s := newStage(t, world.BadDay(31))
	e := s.engines()
	kafka := filepath.Join(s.dir, "own-engines", "kafka")
	p := plan(t, 31, 12)
	g := s.gateway()
	play := s.begin(p, 25)
	for at := 0; play.next(); at++ {
		if at > 1 {
			continue
		}
		g.stop()
		require.NoError(t, e.Close())
		if at == 0 {
			copyFolder(t, kafka, kafka+".backup")
		} else {
			require.NoError(t, os.RemoveAll(kafka))
			require.NoError(t, os.Rename(kafka+".backup", kafka))
		}
		e = s.enginesAgain()
		if at == 1 {
			s.acceptsTheLoss()
		}
		g = s.gateway()
	}
	require.NoDirExists(t, kafka+".backup", "the plan was too short: nothing was restored")
	g.clean()
	require.Equal(t, 1, g.Status().(gateway.Status).Era)
	s.once(p)
}

// acceptsTheLoss is what an operator does: she is refused a start, looks, and accepts.
func (s *stage) acceptsTheLoss() {
	t := s.t
	t.Helper()
	err := s.refused("ledger-set-back")
	require.ErrorContains(t, err, "are lost")
	require.ErrorContains(t, err, "einmal ledger accept")
	before, err := s.idle().InspectLedger(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, before.Findings())
	require.Error(t, s.refused("ledger-set-back"), "whoever only looks accepts nothing")
	_, err = s.idle().AcceptLedger(t.Context(), "op", " ")
	require.Equal(t, "incomplete-acceptance", fault.CodeOf(err))
	_, err = s.idle().AcceptLedger(t.Context(), "op", "the disk broke, Tuesday's backup")
	require.NoError(t, err)
	after, err := s.idle().InspectLedger(t.Context())
	require.NoError(t, err)
	require.Empty(t, after.Findings())
	require.Equal(t, before.Era+1, after.Era)
	_, err = s.idle().AcceptLedger(t.Context(), "op", "once more")
	require.Equal(t, "nothing-to-accept", fault.CodeOf(err))
}

// The ledger is gone altogether, and so is what the host remembered; Redis is the witness. A running gateway cannot be accepted away.
func TestI2AnEmptyLedgerIsNoticedByRedisAlone(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	s.shared()
	g := s.gateway()
	a := s.affair(1)
	first := a.enters(world.KLIB, "sd-kriens", "application-submitted")
	a.appears(first, everywhere()...)
	g.settled()
	g.stop()
	marks, err := filepath.Glob(filepath.Join(s.dir, "engines", "ledger-mark-*.json"))
	require.NoError(t, err)
	require.Len(t, marks, 1)
	require.NoError(t, os.Remove(marks[0]))
	s.gateway().stop() // Redis and the ledger agree

	require.NoError(t, os.Remove(marks[0]))
	admin, err := sarama.NewClusterAdmin([]string{s.kafka}, sarama.NewConfig())
	require.NoError(t, err)
	require.NoError(t, admin.DeleteTopic(s.prefix+".ledger"))
	require.NoError(t, admin.Close())
	require.ErrorContains(t, s.refused("ledger-set-back"), "Redis remembers")

	_, err = s.idle().AcceptLedger(t.Context(), "op", "somebody has deleted the topic")
	require.NoError(t, err)
	g = s.gateway()
	markers := []string{first, a.enters(world.AVAM, "rav-luzern", "clarification-requested")}
	a.inOrder(markers...)
	g.settled()
	g.waits(0)
	_, err = s.idle().AcceptLedger(t.Context(), "op", "why not")
	require.Equal(t, "nothing-to-accept", fault.CodeOf(err))
}

// Whoever cannot write down how far the ledger has come does not start: nobody would notice a loss.
func TestAFolderThatCannotBeWrittenIntoStopsTheStart(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	s.shared()
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "engines"), nil, 0o600))
	require.ErrorContains(t, s.refused("mark-unusable"), "data of the configuration")
}
