package gateway

import (
	"slices"
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping/profile"
)

// speechless finds codes of the profile that a system has no word for: a message with one would be parked, and it is better known before the first. Only versions that hold on a
// day or later count, all of a profile that has ended.
func speechless(connected []connection, p *profile.Profile, day handover.Date) fault.Findings {
	versions := slices.DeleteFunc(p.Versions(), func(v profile.Version) bool { return v.ValidTo != "" && v.ValidTo < day })
	if len(versions) == 0 {
		versions = p.Versions()
	}
	var found fault.Findings
	for _, k := range connected {
		if k.coded == nil {
			continue
		}
		for _, v := range versions {
			for _, s := range v.Spoken() {
				known, written := k.coded.Codes(s.Message, s.Path)
				missing := without(s.Codes, known)
				if !written || len(missing) == 0 {
					continue
				}
				f := fault.Finding{
					Path: "systems." + string(k.id) + ".codes", Code: "no-word",
					Text: "the system has no word for " + strings.Join(missing, ", ") + " of the profile's list " + s.List + " (" + string(s.Message) + " " + s.Path + ")",
					Next: "name a file with code lists that have them, or correct the profile",
				}
				if !slices.Contains(found, f) {
					found = append(found, f)
				}
			}
		}
	}
	return found
}

func without(all, known []handover.Code) []string {
	var rest []string
	for _, c := range all {
		if !slices.Contains(known, c) {
			rest = append(rest, string(c))
		}
	}
	return rest
}
