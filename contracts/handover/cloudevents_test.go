package handover_test

import (
	"bytes"
	"maps"
	"testing"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func envelopes() *rapid.Generator[handover.Envelope] {
	return rapid.Custom(func(t *rapid.T) handover.Envelope {
		text := func(label string, least int) string {
			return rapid.StringMatching(`[ -~à-ü€]{1,36}`).Filter(func(s string) bool { return least == 0 || s != "" }).Draw(t, label)
		}
		maybe := func(label string) string {
			return rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[!-~]{1,36}`)).Draw(t, label)
		}
		return handover.Envelope{
			ID: handover.MessageID(text("id", 1)), Source: handover.SystemID(text("source", 1)),
			Name: rapid.SampledFrom(handover.Catalogue()).Draw(t, "message").Name(), Case: handover.CaseID(text("case", 1)),
			Time:   time.UnixMilli(rapid.Int64Range(-62135596800000, 253402300799999).Draw(t, "time")).UTC(),
			Sender: handover.OrganisationID(text("sender", 1)), Sequence: rapid.Uint64().Draw(t, "sequence"),
			References: handover.MessageID(maybe("references")),
			Parties:    handover.Parties{Assigning: handover.OrganisationID(maybe("assigning")), Receiving: handover.OrganisationID(maybe("receiving"))},
			Action:     rapid.SampledFrom([]handover.Action{handover.ActionNew, handover.ActionRecall, handover.ActionCorrection}).Draw(t, "action"),
			Test:       rapid.Bool().Draw(t, "test"), Trace: maybe("trace"), Record: maybe("record"),
		}
	})
}

func TestHeadersRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := envelopes().Draw(t, "envelope")
		h := e.Headers()
		h["x-somebody-else"] = "ignored"
		back, err := handover.ParseHeaders(h)
		require.NoError(t, err)
		require.Equal(t, e, back)
		require.Equal(t, e.AssociatedData(), back.AssociatedData())
	})
}

func sampleEnvelope() handover.Envelope {
	return handover.Envelope{
		ID: "0190b6c2-7a30-7cc3-98c4-dc0c0c07398f", Source: "klib", Name: "application-submitted", Case: "c-1",
		Time: time.Date(2026, 3, 2, 9, 30, 0, 123e6, time.UTC), Sender: "sd-kriens", Sequence: 1, References: "m-0",
		Parties: handover.Parties{Assigning: "sd-kriens", Receiving: "rav-luzern"}, Action: handover.ActionCorrection,
		Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	}
}

func TestHeadersAreCloudEvents(t *testing.T) {
	require.Equal(t, map[string]string{
		"ce_specversion": "1.0", "ce_id": "0190b6c2-7a30-7cc3-98c4-dc0c0c07398f", "ce_source": "urn:einmal:klib",
		"ce_type": "ch.optima.handover.application-submitted.v1", "ce_subject": "c-1", "ce_time": "2026-03-02T09:30:00.123Z",
		"ce_sequence": "1", "ce_senderorganisation": "sd-kriens", "ce_action": "correction", "ce_testdelivery": "false",
		"ce_referencemessageid": "m-0", "ce_assigningorganisation": "sd-kriens", "ce_receivingorganisation": "rav-luzern",
		"content-type": "application/vnd.einmal.sealed+json", "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	}, sampleEnvelope().Headers())
}

func TestParseHeadersRefuses(t *testing.T) {
	required := []string{"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_sequence", "ce_senderorganisation", "ce_action", "ce_testdelivery", "content-type"}
	for _, name := range required {
		h := sampleEnvelope().Headers()
		delete(h, name)
		requireRefused(t, h, name)
	}
	for name, values := range map[string][]string{
		"ce_specversion":  {"0.3", "1.0 ", "1"},
		"ce_source":       {"klib", "urn:einmal:", "URN:einmal:klib"},
		"ce_type":         {"ch.optima.handover.v1", "ch.optima.handover..v1", "application-submitted", "ch.optima.handover.application-submitted.v2", "ch.optima.handover.application-submitted"},
		"ce_time":         {"2026-03-02", "2026-03-02T09:30:00Z", "2026-03-02T09:30:00,123Z", "2026-03-02T09:30:00.123+00:00", "2026-03-02T9:30:00.123Z"},
		"ce_sequence":     {"-1", "+1", "01", "1.0", "one", "18446744073709551616"},
		"ce_testdelivery": {"1", "True", "t", "0", "no"},
		"content-type":    {"application/json", "application/cloudevents+json"},
	} {
		for _, v := range values {
			h := sampleEnvelope().Headers()
			h[name] = v
			requireRefused(t, h, name)
		}
	}
}

func requireRefused(t *testing.T, h map[string]string, name string) {
	t.Helper()
	_, err := handover.ParseHeaders(h)
	require.Equal(t, fault.Park, fault.KindOf(err), "%s=%q", name, h[name])
	require.ErrorContains(t, err, "at "+name+")")
}

func TestAssociatedDataBindsEveryAttribute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := envelopes().Draw(t, "a"), envelopes().Draw(t, "b")
		ha, hb := a.Headers(), b.Headers()
		for _, free := range []string{"traceparent", "sourcerecord"} {
			delete(ha, free)
			delete(hb, free)
		}
		require.Equal(t, maps.Equal(ha, hb), bytes.Equal(a.AssociatedData(), b.AssociatedData()))
	})
	base := sampleEnvelope()
	for name, change := range map[string]func(*handover.Envelope){
		"id": func(e *handover.Envelope) { e.ID = "x" }, "source": func(e *handover.Envelope) { e.Source = "avam" },
		"name": func(e *handover.Envelope) { e.Name = "case-closed" }, "case": func(e *handover.Envelope) { e.Case = "c-2" },
		"time": func(e *handover.Envelope) { e.Time = e.Time.Add(time.Millisecond) }, "sender": func(e *handover.Envelope) { e.Sender = "rav-luzern" },
		"sequence": func(e *handover.Envelope) { e.Sequence++ }, "references": func(e *handover.Envelope) { e.References = "" },
		"assigning": func(e *handover.Envelope) { e.Parties.Assigning = "x" }, "receiving": func(e *handover.Envelope) { e.Parties.Receiving = "x" },
		"action": func(e *handover.Envelope) { e.Action = handover.ActionRecall }, "test": func(e *handover.Envelope) { e.Test = true },
	} {
		changed := base
		change(&changed)
		require.NotEqual(t, base.AssociatedData(), changed.AssociatedData(), name)
	}
}

func TestAssociatedDataCannotBeShiftedBetweenAttributes(t *testing.T) {
	a, b := sampleEnvelope(), sampleEnvelope()
	a.Parties = handover.Parties{Assigning: "a", Receiving: "bc"}
	b.Parties = handover.Parties{Assigning: "ab", Receiving: "c"}
	require.NotEqual(t, a.AssociatedData(), b.AssociatedData())
}

func TestTheTraceMayBeRewrittenOnTheWay(t *testing.T) {
	a, b := sampleEnvelope(), sampleEnvelope()
	b.Trace = ""
	require.Equal(t, a.AssociatedData(), b.AssociatedData())
}

func FuzzParseHeaders(f *testing.F) {
	h := sampleEnvelope().Headers()
	f.Add(h["ce_id"], h["ce_source"], h["ce_type"], h["ce_subject"], h["ce_time"], h["ce_sequence"], h["ce_senderorganisation"], h["ce_action"], "true", "m")
	f.Add("", "", "", "", "", "", "", "", "", "")
	f.Fuzz(func(t *testing.T, id, source, typ, subject, at, sequence, sender, action, test, reference string) {
		h := map[string]string{
			"ce_specversion": "1.0", "content-type": handover.ContentType, "ce_id": id, "ce_source": source, "ce_type": typ, "ce_subject": subject, "ce_time": at,
			"ce_sequence": sequence, "ce_senderorganisation": sender, "ce_action": action, "ce_testdelivery": test,
		}
		if reference != "" {
			h["ce_referencemessageid"] = reference
		}
		e, err := handover.ParseHeaders(h)
		if err != nil {
			require.Equal(t, fault.Park, fault.KindOf(err))
			return
		}
		require.Equal(t, h, e.Headers(), "what is read is written the same")
	})
}
