package ech0058

import (
	"slices"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
)

// Actions of eCH-0058 as they stand in a frame.
const (
	actionNew            = "1"
	actionRecall         = "3"
	actionCorrection     = "4"
	ActionReportNegative = "8"
	ActionReportPositive = "9"
)

// Frame is where a system keeps the message frame in its contents.
type Frame struct {
	// Namespace and Element are the first child of a content, which holds the frame.
	Namespace, Element string
	// HeaderNamespace is that of the frame's values.
	HeaderNamespace string
}

// Value returns a value of a content's frame, "" when there is none.
func (f Frame) Value(content *etree.Element, local string) string {
	return Value(Child(content, f.Namespace, f.Element), f.HeaderNamespace, local)
}

// Revises returns what a content does to which earlier entry; nothing for a new entry.
func (f Frame) Revises(content *etree.Element) (handover.Action, native.RecordID) {
	does := map[string]handover.Action{actionRecall: handover.ActionRecall, actionCorrection: handover.ActionCorrection}[f.Value(content, "action")]
	if does == "" {
		return "", ""
	}
	return does, native.RecordID(f.Value(content, "referenceMessageId"))
}

// Revised returns the entry that a recall or correction is about: one of the same kind in the same case, by the same sender, that was not recalled and is no recall itself.
func (f Frame) Revised(s *core.Store, w core.Write, content *etree.Element) (core.Entry, bool) {
	entries, _ := s.Case(w.Case)
	i := slices.IndexFunc(entries, func(e core.Entry) bool { return e.ID == w.Refers })
	if i < 0 || entries[i].Kind != w.Kind || entries[i].Action == handover.ActionRecall {
		return core.Entry{}, false
	}
	first, recalled := history(entries)
	earlier, err := strict.XML(entries[i].Body)
	if err != nil || recalled[first[w.Refers]] || f.Value(earlier, "senderId") != f.Value(content, "senderId") {
		return core.Entry{}, false
	}
	return entries[i], true
}

// history tells of every entry which one was said first, and which of those were recalled.
func history(entries []core.Entry) (first map[native.RecordID]native.RecordID, recalled map[native.RecordID]bool) {
	first, recalled = map[native.RecordID]native.RecordID{}, map[native.RecordID]bool{}
	for _, e := range entries {
		switch e.Action {
		case handover.ActionRecall:
			recalled[first[e.Refers]] = true
		case handover.ActionCorrection:
			first[e.ID] = first[e.Refers]
		default:
			first[e.ID] = e.ID
		}
	}
	return first, recalled
}

// State returns the last value of an element of the contents of a case that is in force: what a recalled entry says is not, unless the recall itself says it.
func (f Frame) State(entries []core.Entry, local string) string {
	first, recalled := history(entries)
	state := ""
	said := map[native.RecordID]string{} // by the entry that was said first
	var order []native.RecordID
	for _, e := range entries {
		content, err := strict.XML(e.Body)
		if err != nil {
			continue
		}
		by := e.ID // a recall speaks for itself
		if e.Action != handover.ActionRecall {
			by = first[e.ID]
		}
		order = append(slices.DeleteFunc(order, func(id native.RecordID) bool { return id == by }), by)
		said[by] = Value(content, f.Namespace, local)
	}
	for _, id := range order {
		if said[id] != "" && !recalled[id] {
			state = said[id]
		}
	}
	return state
}
