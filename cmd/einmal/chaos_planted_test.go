package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/reconcile"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
)

// dawn is when everything in the sound evidence begins.
var dawn = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// log reads ledger records as they stand in the topic; each is a second later than the one before.
func ledgerOf(t testing.TB, records ...string) (all []entry) {
	t.Helper()
	for i, r := range records {
		one := entry{offset: int64(i), at: dawn.Add(time.Duration(i) * time.Second)}
		require.NoError(t, json.Unmarshal([]byte(r), &one, json.MatchCaseInsensitiveNames(true)))
		all = append(all, one)
	}
	return all
}

// sound is a small world in which everything is as it must be: a case with two messages, both recorded in klib (mode B) and tutoris (mode C), and a third that waits
// for a person in tutoris. Each message m has the reference m@place.
func sound(t testing.TB) evidence {
	t.Helper()
	const (
		klib, tutoris = `{"system":"klib","organisation":"sd-kriens"}`, `{"system":"tutoris","organisation":"sd-emmen"}`
		parkedAt      = `2026-03-02T08:00:30Z`
	)
	admit := func(id string, n int) string {
		return fmt.Sprintf(`{"kind":"ADMIT","case":"c","message":%q,"admission":{"number":%d,"place":{"topic":"handover","offset":%d},"to":[%s,%s]}}`, id, n, n-1, klib, tutoris)
	}
	step := func(kind, id, to, more string) string {
		ref := id + "@" + strings.Split(to, `"`)[3]
		return fmt.Sprintf(`{"kind":%q,"case":"c","message":%q,"to":%s,"ref":%q%s}`, kind, id, to, ref, more)
	}
	e := evidence{
		modes:    map[handover.SystemID]string{"klib": "B", "tutoris": "C"},
		accepted: []accepted{{0, 0, "m1", "c"}, {0, 1, "m2", "c"}, {0, 2, "m3", "c"}},
		ledger: ledgerOf(t,
			admit("m1", 1), step("INTENT", "m1", klib, `,"attempt":1`), step("DONE", "m1", klib, `,"native":"K1"`), step("INTENT", "m1", tutoris, `,"attempt":1`), step("DONE", "m1", tutoris, `,"native":"T1"`),
			admit("m2", 2), step("INTENT", "m2", klib, `,"attempt":1`), step("DONE", "m2", klib, `,"native":"K2"`), step("INTENT", "m2", tutoris, `,"attempt":1`),
			step("PARK", "m2", tutoris, `,"parking":{"at":"2026-03-02T08:00:09Z","reason":{"code":"outcome-unknown","text":"nobody knows"}}`),
			step("RULING", "m2", tutoris, `,"native":"T2","decision":{"parking":9,"verdict":"FOUND","person":"p","why":"w"}`),
			admit("m3", 3), step("INTENT", "m3", klib, `,"attempt":1`), step("DONE", "m3", klib, `,"native":"K3"`), step("INTENT", "m3", tutoris, `,"attempt":1`),
			step("PARK", "m3", tutoris, `,"parking":{"at":"`+parkedAt+`","reason":{"code":"outcome-unknown","text":"nobody knows"}}`),
		),
		journals: clerks.Journals{}, waiting: map[string][]waits{}, lags: map[string]int64{"brokers": 0},
		canaries: []string{"Kanarion", "7569217076985"}, outside: map[string]string{"a log": "nothing"},
		before:     map[string]vitals{"gateway-1": {goroutines: 100, files: 20, resident: 50 << 20}},
		after:      map[string]vitals{"gateway-1": {goroutines: 110, files: 22, resident: 60 << 20, messages: 3}},
		reconciled: reconcile.Report{Systems: []reconcile.Result{{System: "klib", Status: reconcile.Compared}, {System: "tutoris", Status: reconcile.NotComparable}}},
	}
	for i, r := range []struct{ ref, record string }{{"m1", "K1"}, {"m2", "K2"}, {"m3", "K3"}} {
		e.stand("klib", native.Reference(r.ref+"@klib"), native.RecordID(r.record), dawn.Add(time.Duration(20+i)*time.Second))
	}
	e.stand("tutoris", "m1@tutoris", "T1", dawn.Add(20*time.Second))
	e.stand("tutoris", "m2@tutoris", "T2", dawn.Add(21*time.Second))
	var it waits
	require.NoError(t, json.Unmarshal([]byte(`{"id":"0-15","status":"parked","message":"m3","to":`+tutoris+`,"ref":"m3@tutoris","reason":{"code":"outcome-unknown","text":"nobody knows"},"since":"`+parkedAt+`"}`), &it, json.MatchCaseInsensitiveNames(true)))
	e.waiting["gateway-1"] = []waits{it}
	return e
}

