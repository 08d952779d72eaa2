// Package handover is the vocabulary of einmal: what agencies say to each other when one hands the
// leadership of a case (Fallführung) over to another, in words that belong to no native system.
//
// A [Message] is an [Envelope], which is public within the gateway and holds no personal data, and a
// [Payload], which is sealed before it reaches the bus. The catalogue ([Catalogue]) lists every message;
// [Transitions] is the one table of states and of who may send what in which state.
//
// The envelope follows CloudEvents 1.0. Its ids are derived by the gateway from the native record that
// a message came from, so that reading the same record twice gives the same message. Source: concept
// OPTIMA phase 2 (2016), chapters 3.1 to 3.3 and 6.2, and the catalogue derived from them.
//
// Rejected: one generic "event with a map of fields" (nothing would hold the mappings to the catalogue),
// and using the eCH-0058 header as the envelope (it is XML with a partner's ids in it; the AVAM mapping
// translates it, see contracts/native/avam).
package handover
