package profile_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping/profile"
	"github.com/stretchr/testify/require"
)

// found returns the codes and paths of what keeps a message back.
func found(t *testing.T, err error) []string {
	t.Helper()
	require.Equal(t, fault.Park, fault.KindOf(err))
	var fs fault.Findings
	require.ErrorAs(t, err, &fs)
	var all []string
	for _, f := range fs {
		require.NotEmpty(t, f.Next)
		all = append(all, f.Code+" at "+f.Path)
	}
	return all
}

func people(parts ...code) []handover.Participant {
	var all []handover.Participant
	for _, p := range parts {
		all = append(all, handover.Participant{Name: "A", Part: p, Agreed: true})
	}
	return all
}

func TestCheckMessage_EveryUnknownCodeIsNamed(t *testing.T) {
	v := version(t, "regular-2025")
	for _, c := range []struct {
		good, bad handover.Payload
		want      []string
	}{
		{handover.ApplicationWithdrawn{Reason: "OTHER"}, handover.ApplicationWithdrawn{Reason: "X"}, []string{"unknown-code at reason"}},
		{handover.ApplicationDecided{Decision: handover.Accepted}, handover.ApplicationDecided{Decision: handover.Rejected, Reason: "X"}, []string{"unknown-code at reason"}},
		{handover.ApplicationDecided{Decision: handover.Rejected, Reason: "NO_CAPACITY"}, handover.ApplicationDecided{Reason: "GOAL_REACHED"}, []string{"unknown-code at reason"}},
		{
			handover.TransferMeetingRecorded{Participants: people("PERSON", "ASSIGNING", "RECEIVING", "OTHER")}, handover.TransferMeetingRecorded{Participants: people("PERSON", "X", "Y")},
			[]string{"unknown-code at participants[1].part", "unknown-code at participants[2].part"},
		},
		{handover.ReviewMeetingRecorded{Participants: people("PERSON")}, handover.ReviewMeetingRecorded{Participants: people("X")}, []string{"unknown-code at participants[0].part"}},
		{handover.CostApprovalRefused{Reason: "NO_ENTITLEMENT"}, handover.CostApprovalRefused{Reason: "X"}, []string{"unknown-code at reason"}},
		{
			handover.CaseClosed{Reason: "GOAL_REACHED", Outcome: "SUCCESSFUL"}, handover.CaseClosed{Reason: "SUCCESSFUL", Outcome: "GOAL_REACHED"},
			[]string{"unknown-code at reason", "unknown-code at outcome"},
		},
	} {
		require.NoError(t, v.CheckMessage(c.good))
		require.Equal(t, c.want, found(t, v.CheckMessage(c.bad)), "%s", c.bad.Name())
	}
}

// Whatever message has a code, either the contract itself fixes what it can be, or the profile's lists are asked about it.
func TestCheckMessage_KnowsEveryCodeOfTheCatalogue(t *testing.T) {
	fixed := map[string]bool{
		"application-decided decision": true, "application-submitted person.sex": true, // constants of the contract
		"application-submitted declarations[].item": true, "application-submitted declarations[].answer": true, // by items
		"application-checked outcome": true, "application-checked findings[].severity": true, "application-checked findings[].reason": true, // said by einmal, from the profile
	}
	listed := map[string]bool{
		"application-submitted process": true, "application-submitted targetGroup": true, "application-submitted consent.kind": true, "application-submitted person.language": true,
		"application-withdrawn reason": true, "application-decided reason": true, "transfer-meeting-recorded participants[].part": true,
		"review-meeting-recorded participants[].part": true, "cost-approval-refused reason": true, "case-closed reason": true, "case-closed outcome": true,
	}
	seen := map[string]bool{}
	for _, p := range handover.Catalogue() {
		for _, path := range leaves(reflect.TypeOf(p), "", reflect.TypeFor[handover.Code]()) {
			key := string(p.Name()) + " " + path
			require.True(t, fixed[key] || listed[key], "decide who checks the code %s", key)
			seen[key] = true
		}
	}
	require.Len(t, seen, len(fixed)+len(listed))
	v := version(t, "regular-2025")
	a := base(t, v, "H", "SH>ALV")
	require.NoError(t, v.CheckMessage(a.Form))
	a.Form.Process, a.Form.TargetGroup, a.Form.Consent.Kind, a.Form.Person.Language = "X", "Z", "X", "RM"
	require.Equal(t, []string{"unknown-code at process", "unknown-code at targetGroup", "unknown-code at consent.kind", "unknown-code at person.language"}, found(t, v.CheckMessage(a.Form)))
}

