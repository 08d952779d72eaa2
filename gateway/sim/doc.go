// Package sim plays einmal's real intake, ledger, delivery and scheduling in a world that goes wrong on purpose, in virtual time, from a seed.
//
// The world holds native systems with journals, a log, a bus and a Redis in memory behind the interfaces that the product declares, several
// gateway processes that are killed, stopped for a while and restarted, clerks who enter records, and operators who rule on what is parked. A checker
// ([Result.Findings]) that shares no code with the product reads the native journals, the list of what the clerks entered and the list of what is parked, and says
// what was lost, recorded twice, out of order or without explanation.
//
// A seed reproduces: every chance is drawn by the name of what happens ("gateway 1-2, append, INTENT of that reference, third time"), never by the order in
// which goroutines ask, and every call of an interface takes a time drawn to the nanosecond, so that virtual time orders what happens. What is left to the scheduler of Go is the order of
// goroutines that wake in the same nanosecond; TestASeedReproduces measures how often that shows.
//
// Rejected: a scheduler of our own that runs one goroutine at a time (the product would have to be written for it), and mocks/world over real sockets
// (a bubble of testing/synctest has no network; gateway's own tests do that).
package sim
