package gateway_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/receipts"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// told returns every receipt, as the admin address tells them, a few at a time.
func (g *running) told(query string) (all []receipts.Receipt) {
	g.t.Helper()
	for after, more := "", true; more; {
		status, said := g.admin(http.MethodGet, "/receipts?limit=50"+query+after, nil)
		require.Equal(g.t, http.StatusOK, status, said)
		var p receipts.Page
		require.NoError(g.t, json.Unmarshal([]byte(said), &p))
		all, after, more = append(all, p.Receipts...), "&after="+p.Next, p.More
	}
	return all
}

// outcomes are what receipts say of a message that was entered under a number, by place.
func outcomes(all []receipts.Receipt, record native.RecordID) map[string]ledger.Outcome {
	out := map[string]ledger.Outcome{}
	for _, r := range all {
		if r.Entered.Record == record {
			out[r.At] = r.Outcome
		}
	}
	return out
}

// I1: the receipts and the journals of the native systems say the same: what stands there under which number, and what it was entered as. Whichever gateway is asked, and after every restart.
func TestI1ReceiptsSayWhatTheJournalsSay(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	p := plan(t, 31, 8)
	g := s.gateway()
	s.play(p)
	g.clean()
	all := g.told("")
	g.stop()
	g = s.gateway()
	again := g.told("")
	require.Equal(t, all, again, "another process says the same, in the same order")
	s.end()
	journals, err := s.world.Journals()
	require.NoError(t, err)
	type number struct {
		system handover.SystemID
		record native.RecordID
	}
	written, entered := map[number]bool{}, map[number]bool{}
	for id, entries := range journals {
		for _, e := range entries {
			if n := (number{id, e.ID}); e.By == core.ByInterface {
				written[n] = true
			} else {
				entered[n] = true
			}
		}
	}
	answered := map[number]bool{}
	for _, r := range all {
		system, _, _ := strings.Cut(r.At, "/")
		n := number{handover.SystemID(system), r.Record}
		require.Contains(t, []ledger.Outcome{ledger.OutcomeRecorded, ledger.OutcomeReturned}, r.Outcome)
		require.True(t, written[n], "%s does not stand as %s", r.At, r.Record)
		delete(written, n)
		from := number{r.Entered.System, r.Entered.Record}
		require.True(t, entered[from], "nobody has entered %s", r.Entered.Record)
		answered[from] = true
	}
	require.Empty(t, written, "entries without a receipt")
	require.Equal(t, entered, answered, "messages without a receipt")
}

// The whole way of a message that does not simply go well, as its sender and as the operators are told it.
func TestASenderIsToldThatItsMessageWaitsAndWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	s.password("sd-kriens")
	s.password("rav-luzern")
	g := s.gateway(with("avam", older{writes: "application-submitted"}))
	a := s.affair(1)
	marker := a.enters(world.KLIB, "sd-kriens", "application-submitted")
	a.appears(marker, world.KLIB, world.CASEnet)
	it := g.waits(1)[0]
	record := s.world.Store(world.KLIB).Containing(marker)[0].ID
	require.Equal(t, map[string]ledger.Outcome{"avam/rav-luzern": ledger.OutcomeParked, "casenet": ledger.OutcomeRecorded}, outcomes(g.told("&organisation=sd-kriens"), record))

	first := s.asks(g, "sd-kriens", "")
	require.Len(t, first.Receipts, 2)
	require.Empty(t, s.asks(g, "rav-luzern", "").Receipts, "nobody sees the receipts of others")
	parked := g.told("&outcome=PARKED")
	require.Len(t, parked, 1)
	require.Equal(t, "unknown-kind", parked[0].Reason.Code, "operators see why")
	for _, r := range first.Receipts {
		if r.Outcome == ledger.OutcomeParked {
			require.Equal(t, "not-told", r.Reason.Code, "why another agency's system does not take it is not the sender's business")
			require.Equal(t, "041 000 00 00", r.Ask)
			require.Equal(t, parked[0].Position, r.Position)
		}
	}
	require.Empty(t, s.asks(g, "sd-kriens", "?after="+first.Next).Receipts, "nothing new")

	status, said := g.admin(http.MethodPost, "/parked/"+it.ID+"/rulings", []byte(`{"verdict":"FOUND","person":"m.muster","why":"entered by telephone","record":"AV-77","case":"AV-7"}`))
	require.Equal(t, http.StatusNoContent, status, said)
	news := s.asks(g, "sd-kriens", "?after="+first.Next)
	require.Len(t, news.Receipts, 1, "what has changed, and nothing else")
	r := news.Receipts[0]
	require.Equal(t, ledger.OutcomeRecorded, r.Outcome)
	require.Equal(t, native.RecordID("AV-77"), r.Record)
	require.Equal(t, receipts.By{Person: "m.muster", Verdict: ledger.Found, Why: "entered by telephone", At: r.By.At}, *r.By)
	require.Equal(t, record, r.Entered.Record)

	slip := a.slips(world.KLIB, "sd-kriens", "application-withdrawn", func(w *core.Write) { w.Kind = "gibt-es-nicht" })
	g.rule(g.waits(1)[0].ID, "WITHDRAW")
	last := s.asks(g, "sd-kriens", "?after="+news.Next)
	require.Len(t, last.Receipts, 1)
	require.Equal(t, ledger.OutcomeWithdrawn, last.Receipts[0].Outcome)
	require.Equal(t, "a test", last.Receipts[0].By.Why)
	require.Equal(t, s.world.Store(world.KLIB).Containing(slip)[0].ID, last.Receipts[0].Entered.Record)
	require.Empty(t, g.told("&outcome=PENDING"))
	_, metrics := g.admin(http.MethodGet, "/metrics", nil)
	require.Contains(t, metrics, "einmal_receipts_late 0\n")
	require.Regexp(t, `einmal_receipts_asked\{einmal_sender="sd-kriens"\} 1\.\d+e\+09`, metrics)
	require.NotContains(t, s.log.String(), "a-password-of")
}

