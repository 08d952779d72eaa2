// Package tutoris is the mock of Tutoris, a system of municipal social services: a stateful fake that follows contracts/native/tutoris to the letter, for
// tests, for the demo and for vendors who want the other side on their desk.
//
// It is a real SFTP server on the loopback over a folder of its own. [Mock.Night] is one night window: what lies in the inbox is taken, judged and recorded, and
// [Mock.Morning] puts the result file and the export of what clerks entered into place. A test makes the nights itself and thereby decides how time goes; with
// a cadence the mock makes a night and a morning of its own in the background, so that a demo does not wait for a real one.
//
// Faults of mocks/core mean here, for a file that lies in the inbox at night: error = left for another night, error-in-doubt = taken and lost without
// a trace, duplicate = recorded twice, late = recorded in another night, lost-answer = recorded, and missing in the result. For a result file or an export: slow = it
// lies there by halves until the next round; for an export: duplicate = written again under another run, late = it comes after the next one. Faults of
// the wire are scripted with [Mock.Break]. What only a person can settle in mode C (error-in-doubt and lost-answer, and a duplicate at night) is scripted, too, and never made by chance.
//
// Documents of what is handed over are taken from the folder of documents at night, those of what clerks entered are put there before the export that names them. A test loses
// one with [Mock.LoseDocument].
//
// Mode C: the same reference twice is recorded twice, and nothing can be searched.
package tutoris
