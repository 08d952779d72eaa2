// Package avam is the mock of the unemployment offices' system: a stateful fake that follows contracts/native/avam to the letter, for tests, for
// the demo and for vendors who want the other side on their desk.
//
// It judges what it gets by the contract's own schema files, read by a small interpreter (mocks/xsd), and by the rules of the contract's README beyond them
// (rules.go). A validation written down a second time in
// Go was rejected: it would agree with its author and not with the schema. The forms that its clerks fill in (compose.go) are written by
// hand from the contract and share nothing with einmal's mapping, so that each finds the other's mistakes.
package avam
