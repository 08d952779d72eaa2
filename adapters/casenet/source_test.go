package casenet

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
)

func aRecord(sequence int) string {
	return fmt.Sprintf(`{"sequence":%d,"recordId":"R-%d","caseId":"C-1","caseSequence":%d,"caseReference":"0b9f","externalReference":"6f1c",`+
		`"enteredFor":"rav-luzern","enteredAt":"2026-03-02T10:00:00+01:00","kind":"query","content":{"question":"%s?"}}`, sequence, sequence, sequence, secretName)
}

func aPage(next int, more bool, records ...string) string {
	return fmt.Sprintf(`{"records":[%s],"next":%d,"more":%t}`, strings.Join(records, ","), next, more)
}

func read(t *testing.T, body string, after native.Position) (adapters.Batch, error) {
	t.Helper()
	return connect(t, answering(200, jsonType, body)).Source.Read(t.Context(), after, 100)
}

func TestRead_TakesTheFrameApartAndLeavesTheContentAlone(t *testing.T) {
	b, err := read(t, aPage(3, true, aRecord(3)), "2")
	require.NoError(t, err)
	require.Equal(t, adapters.Batch{
		Next: "3", More: true,
		Records: []native.Record{{
			ID: "R-3", Kind: "query", Case: "C-1", Organisation: "rav-luzern", CaseReference: "0b9f", Reference: "6f1c", Sequence: 3,
			At: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), Body: []byte(`{"question":"` + secretName + `?"}`),
		}},
	}, b)
}

// Fault 5.
func TestRead_NothingNewKeepsThePosition(t *testing.T) {
	b, err := read(t, aPage(7, false), "7")
	require.NoError(t, err)
	require.Equal(t, adapters.Batch{Next: "7"}, b)
	b, err = read(t, aPage(0, false), "")
	require.NoError(t, err)
	require.Equal(t, adapters.Batch{}, b)
}

func TestRead_ARecordThatCannotBeReadIsSetAsideAndTheOthersAreRead(t *testing.T) {
	for name, broken := range map[string]string{
		"unknown member":      strings.Replace(aRecord(2), `"kind"`, `"urgent":true,"kind"`, 1),
		"repeated member":     strings.Replace(aRecord(2), `"kind"`, `"kind":"query","kind"`, 1),
		"repeated in content": strings.Replace(aRecord(2), `"question"`, `"question":"a","question"`, 1),
		"no content":          strings.Replace(aRecord(2), `"content"`, `"caseSequence2"`, 1),
		"content no object":   strings.Replace(aRecord(2), `{"question":"`+secretName+`?"}`, `7`, 1),
		"no organisation":     strings.Replace(aRecord(2), `"enteredFor":"rav-luzern",`, ``, 1),
		"time without offset": strings.Replace(aRecord(2), `+01:00`, ``, 1),
		"invalid UTF-8":       strings.Replace(aRecord(2), secretName, "\xff", 1),
		"odd case id":         strings.Replace(aRecord(2), `"C-1"`, `"../x"`, 1),
		"a number":            `2`,
		"null":                `null`,
	} {
		t.Run(name, func(t *testing.T) {
			page := aPage(3, false, aRecord(1), broken, aRecord(3))
			b, err := read(t, page, "")
			require.NoError(t, err)
			require.Len(t, b.Records, 2)
			require.Len(t, b.Broken, 1)
			require.Equal(t, native.Position("3"), b.Next)
			require.Equal(t, broken, string(b.Broken[0].Raw))
			require.Equal(t, fault.Park, fault.KindOf(b.Broken[0].Reason))
			require.NotContains(t, b.Broken[0].Reason.Error(), secretName)
			again, err := read(t, page, "")
			require.NoError(t, err)
			require.Equal(t, b.Broken[0].ID, again.Broken[0].ID, "the same name next time")
			if strings.HasPrefix(broken, "{") && !strings.Contains(name, "UTF-8") && !strings.Contains(name, "repeated") {
				require.Equal(t, native.RecordID("R-2"), b.Broken[0].ID)
			}
		})
	}
}