// leaves lists the paths of a message's values of a type.
func leaves(t reflect.Type, path string, want reflect.Type) []string {
	switch {
	case t == want:
		return []string{path}
	case t.Kind() == reflect.Pointer:
		return leaves(t.Elem(), path, want)
	case t.Kind() == reflect.Slice:
		return leaves(t.Elem(), path+"[]", want)
	case t.Kind() != reflect.Struct:
		return nil
	}
	var all []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			continue // the inside of a value
		}
		all = append(all, leaves(f.Type, strings.TrimPrefix(path+"."+name, "."), want)...)
	}
	return all
}

// Domain: three months, longer only with a reason in the single case (legal opinion on AVIG Art. 85f).
func TestCheckMessage_AnExemptionBeyondThreeMonthsNeedsAReason(t *testing.T) {
	v := version(t, "regular-2025")
	m := handover.JobSearchExemptionSigned{From: "2026-01-15", To: "2026-04-14", SignedOn: "2026-01-15"}
	require.NoError(t, v.CheckMessage(m), "exactly three months")
	m.To = "2026-04-15"
	err := v.CheckMessage(m)
	require.Equal(t, []string{"reason-missing at extensionReason"}, found(t, err))
	require.ErrorContains(t, err, "3 MONTHS")
	require.ErrorContains(t, err, "AVIG Art. 85f")
	require.NotContains(t, err.Error(), "2026", "no value of the message")
	m.ExtensionReason = "Spitalaufenthalt"
	require.NoError(t, v.CheckMessage(m))

	lippe, err := load(t, "lippe").On("2018-05-02")
	require.NoError(t, err)
	m.ExtensionReason = ""
	require.NoError(t, lippe.CheckMessage(m), "a profile without this deadline has no limit")
}

func TestCheckMessage_NothingToSayIsNoError(t *testing.T) {
	everyVersion(t, func(t *testing.T, v profile.Version) {
		for _, p := range []handover.Payload{
			handover.SanctionHint{}, handover.MeasureOrdered{}, handover.ClarificationRequested{}, handover.ConsentWithdrawn{}, handover.ApplicationChecked{}, handover.InvoiceForwarded{},
		} {
			require.NoError(t, v.CheckMessage(p))
		}
	})
}

func TestExpects_WhatPeopleWaitForHasItsDay(t *testing.T) {
	v := version(t, "regular-2025")
	agreed, refused := people("PERSON", "RECEIVING"), people("PERSON", "RECEIVING")
	refused[0].Agreed = false
	for name, c := range map[string]struct {
		p    handover.Payload
		of   code
		want handover.Date
	}{
		"cost approval":                 {handover.CostApprovalRequested{}, profile.CostApprovalReturn, "2026-03-12"},
		"cost approval by a day":        {handover.CostApprovalRequested{ReturnBy: "2026-03-06"}, profile.CostApprovalReturn, "2026-03-06"},
		"reminder":                      {handover.CostApprovalReminder{ReturnBy: "2026-03-20"}, profile.CostApprovalReturn, "2026-03-20"},
		"first review":                  {handover.TransferMeetingRecorded{Participants: agreed, NextReviewOn: "2026-06-01"}, profile.ReviewMeeting, "2026-06-01"},
		"note that nobody agreed to":    {handover.TransferMeetingRecorded{Participants: refused, NextReviewOn: "2026-06-01"}, "", ""},
		"next review":                   {handover.ReviewMeetingRecorded{Continue: true, NextReviewOn: "2026-09-01"}, profile.ReviewMeeting, "2026-09-01"},
		"last review":                   {handover.ReviewMeetingRecorded{NextReviewOn: "2026-09-01"}, "", ""},
		"signed approval":               {handover.CostApprovalSigned{}, "", ""},
		"deadline beyond what is known": {handover.TransferMeetingRecorded{Participants: agreed}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			e, waits := v.Expects(c.p, "2026-03-02")
			require.Equal(t, c.of != "", waits)
			if waits {
				require.Equal(t, c.of, e.Deadline.Code)
				require.Equal(t, c.want, e.By)
			}
		})
	}
	lippe, err := load(t, "lippe").On("2018-05-02")
	require.NoError(t, err)
	_, waits := lippe.Expects(handover.CostApprovalRequested{}, "2018-05-02")
	require.False(t, waits, "a profile without this deadline makes nobody wait")
}
