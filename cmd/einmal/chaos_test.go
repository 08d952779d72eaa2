package main_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// send sends one request and returns an error unless it was a success.
func send(method, url string, body []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: status %d", method, url, resp.StatusCode)
	}
	return nil
}

// secretive puts values into everybody's facts that occur nowhere by chance, so that they can be looked for where they must not be.
func secretive(p clerks.Plan) {
	for i := range p.Handovers {
		for j := range p.Handovers[i].Steps {
			f := &p.Handovers[i].Steps[j].Facts
			f.Person.OfficialName, f.Person.FirstName, f.Person.Street = "Kanarion", "Zitrella", "Geheimgasse"
			f.Person.Phone, f.Person.Email = "+41 79 555 66 77", "zitrella@kanarion.example"
		}
	}
}

// load is clerks at work while everything goes wrong.
type load struct {
	plan    clerks.Plan
	enough  chan struct{}
	ended   chan struct{}
	outcome clerks.Outcome // these two are read after ended
	err     error
}

// work lets clerks play so many handovers at a time until there has been enough, or everything was played.
func (f *fleet) work(plan clerks.Plan, atOnce int) *load {
	l := &load{plan: plan, enough: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		l.outcome, l.err = clerks.Play(f.t.Context(), clerks.PlayOptions{
			Plan: plan, Systems: world.Systems("http://" + f.mocksAt), Poll: 200 * time.Millisecond, Quiet: patience, Concurrency: atOnce, Enough: l.enough,
		})
	}()
	return l
}

// end waits until everything that was begun has come to its end, and returns the plan of it.
func (l *load) end() clerks.Plan {
	close(l.enough)
	<-l.ended
	if l.err == nil && l.outcome.Stalled {
		l.err = errors.New("nothing moves any more, and not every handover has come to its end")
	}
	return clerks.Plan{Seed: l.plan.Seed, Handovers: l.plan.Handovers[:l.outcome.Begun]}
}

// operator answers what is asked at the gateways, truthfully: she looks for the reference in the native system.
type operator struct {
	fleet   *fleet
	stop    context.CancelFunc
	gone    sync.WaitGroup
	ruled   int
	strange map[string]string // what nobody should have been asked, by where it waits
}

// waits is an item of the list.
type waits struct {
	ID, Destination, Status string
	Ref                     native.Reference
	Name                    handover.Name
	Message                 handover.MessageID
	To                      struct{ System, Organisation string }
	Reason                  struct{ Code, Text string }
	Since                   time.Time
	Difference              *struct{ ID string }
}

const beforeSheRules = 4 * time.Second // whatever is still under way has come to its end

func (f *fleet) asked() *operator {
	ctx, stop := context.WithCancel(context.Background())
	o := &operator{fleet: f, stop: stop, strange: map[string]string{}}
	o.gone.Go(func() {
		chance := rand.New(rand.NewPCG(41, 3)) //nolint:gosec // repeatable, not secret
		for ctx.Err() == nil {
			select {
			case <-time.After(500 * time.Millisecond):
			case <-ctx.Done():
			}
			o.look(f.members[chance.IntN(len(f.members))])
		}
	})
	f.t.Cleanup(func() { o.end() })
	return o
}

func (o *operator) end() {
	o.stop()
	o.gone.Wait()
}

func (o *operator) look(m *member) {
	var list []waits
	if m.ask("/parked", &list) != nil {
		return
	}
	for _, it := range list {
		switch {
		case it.Status != "parked":
		case it.Reason.Code == "incomplete-pair": // OSIV's carrier was away for longer than a file may take to be written
			if len(o.fleet.halves()) == 0 {
				o.decide(m, it, map[string]any{"verdict": "WITHDRAW", "person": "operator", "why": "the pair became whole, and was read"})
			}
		case it.Difference != nil || it.Reason.Code != "outcome-unknown" || modes()[handover.SystemID(it.To.System)] != "C":
			o.strange[it.Destination+" "+it.Reason.Code] = it.Reason.Text
		case time.Since(it.Since) > beforeSheRules:
			o.rule(m, it)
		}
	}
}

// halves are the files in OSIV's inbox that have lain there for so long that they wait for a person.
func (f *fleet) halves() (names []string) {
	inbox := filepath.Join(world.SedexFolder(filepath.Join(f.dir, "journals")), osiv.Inbox)
	all, err := os.ReadDir(inbox)
	if err != nil {
		return []string{err.Error()}
	}
	for _, file := range all {
		if info, err := file.Info(); err == nil && !strings.HasPrefix(file.Name(), ".") && time.Since(info.ModTime()) > settle {
			names = append(names, file.Name())
		}
	}
	return names
}

// settle is that of the demo's configuration.
const settle = 10 * time.Second