func TestRead_APageThatBreaksTheContractIsNotReadOver(t *testing.T) {
	for name, page := range map[string]string{
		"no JSON":               `{`,
		"cut":                   aPage(3, false, aRecord(3))[:200],
		"no object":             `[]`,
		"member missing":        `{"records":[],"next":2}`,
		"member repeated":       `{"records":[` + aRecord(3) + `],"records":[],"next":2,"more":false}`,
		"member unknown":        `{"records":[],"next":2,"more":false,"total":1}`,
		"records null":          `{"records":"x","next":2,"more":false}`,
		"next goes back":        aPage(1, false),
		"next jumps over":       aPage(9, false),
		"next before the last":  aPage(3, false, aRecord(3), aRecord(4)),
		"next behind the last":  aPage(9, false, aRecord(3)),
		"not after position":    aPage(2, false, aRecord(2)),
		"descending":            aPage(4, false, aRecord(5), aRecord(4)),
		"twice":                 aPage(3, false, aRecord(3), aRecord(3)),
		"more without any":      aPage(2, true),
		"records without next":  aPage(2, false, aRecord(3)),
		"more than asked for":   aPage(102, false, strings.Split(strings.Repeat("x,", 101)[:201], ",")...),
		"next is not a natural": `{"records":[],"next":-2,"more":false}`,
	} {
		t.Run(name, func(t *testing.T) {
			b, err := read(t, page, "2")
			require.Equal(t, fault.Retry, fault.KindOf(err), err)
			require.Equal(t, "malformed-page", fault.CodeOf(err))
			require.Empty(t, b)
		})
	}
}

func TestRead_OtherAnswersMeanLater(t *testing.T) {
	for _, c := range []struct {
		status      int
		media, body string
		kind        fault.Kind
		code        string
	}{
		{503, problemType, `{"code":"not-processed"}`, fault.Retry, "not-processed"},
		{500, "text/html", ``, fault.Retry, "status"},
		{404, "text/html", ``, fault.Retry, "status"},
		{200, "text/html", `<html>`, fault.Retry, "malformed-page"},
		{401, problemType, `{}`, fault.Stop, "unauthorized"},
		{410, problemType, `{"code":"position-unknown"}`, fault.Stop, "position-unknown"},
		{410, "text/html", ``, fault.Retry, "status"},
	} {
		_, err := connect(t, answering(c.status, c.media, c.body)).Source.Read(t.Context(), "2", 10)
		require.Equal(t, c.kind, fault.KindOf(err), err)
		require.Equal(t, c.code, fault.CodeOf(err))
	}
}

func TestRead_APositionOfAnotherAdapterStops(t *testing.T) {
	s := connect(t, answering(200, jsonType, aPage(0, false)))
	for _, p := range []native.Position{"x", "-1", "1.5", "99999999999999999999"} {
		_, err := s.Source.Read(t.Context(), p, 10)
		require.Equal(t, fault.Stop, fault.KindOf(err), p)
	}
}

func FuzzParsePage(f *testing.F) {
	f.Add([]byte(aPage(3, false, aRecord(3))))
	f.Add([]byte(aPage(4, true, aRecord(3), `{}`)))
	f.Add([]byte(`{"records":[{"recordId":"R-1"}],"next":1,"more":false}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePage("casenet.read", b)
		if err != nil {
			require.Equal(t, fault.Retry, fault.KindOf(err))
			return
		}
		batch, err := p.batch("casenet.read", 2, 100)
		if err != nil {
			return
		}
		require.Len(t, p.records, len(batch.Records)+len(batch.Broken), "no record is lost")
		for _, broken := range batch.Broken {
			require.True(t, isID(string(broken.ID)))
		}
	})
}
