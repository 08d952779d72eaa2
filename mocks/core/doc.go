// Package core is what all mock native systems share: a store with a journal on disk, dice for faults, the desk at which a clerk works, and the
// control interface for tests.
//
// The journal is the truth of every test: a line is fsynced before the store answers, so what a test finds in it was recorded and
// what it does not find was not, whatever the gateway believes. One fsync serves all writers that wait for it (group commit).
//
// Faults act on the native interface only, never on the desk, and they are honest: a lost answer is lost after the journal is on disk, a late execution happens
// although the client saw its connection cut. A mock that only pretended to be in doubt would prove nothing.
//
// Rejected: a database (the journal must be readable with any text tool when a test fails), and scripted stubs that answer without
// keeping a state (a double entry would go unseen).
package core