func (o *operator) rule(m *member, it waits) {
	resp, err := http.Get("http://" + o.fleet.mocksAt + "/" + it.To.System + "/control/journal?reference=" + string(it.Ref))
	if err != nil {
		return
	}
	found, _, err := core.ReadJournal(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil || resp.StatusCode != http.StatusOK {
		return
	}
	ruling := map[string]any{"verdict": "RETRY", "person": "operator", "why": "it does not stand there"}
	if len(found) > 0 {
		e := found[0]
		ruling = map[string]any{"verdict": "FOUND", "person": "operator", "why": "it stands there", "record": e.ID, "case": e.Case}
	}
	o.decide(m, it, ruling)
}

func (o *operator) decide(m *member, it waits, ruling map[string]any) {
	b, err := json.Marshal(ruling)
	if err == nil && send(http.MethodPost, "http://"+m.adminAt+"/parked/"+it.ID+"/rulings", b) == nil {
		o.ruled++
	}
}

// chaosLasts is how long everything goes wrong, and how often on average: some seconds in make test, EINMAL_CHAOS and EINMAL_CHAOS_EVERY in make chaos.
func chaosLasts(t testing.TB) (lasts, pause time.Duration) {
	t.Helper()
	v := os.Getenv("EINMAL_CHAOS")
	if v == "" {
		return 5 * time.Second, 250 * time.Millisecond
	}
	lasts, err := time.ParseDuration(v)
	require.NoError(t, err, "EINMAL_CHAOS")
	pause = time.Second
	if v := os.Getenv("EINMAL_CHAOS_EVERY"); v != "" {
		pause, err = time.ParseDuration(v)
		require.NoError(t, err, "EINMAL_CHAOS_EVERY")
		require.Positive(t, pause, "EINMAL_CHAOS_EVERY")
	}
	return lasts, pause
}

// Everything is a process of its own, and goes wrong on purpose: gateways, broker, Redis and native systems are killed and paused, lines are cut, refused, slow and deaf in one
// direction, Redis is wiped and set back, the disk is full, the native systems have their worst day. Then there is quiet, and the eleven checks look at what the native systems have
// written and at what einmal has. Faults 4, 22, 23, 34, 44, 45, 46 and 75.
func TestI1I2I3I6I7ChaosChangesNoOutcome(t *testing.T) {
	t.Parallel()
	lasts, pause := chaosLasts(t)
	seed := uint64(figure(t, "EINMAL_CHAOS_SEED", 41))
	f := newFleet(t, 2)
	f.faults = lasts > 10*time.Second // in a short run the native systems misbehave only while it is their turn: each doubt takes its time
	f.open()
	for _, m := range f.members {
		m.run()
	}
	for _, m := range f.members {
		m.ready()
	}
	before := f.settled()

	blows := f.whole(f.schedule(seed, lasts, pause, os.Getenv("EINMAL_CHAOS_ONLY")))
	if file := os.Getenv("EINMAL_CHAOS_SCHEDULE"); file != "" {
		blows = replayed(t, file)
	}
	if dir := os.Getenv("EINMAL_CHAOS_OUT"); dir != "" {
		require.NoError(t, os.MkdirAll(dir, 0o700))
		written(t, filepath.Join(dir, fmt.Sprintf("schedule-%d.jsonl", seed)), blows)
	}
	t.Cleanup(func() {
		if t.Failed() {
			for _, b := range blows {
				t.Log(b)
			}
			f.kept(seed)
		}
	})
	plan := f.plan(int64(seed), lasts) //nolint:gosec // small
	began := time.Now()
	load, operator := f.work(plan, figure(t, "EINMAL_CHAOS_AT_ONCE", min(max(8, len(plan.Handovers)/2), 240))), f.asked()
	f.suffer(blows)
	suffered := time.Since(began)
	plan = load.end()
	played := time.Since(began)
	operator.end()
	e := f.evidence(plan, before)
	found := e.check()
	for _, name := range f.halves() {
		found = append(found, "nobody completes a pair in OSIV's inbox: "+name)
	}
	for _, m := range f.members {
		found = append(found, m.fell...)
		found = append(found, m.panics()...)
	}
	for where, text := range operator.strange {
		found = append(found, fmt.Sprintf("a person was asked without need: %s: %s", where, text))
	}
	t.Logf("seed %d: %d blows in %.0f s, %v; %d handovers, %d messages, %d records, %d rulings; double %d, lost %d, p50 %.0f ms, p99 %.0f ms; everything at its end after %.0f s",
		seed, len(blows), suffered.Seconds(), tally(blows), e.proof.Handovers, e.proof.Messages, e.entries(), operator.ruled, e.proof.Double, e.proof.Lost, e.proof.P50, e.proof.P99, played.Seconds())
	if len(e.grown()) > 0 {
		f.stacks()
	}
	require.Empty(t, found)
	require.NoError(t, load.err)
	if lasts >= time.Hour {
		require.GreaterOrEqual(t, e.proof.Handovers, 20_000)
	}
	require.True(t, e.proof.Once(), "not every step was played")
	f.end()
}

// plan draws more than can be played while everything goes wrong; for a short run some short ones.
func (f *fleet) plan(seed int64, lasts time.Duration) clerks.Plan {
	f.t.Helper()
	short := lasts <= 10*time.Second
	plan, err := clerks.NewPlan(seed, figure(f.t, "EINMAL_HANDOVERS", 40+int(8*lasts.Seconds())), world.IDs()...)
	require.NoError(f.t, err)
	if short {
		plan.Handovers = slices.DeleteFunc(plan.Handovers, func(h clerks.Handover) bool { return len(h.Steps) < 4 || len(h.Steps) > 9 })
		plan.Handovers = plan.Handovers[:min(len(plan.Handovers), 8)]
	}
	plan.Handovers = sparing(plan.Handovers)
	secretive(plan)
	return plan
}

// panics returns what a gateway has said in any of its lives that no program should say.
func (m *member) panics() (found []string) {
	for life, p := range m.lives {
		for _, mark := range []string{"panic:", "fatal error:", "DATA RACE"} {
			if text := p.errors.String(); strings.Contains(text, mark) {
				found = append(found, fmt.Sprintf("%s, in its life %d: %s", m.name, life+1, text[strings.Index(text, mark):][:min(len(text)-strings.Index(text, mark), 2000)]))
			}
		}
	}
	return found
}

// stacks lets every gateway end and say what its goroutines are at, the most frequent first.
func (f *fleet) stacks() {
	f.t.Helper()
	for _, m := range f.members {
		m.process.signal(syscall.SIGQUIT)
		_ = m.process.code()
		_, dump, _ := strings.Cut(m.process.errors.String(), "SIGQUIT")
		at := map[string]int{}
		for _, g := range strings.Split(dump, "\n\n") {
			lines := strings.Split(g, "\n")
			if !strings.HasPrefix(lines[0], "goroutine ") {
				continue
			}
			var calls []string
			for n := 1; n < len(lines); n += 2 {
				calls = append(calls, lines[n][:strings.LastIndexByte(lines[n]+"(", '(')])
			}
			at[strings.Join(calls, " < ")]++
		}
		often := slices.SortedFunc(maps.Keys(at), func(a, b string) int { return cmp.Compare(at[b], at[a]) })
		for _, calls := range often[:min(len(often), 12)] {
			f.t.Logf("%s: %d at %s", m.name, at[calls], calls)
		}
	}
}

// sparing leaves out most handovers of the dossier folder beyond the first ones. It is made for an office's few hundred cases in years: its register shows all of them, and a workbook of
// thousands that is written and read every second would be all that a long run tries.
func sparing(all []clerks.Handover) []clerks.Handover {
	const few, then = 10, 200
	dossiers := 0
	return slices.DeleteFunc(all, func(h clerks.Handover) bool {
		if !slices.ContainsFunc(h.Places, func(p clerks.Place) bool { return p.System == world.IVDossier }) {
			return false
		}
		dossiers++
		return dossiers > few && dossiers%then != 0
	})
}

// kept keeps what the gateways have said, the native systems' journals and folders, and the broker's data, which 'einmal engines --data' serves again, for whoever looks for the reason.
func (f *fleet) kept(seed uint64) {
	dir := os.Getenv("EINMAL_CHAOS_OUT")
	if dir == "" {
		return
	}
	for name, from := range map[string]string{"journals": filepath.Join(f.dir, "journals"), "broker": filepath.Join(f.dir, "engines", "broker")} {
		to := filepath.Join(dir, fmt.Sprintf("%s-%d", name, seed))
		if err := errors.Join(os.RemoveAll(to), os.CopyFS(to, os.DirFS(from))); err != nil {
			f.t.Logf("the %s are not kept as a whole: %v", name, err)
		}
	}
	for _, m := range f.members {
		for life, p := range m.lives {
			name := fmt.Sprintf("%s-%d-%d.log", m.name, seed, life+1)
			require.NoError(f.t, os.WriteFile(filepath.Join(dir, name), []byte(p.errors.String()), 0o600))
		}
	}
}

// end stops the gateways as an operator would.
func (f *fleet) end() {
	f.t.Helper()
	for _, m := range f.members {
		m.process.signal(syscall.SIGTERM)
	}
	for _, m := range f.members {
		require.Zero(f.t, m.process.code())
	}
}

// tally counts the blows of each kind; what meets a line is one kind whichever line it is.
func tally(all []blow) map[string]int {
	n := map[string]int{}
	for _, b := range all {
		switch whom, number, _ := strings.Cut(b.Whom, "-"); {
		case slices.Contains([]string{"cut", "refuse", "slow", "deaf-asking", "deaf-answering"}, b.What):
			n[b.What]++
		case number != "":
			n[b.What+" "+whom]++
		default:
			n[b.What+" "+b.Whom]++
		}
	}
	return n
}