// stand puts an entry by the interface into a journal.
func (e *evidence) stand(in handover.SystemID, ref native.Reference, id native.RecordID, when time.Time) {
	e.journals[in] = append(e.journals[in], core.Entry{Number: uint64(len(e.journals[in]) + 1), ID: id, Case: "k", Reference: ref, By: core.ByInterface, At: when})
}

func (e *evidence) finding(what string) {
	e.proof.Findings = append(e.proof.Findings, clerks.Finding{What: what, System: "klib", Marker: "[M0001-01]", Text: "planted"})
}

func (e *evidence) more(t testing.TB, records ...string) {
	for _, r := range ledgerOf(t, records...) {
		r.offset += int64(len(e.ledger))
		e.ledger = append(e.ledger, r)
	}
}

// without takes the records of a kind about a message out of the ledger.
func (e *evidence) without(kind string, m handover.MessageID) {
	var left []entry
	for _, r := range e.ledger {
		if r.Kind != kind || r.Message != m {
			left = append(left, r)
		}
	}
	e.ledger = left
}

func TestTheElevenChecksFindNothingWhereNothingIsWrong(t *testing.T) {
	t.Parallel()
	require.Empty(t, sound(t).check())
	require.Len(t, checks(), 11)
	for i, c := range checks() {
		require.Equal(t, i+1, c.number)
	}
}

