package adaptertest

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/stretchr/testify/require"
)

// wired is the register with an adapter of one make.
type wired struct {
	*register
	flaws
}

func (w wired) Connect(_ T, how Connection) adapters.System { return w.connect(how, w.flaws) }

func driver(joining bool, f flaws) Driver {
	return Driver{Start: func(T) Native { return wired{register: &register{joining: joining}, flaws: f} }, Secrets: []string{token}}
}

func TestARightAdapterHoldsEveryRule(t *testing.T) {
	t.Run("mode A", func(t *testing.T) { Run(t, driver(true, flaws{})) })
	t.Run("mode B", func(t *testing.T) { Run(t, driver(false, flaws{})) })
	t.Run("mode C", func(t *testing.T) { Run(t, driver(false, flaws{mode: adapters.ModeC, noFinder: true})) })
}

func TestTheRulesFollowTheAbilities(t *testing.T) {
	names := func(d Driver) []string {
		var all []string
		for _, r := range rulesFor(t, d) {
			all = append(all, r.name)
		}
		return all
	}
	inA, inB, inC := names(driver(true, flaws{})), names(driver(false, flaws{})), names(driver(false, flaws{mode: adapters.ModeC, noFinder: true}))
	atOnce := len(rules()) - len(aboutAnsweringLater())
	require.Len(t, inB, atOnce-1)
	require.Len(t, inA, atOnce-5)
	require.Len(t, inC, atOnce-6)
}

