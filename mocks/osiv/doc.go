// Package osiv is the mock of the disability insurance's system and of the carrier between (sedex): a stateful fake that follows contracts/native/osiv to the
// letter, for tests, for the demo and for vendors who want the other side on their desk.
//
// It works on the folders of the sedex interface as einmal sees them. One [Mock.Step] is one round of carrier and system: what lies in the outbox is taken,
// what is due is delivered, recorded and answered, and what clerks entered is put into the inbox. A test makes the rounds itself and thereby
// decides how time goes; with a poll time the mock makes them in the background.
//
// Faults of mocks/core mean here, for a pair that is taken from the outbox: error = given up with a receipt (400), error-in-doubt = lost
// without a trace, late = delivered later, slow = its receipt comes later, lost-answer = its business report comes later; and for a pair that is put into the
// inbox: duplicate = put there twice, slow = written by halves over two rounds. Receipts of a duplicate come before those of
// the first.
//
// Rejected: a mock that answers within the call. That a receipt is not yet a record is the point of this system.
package osiv