// Each check finds what it is for: every violation is planted into a sound world.
func TestEachOfTheElevenChecksFindsItsViolation(t *testing.T) {
	t.Parallel()
	const klib, tutoris = `{"system":"klib","organisation":"sd-kriens"}`, `{"system":"tutoris","organisation":"sd-emmen"}`
	late := dawn.Add(time.Minute)
	for name, c := range map[string]struct {
		number int
		plant  func(e *evidence)
	}{
		"what a clerk entered is lost":          {1, func(e *evidence) { e.finding(clerks.Lost) }},
		"an accepted message is never admitted": {1, func(e *evidence) { e.accepted = append(e.accepted, accepted{0, 3, "m4", "c"}) }},
		"a place is forgotten":                  {1, func(e *evidence) { e.without("DONE", "m1") }},
		"what was ruled to go on goes nowhere":  {1, func(e *evidence) { e.ledger[10].Decision.Verdict = "RETRY" }},
		"recorded and withdrawn": {1, func(e *evidence) {
			e.more(t, `{"kind":"PARK","message":"m1","to":`+klib+`,"ref":"m1@klib","parking":{"at":"2026-03-02T09:00:00Z","reason":{"code":"x","text":"x"}}}`, `{"kind":"RULING","message":"m1","to":`+klib+`,"ref":"m1@klib","decision":{"parking":16,"verdict":"WITHDRAW","person":"p","why":"w"}}`)
		}},
		"a second entry in B":                     {2, func(e *evidence) { e.stand("klib", "m1@klib", "K9", late) }},
		"a second entry in C that nobody ordered": {2, func(e *evidence) { e.stand("tutoris", "m1@tutoris", "T9", late) }},
		"sent twice in C": {2, func(e *evidence) {
			e.more(t, `{"kind":"INTENT","message":"m1","to":`+tutoris+`,"ref":"m1@tutoris","attempt":2}`)
		}},
		"one message under two references": {2, func(e *evidence) {
			e.more(t, `{"kind":"INTENT","message":"m1","to":`+klib+`,"ref":"other@klib","attempt":1}`)
		}},
		"what the clerks see twice":               {2, func(e *evidence) { e.finding(clerks.Double) }},
		"done, and it does not stand":             {3, func(e *evidence) { e.journals["klib"] = e.journals["klib"][:2] }},
		"done under another number":               {3, func(e *evidence) { e.journals["klib"][1].ID = "K77" }},
		"found under another number":              {3, func(e *evidence) { e.journals["tutoris"][1].ID = "T77" }},
		"an entry that nobody accepted":           {4, func(e *evidence) { e.stand("klib", "x@klib", "K9", late) }},
		"an entry of a message that is not there": {4, func(e *evidence) { e.accepted = e.accepted[1:] }},
		"an entry that the plan does not know":    {4, func(e *evidence) { e.finding(clerks.Unexplained) }},
		"two messages in another order":           {5, func(e *evidence) { j := e.journals["klib"]; j[0], j[1] = j[1], j[0] }},
		"an order that the clerks see":            {5, func(e *evidence) { e.finding(clerks.Disorder) }},
		"what waits is not on the list":           {6, func(e *evidence) { e.waiting["gateway-1"] = nil }},
		"another gateway does not show it":        {6, func(e *evidence) { e.waiting["gateway-2"] = nil }},
		"the list has another age":                {6, func(e *evidence) { e.waiting["gateway-1"][0].Since = dawn }},
		"the list gives no reason":                {6, func(e *evidence) { e.waiting["gateway-1"][0].Reason.Text = "" }},
		"the list shows what does not wait":       {6, func(e *evidence) { e.waiting["gateway-1"][0].Message = "m1" }},
		"a group is behind":                       {7, func(e *evidence) { e.lags["brokers: 3"] = 1 }},
		"nobody says how far they are":            {7, func(e *evidence) { e.lags = nil }},
		"done without an announcement":            {8, func(e *evidence) { e.without("INTENT", "m1") }},
		"written before it was announced":         {8, func(e *evidence) { e.journals["klib"][0].At = dawn }},
		"a ruling without a question":             {8, func(e *evidence) { e.ledger[10].Decision.Parking = 2 }},
		"a ruling by nobody":                      {8, func(e *evidence) { e.ledger[10].Decision.Person = "" }},
		"admitted from nowhere":                   {8, func(e *evidence) { e.ledger[0].Admission.Place.Offset = 7 }},
		"a name in a log":                         {9, func(e *evidence) { e.outside["a log"] = "the case of Kanarion" }},
		"a number in Redis":                       {9, func(e *evidence) { e.outside["Redis"] = "x 7569217076985 y" }},
		"a number with dots at the end of a file": {9, func(e *evidence) { e.outside["a file"] = "756.756.9217.0769.85" }},
		"nowhere to look":                         {9, func(e *evidence) { e.outside = nil }},
		"goroutines":                              {10, func(e *evidence) { e.after["gateway-1"] = vitals{goroutines: 500, files: 22} }},
		"files":                                   {10, func(e *evidence) { e.after["gateway-1"] = vitals{goroutines: 100, files: 200} }},
		"memory":                                  {10, func(e *evidence) { e.after["gateway-1"] = vitals{goroutines: 100, files: 20, resident: 900 << 20} }},
		"a process that nobody has looked at":     {10, func(e *evidence) { e.before = nil }},
		"a difference that it does not find":      {11, func(e *evidence) { e.stand("klib", "m1@klib", "K9", late) }},
		"one that is missing":                     {11, func(e *evidence) { e.journals["klib"] = e.journals["klib"][:2] }},
		"one that it invents": {11, func(e *evidence) {
			e.reconciled.Findings = []reconcile.Finding{{Kind: reconcile.Extra, System: "klib", Reference: "m1@klib"}}
		}},
		"nothing was compared": {11, func(e *evidence) { e.reconciled.Systems[0].Status = reconcile.Unreadable }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := sound(t)
			c.plant(&e)
			require.NotEmpty(t, checks()[c.number-1].find(e), checks()[c.number-1].rule)
		})
	}
}

// Only where a person has ordered it may an entry say that it may be a duplicate.
func TestTheWordsOfARepetitionAreTakenOutWhereAPersonOrderedIt(t *testing.T) {
	t.Parallel()
	e := sound(t)
	for i := range e.journals["tutoris"] {
		e.journals["tutoris"][i].Body = []byte("<bemerkung>" + mayBeTwice + "[M0001-01]</bemerkung>")
	}
	e.ledger[10].Decision.Verdict = "RETRY" // about m2
	e.ordered()
	require.Equal(t, "<bemerkung>"+mayBeTwice+"[M0001-01]</bemerkung>", string(e.journals["tutoris"][0].Body))
	require.Equal(t, "<bemerkung>[M0001-01]</bemerkung>", string(e.journals["tutoris"][1].Body))
}
