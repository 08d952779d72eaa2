// Package ivdossier is the mock of an IV office that keeps its cases in a dossier folder: a stateful fake of its staff and their office program, by
// contracts/native/ivdossier, for tests, for the demo and for people who want to see the folder filled.
//
// Staff fill in the blank forms that lie in the folder, or make a form of their own; they save as office programs do (a file beside it, then renamed), and sometimes as they should not. One
// [Mock.Step] is one look of theirs into the folder: what was begun is finished, what came is read into the journal, what clerks entered at the desk is saved as documents. A test
// makes the rounds itself; with a poll time the mock makes them in the background.
//
// The journal has one line for every document of einmal's that lies in a case folder, not for every reference: a document that was written twice stands in it twice.
//
// What a document of a clerk names as documents is saved beside it as files, under the names that they have at the desk. A clerk who recalls or corrects an entry looks its number up in the history
// of the register; until it stands there, she waits.
//
// Faults of mocks/core mean here, for a document that is saved: slow = half of it is written in place, the rest with the next look, or, if it comes with files, those with the next look; late = it is saved as a draft with the lock
// of an office program beside it, and released with the next look; duplicate = a copy of it is saved under another name.
//
// Rejected: using the adapter's own reader and writer of workbooks. A witness that asks the accused proves nothing.
package ivdossier