// Nobody reads receipts without the password of the organisation that she names; a changed one holds at once, and a file that was emptied lets nobody in.
func TestReceiptsAreForWhoeverSentTheMessages(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	file := s.password("sd-kriens")
	g := s.gateway()
	asks := func(user, password string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+g.addresses.Listen.String()+"/receipts", nil)
		require.NoError(t, err)
		if user != "" {
			r.SetBasicAuth(user, password)
		}
		status, _ := answer(t, r)
		return status
	}
	good := "a-password-of-sd-kriens-that-is-long"
	require.Equal(t, http.StatusOK, asks("sd-kriens", good))
	for _, c := range [][2]string{{"", ""}, {"sd-kriens", ""}, {"sd-kriens", good + "x"}, {"rav-luzern", good}, {"rav-luzern", ""}, {"nobody", good}} {
		require.Equal(t, http.StatusUnauthorized, asks(c[0], c[1]), c)
	}
	require.NoError(t, os.WriteFile(file, []byte("another-password-that-is-long-enough\n"), 0o600))
	require.Equal(t, http.StatusUnauthorized, asks("sd-kriens", good))
	require.Equal(t, http.StatusOK, asks("sd-kriens", "another-password-that-is-long-enough"))
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Equal(t, http.StatusUnauthorized, asks("sd-kriens", ""))
	require.NoError(t, os.Remove(file))
	require.Equal(t, http.StatusUnauthorized, asks("sd-kriens", ""))
}

// password lets an organisation read its receipts.
func (s *stage) password(id handover.OrganisationID) (file string) {
	s.t.Helper()
	file = filepath.Join(s.dir, string(id)+".password")
	require.NoError(s.t, os.WriteFile(file, []byte("a-password-of-"+string(id)+"-that-is-long\n"), 0o600))
	before := s.rewrite
	s.rewrite = func(yaml string) string {
		if before != nil {
			return before(yaml) + fmt.Sprintf("    %s: {passwordFile: %q}\n", id, file)
		}
		return yaml + fmt.Sprintf("receipts:\n  contact: 041 000 00 00\n  senders:\n    %s: {passwordFile: %q}\n", id, file)
	}
	return file
}

// asks returns what an organisation is told of its own messages.
func (s *stage) asks(g *running, id handover.OrganisationID, query string) (p receipts.Page) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+g.addresses.Listen.String()+"/receipts"+query, nil)
	require.NoError(s.t, err)
	r.SetBasicAuth(string(id), "a-password-of-"+string(id)+"-that-is-long")
	status, said := answer(s.t, r)
	require.Equal(s.t, http.StatusOK, status, said)
	require.NoError(s.t, json.Unmarshal([]byte(said), &p))
	return p
}

// A system that does not answer leaves senders without a receipt: after the bound the operators are told, until it answers.
func TestAMessageThatASystemDoesNotTakeIsLate(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	f := s.front()
	f.set(func(id handover.SystemID, w http.ResponseWriter, _ *http.Request) bool {
		if id == world.AVAM {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return id == world.AVAM
	}, nil)
	s.rewrite = func(yaml string) string { return yaml + "receipts: {within: 1s}\n" }
	g := s.gateway()
	a := s.affair(1)
	marker := a.enters(world.KLIB, "sd-kriens", "application-submitted")
	a.appears(marker, world.CASEnet)
	late := func() (all []receipts.Receipt) {
		status, said := g.admin(http.MethodGet, "/receipts/late", nil)
		require.Equal(t, http.StatusOK, status)
		require.NoError(t, json.Unmarshal([]byte(said), &all))
		return all
	}
	require.Eventually(t, func() bool { return len(late()) == 1 }, patience, tick)
	r := late()[0]
	require.Equal(t, ledger.OutcomePending, r.Outcome)
	require.Equal(t, "avam/rav-luzern", r.At)
	require.Equal(t, handover.OrganisationID("sd-kriens"), r.Sender)
	_, metrics := g.admin(http.MethodGet, "/metrics", nil)
	require.Contains(t, metrics, "einmal_receipts_late 1\n")
	f.set(nil, nil)
	a.appears(marker, world.AVAM)
	require.Eventually(t, func() bool { return len(late()) == 0 }, patience, tick)
	g.clean()
}
