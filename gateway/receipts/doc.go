// Package receipts tells the sender of a message what has become of it: at every place where it must stand it is recorded under a number, returned by the rules, dropped by a person for a reason,
// parked with a question, or on its way (business receipt; eCH-0058 actions 8 and 9).
//
// A receipt is no message. It is read from the fold of the ledger each time that somebody asks, so it cannot say anything else than the ledger, cannot be lost, come twice or come in another order
// than that of its case, whichever gateway answers and whatever was killed before; and no receipt can ask for a receipt. It holds nothing personal. A receipt that changes takes a new position; whoever reads
// on from the last position misses nothing.
//
// A sender's own IT reads its receipts at the address that native systems reach, with a password of its own, and sees those of its own messages only. What waits at another organisation's
// dossier is told without the reason, unless that is one of einmal's own that says nothing about the person: that a person has no IV registration is nobody else's business.
//
// The bound: a message that has been admitted and of which nothing is known at a place after so long is late, and operators are told (`einmal late`, a metric). The time
// within which a doubt about an entry settles in a system is on top: one that reads at night has its night.
//
// Rejected: a receipt as an entry in the sender's native system. The process has no running status reports (P8) and lives on few entries (P14); of some hundred receipts of a case one or two ask for an
// act of the clerk; and an entry can itself be refused, parked or doubtful, so that it would need a receipt. What the clerk must act on, the check of her application, is such an entry (application-checked).
// Also rejected: a topic or table of receipts (a second truth), and notifications to an address of the sender's (they would have to be remembered to be sent once; reading on needs no memory here).
package receipts
