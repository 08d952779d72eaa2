// Package measure finds out by experiment in which mode a native system can be used, and how long it takes for what the promise "recorded once" rests on.
//
// [Run] works with one connected system through its own adapter, as the gateway does, and shares no decision with the gateway. It writes forms that a
// [Forms] gives, does to them what happens in operation (the same reference again, one after the other and at once; requests that are cut at
// random moments; references that differ in one character), and keeps every attempt and every sighting in a journal. What
// follows from the journal is judged afterwards, by functions that do no input or output. A finding rules out modes; the verdict is the best mode that nothing rules out.
//
// An experiment can refute a promise and never prove one: what was measured is the least that a bound must be. A [Record] of a measurement is kept in
// a file, and a gateway refuses a better mode or shorter bounds than its record says.
//
// Not measured: the clock margin and the time between INTENT and request, which are the gateway's own; a case without any entry, which no adapter can see (the report
// names the case references of the test, for a look by hand); a key memory longer than the run was told to wait for.
//
// Rejected: asking the system (its status, its vendor) for mode and bounds. Rejected too: a fixed list of expected answers, which repeats the adapter's own idea of the system.
package measure
