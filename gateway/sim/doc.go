// Package sim plays einmal's real intake, ledger, delivery, scheduling and reconciliation in a world that goes wrong on purpose, in virtual time, from a seed.
//
// The world holds native systems with journals, a log, a bus and a Redis in memory behind the interfaces that the product declares, several
// gateway processes that are killed, stopped for a while and restarted, on most days with what they have kept of the ledger on their disks, clerks who enter records, operators who rule on what is parked, and an auditor who compares the ledger with the native systems
// all day: as the world keeps to its bounds, whatever she finds is an error of the product or of the comparison. A checker
// ([Result.Findings]) that shares no code with the product reads the native journals, the list of what the clerks entered and the list of what is parked, and says
// what was lost, recorded twice, out of order or without explanation. At the end it holds every receipt against the same journals and lists.
//
// A seed reproduces, to the nanosecond: every chance is drawn by the name of what happens and the virtual time ("gateway-2 appends the INTENT of that
// reference at 12.3 s"), never by the order in which goroutines ask, and every call of an interface takes a time drawn to the nanosecond, so that virtual time
// orders what happens. The scheduler of Go decides only in which order goroutines run that wake in the same nanosecond, and those do different things. TestASeedReproduces
// compares whole histories. A seed belongs to a commit: whoever changes what the product asks of its world, or the world, changes what every seed plays.
//
// That the simulation sees is proven by planting errors (mutants_test.go): each must be found in less than 1,000 seeds, by the promise that it breaks. Most are
// hunted in every test, the others, and many more seeds, by make sim.
//
// Rejected: a scheduler of our own that runs one goroutine at a time (the product would have to be written for it), and mocks/world over real sockets
// (a bubble of testing/synctest has no network; gateway's own tests do that).
package sim