// A suite that cannot fail is worth nothing: every flaw must be seen by the rule that is about it.
// Fault 68.
func TestEveryWrongAdapterFails(t *testing.T) {
	for name, test := range map[string]struct {
		flaws   flaws
		joining bool
		rule    string
	}{
		"sends again after a cut":                 {flaws{resends: true}, false, "sends once"},
		"believes that a lost answer was good":    {flaws{believes: true}, false, "sends once"},
		"takes a doubt for a retry":               {flaws{retriesDoubt: true}, false, "sends once"},
		"follows a redirect":                      {flaws{follows: true}, false, "sends once"},
		"follows a redirect when reading":         {flaws{followsReading: true}, false, "reading that fails"},
		"retries by itself":                       {flaws{triesAgain: true}, false, "rejected before"},
		"stops for a rejection":                   {flaws{stopsRejection: true}, false, "rejected before"},
		"retries a refusal":                       {flaws{retriesRefusal: true}, false, "a refusal"},
		"retries wrong credentials":               {flaws{retriesForbidden: true}, false, "wrong credentials"},
		"retries reading with wrong credentials":  {flaws{retriesForbidden: true}, false, "without entry"},
		"doubts where nothing listens":            {flaws{doubtsDial: true}, false, "without connection nothing"},
		"shows its token":                         {flaws{showsToken: true}, false, "wrong credentials"},
		"shows what was answered":                 {flaws{showsAnswer: true}, false, "sends once"},
		"shows what was answered to a reading":    {flaws{showsAnswer: true}, false, "reading that fails"},
		"takes a failed search for an empty one":  {flaws{searchSaysNothing: true}, false, "search that fails"},
		"shows one of two":                        {flaws{searchShowsOne: true}, false, "mode B"},
		"shows what others wrote":                 {flaws{searchShowsAll: true}, false, "nothing else"},
		"takes nothing found for a failure":       {flaws{searchWaits: true}, false, "nothing else"},
		"resolves no doubt":                       {flaws{searchShowsAll: true}, false, "resolved by the search"},
		"counts what is left on the next pages":   {flaws{countsFromTheEnd: true}, false, "between two pages"},
		"skips a record":                          {flaws{skips: true}, false, "in order"},
		"keeps the position to itself":            {flaws{remembers: true}, false, "in order"},
		"reads more than asked for":               {flaws{tooMany: true}, false, "in order"},
		"reads backwards":                         {flaws{backwards: true}, false, "in order"},
		"reads backwards while clerks work":       {flaws{backwards: true}, false, "go on working"},
		"goes on after a failed reading":          {flaws{moves: true}, false, "reading that fails"},
		"says that a reading without end ended":   {flaws{moves: true}, false, "ends with its context"},
		"forgets whose record it was":             {flaws{forgetsReference: true}, false, "comes back"},
		"names another case":                      {flaws{givesCases: true}, false, "names the record"},
		"sends although its context has ended":    {flaws{sendsAfterEnd: true}, false, "ended context"},
		"takes the end after sending for a retry": {flaws{retriesDoubt: true}, false, "after sending"},
		"mixes up answers":                        {flaws{mixesUp: true}, false, "at once"},
		"leaves a goroutine":                      {flaws{leaks: true}, false, "no goroutine"},
		"cannot be closed twice":                  {flaws{closesOnce: true}, false, "close may"},
		"says that everything is well":            {flaws{pingsAlways: true}, false, "ping"},
		"believes every notification":             {flaws{verifiesAll: true}, false, "without a signature"},
		"has mode B and no search":                {flaws{noFinder: true}, false, "fit together"},
		"has no bounds":                           {flaws{noBounds: true}, false, "fit together"},
		"has no mode":                             {flaws{mode: "X"}, false, "fit together"},
		"says A where nothing joins":              {flaws{mode: adapters.ModeA}, false, "mode A"},
		"says B where records join":               {flaws{mode: adapters.ModeB}, true, "mode B"},
		"stores what is not the document":         {flaws{putsAnything: true}, false, "only the content"},
		"stores half a document":                  {flaws{putsHalf: true}, false, "leaves nothing"},
		"says that a document stands":             {flaws{putsLater: true}, false, "that was put"},
		"believes that a lost document was put":   {flaws{believesPut: true}, false, "putting is repeated"},
		"doubts where repeating changes nothing":  {flaws{doubtsPut: true}, false, "putting is repeated"},
		"puts although its context has ended":     {flaws{putsAfterEnd: true}, false, "puts and opens nothing"},
		"opens what is not there":                 {flaws{opensAnything: true}, false, "not there is missing"},
		"opens another document":                  {flaws{opensOther: true}, false, "that was put"},
		"opens another document of a clerk":       {flaws{opensAnything: true, opensOther: true}, false, "not there is missing"},
		"waits for what is missing":               {flaws{retriesMissing: true}, false, "not there is missing"},
		"retries documents without being let in":  {flaws{retriesForbidden: true}, false, "documents: wrong"},
		"writes entries without their documents":  {flaws{forgetsDocuments: true}, false, "names only documents"},
		"moves no documents":                      {flaws{movesNoDocuments: true}, false, "fit together"},
		"writes a recall as a new entry":          {flaws{writesAsNew: true}, false, "stays one"},
		"reads a recall as a new entry":           {flaws{readsAsNew: true}, false, "stays one"},
		"forgets what a recall is about":          {flaws{refersToNothing: true}, false, "stays one"},
		"reads what is whole":                     {flaws{overtakes: true}, false, "still being written"},
		"says A of a system that records twice":   {flaws{mode: adapters.ModeA}, false, "what is measured"},
		"gives one receipt for all in mode C":     {flaws{mode: adapters.ModeC, mixesUp: true}, false, "what is measured"},
		"a search that shows one of two":          {flaws{searchShowsOne: true}, false, "what is measured"},
		"a search that shows everything":          {flaws{searchShowsAll: true}, false, "what is measured"},
		"a stream without references, measured":   {flaws{forgetsReference: true}, false, "what is measured"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range rules() {
				if strings.Contains(r.name, test.rule) {
					said := failure(func(t T) { start(t, driver(test.joining, test.flaws)).hold(r) })
					require.NotEmpty(t, said, "the rule %q lets it pass", r.name)
					require.NotContains(t, said, "panic", r.name)
					return
				}
			}
			require.Fail(t, "no such rule", test.rule)
		})
	}
}

// recorder is a test that keeps what it is told.
type recorder struct {
	failed   bool
	said     strings.Builder
	cleanups []func()
	context  context.Context
	dir      string
}

func (*recorder) Helper()                     {}
func (r *recorder) Errorf(f string, a ...any) { r.failed = true; fmt.Fprintf(&r.said, f, a...) }
func (r *recorder) FailNow()                  { r.failed = true; runtime.Goexit() }
func (r *recorder) Cleanup(f func())          { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Context() context.Context  { return r.context }
func (r *recorder) TempDir() string           { return r.dir }

// failure runs a test and returns what it says when it fails, or nothing.
func failure(run func(T)) string {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r := &recorder{context: ctx}
	step := func(f func()) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			f()
		}()
		<-done
	}
	step(func() { run(r) })
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		step(r.cleanups[i])
	}
	if !r.failed {
		return ""
	}
	return r.said.String() + "."
}
