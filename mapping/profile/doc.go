// Package profile holds what differs from one jurisdiction to another and is no wire format: agency types, processes, target groups,
// rules of admission, legal gates, deadlines, flat rates, code lists and the words for all of it. It is data, in one folder of YAML files for each
// jurisdiction; nothing of a jurisdiction is in Go code.
//
// # Versions
//
// A profile has dated versions ([Profile.On]), because rules change while cases run, and a decision must stay understandable: whoever decides stores
// [Version.ID]. An entry without "in" holds in every version; "in: [a, b]" limits it. Two entries with the same id are two wordings
// of one thing and must not share a version.
//
// Beside the rules of admission a version says how the assigning agency leads its own procedure meanwhile and afterwards ([Version.Procedure]), who pays for a measure
// ([Version.Financer]), what holds for every other message ([Version.CheckMessage]), and by when something is expected ([Version.Expects]). PRINCIPLES.md lists the principles
// of the concept and where each is held.
//
// # Conditions
//
// A rule is a condition over facts: what stands on the application, what was declared on it, what the directory knows of the parties, and
// settings of the version. A condition is all, any, not, or one comparison:
//
//	{fact: IV_PROCEDURE, is: NONE}                              a code
//	{fact: TARGET_GROUP, in: [A, B]}                            one of several codes
//	{fact: RECEIVER_OFFERS, has: CASE_LEADERSHIP}               a member of a set
//	{fact: WORK_CAPACITY_PERCENT, atLeast: 20}                  a number; also atMost
//	{fact: IV_REJECTED_ON, before: {fact: APPLIED_ON, months: -12}}   a day; also after; both exclude the day itself
//
// It is three-valued: what was not declared is neither true nor false, and the ruling says which answers are missing, but only when they
// matter. A rule whose outcome is certain without an answer does not ask for it.
//
// Rejected: a general expression language (cel-go, expr). It would need the same hand-written layer for unknown values, for naming the missing
// answers, for checking facts and codes when the profile is loaded, and for turning a condition into words; what would be left for the library is
// "and", "or" and "not". A lawyer can read the form above. Also rejected: one complete copy of all files for each version, because then nobody
// sees what has changed.
//
// # Judging
//
// [Version.Judge] is pure. It decides nothing that is a person's to decide: a judgement is only checked for having been confirmed, and an
// admissible application is still accepted or rejected by the receiving agency.
package profile
