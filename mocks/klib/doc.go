// Package klib plays the case system of municipal social services by the letter of contracts/native/klib, for tests, the demo and vendors of other
// systems. It keeps what it is told, refuses what the contract refuses, and has the faults of mocks/core.
//
// Contents are checked with the schemas of the published contract itself, so that mock and contract cannot say different things. What a clerk enters
// ([Compose]) is written by hand from the contract, not with einmal's mapping table: the mock is a witness, and a witness does not
// ask the accused.
//
// Rejected: keeping references unique (the contract promises no more than a search, and a mock that is better than its contract hides errors), and
// lenient reading.
package klib
