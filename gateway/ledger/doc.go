// Package ledger decides what was recorded and who may write: the arbiter of "recorded once" (I2) and of the order in a case (I3).
//
// The ledger is a Kafka topic. A worker that wants to write into a native system appends an INTENT and reads the topic until it sees its own
// record; only the writer of the FIRST intent of an attempt may send. Everything else follows from the fold of the log ([View]): what is admitted, done, parked,
// ruled. No lock, no lease and no clock of two machines has to agree for that, and Redis has no part in it (gateway/claims only saves useless work).
//
// What to do next with one reference is a pure function of its state, [Decide]; the steps carry the names that the model and the simulation use.
//
// The view of a gateway that has run for years is not in memory: it holds what is open, and takes a case from its own disk when somebody asks about it ([Shelf]). Kept are the records, not what they were folded
// into, so a case from the shelf is the case that the whole ledger gives; a view that cannot read its shelf answers nobody.
//
// The protocol is checked in all interleavings of a small world (model_test.go; larger with make model): two workers that both own the partition, one or two messages of one
// case, up to three attempts of each, crashes, lost requests and answers, late execution, refusals at once and later, lost appends, compaction, Redis wiped and stale, a person who rules. The model asks
// this package's own fold and [Decide]; what gateway/delivery does with a step is written down there again, and only gateway/sim runs delivery itself. It finds nothing in the product, and finds every one of
// some thirty mistakes, such as a key without nonce, or a refusal that counts although another attempt was announced.
//
// It leaves out the gate (so the order of a recall and what it is about, and second claims), documents, a ledger that was set back, gateways of another version, searches that fail, what a carrier
// gives up, and the refusal of a hand-over to a system that answers later. Compaction is checked with two attempts at most, and not together with Redis.
//
// That nobody is told of a refusal of what stands, or may still be executed, rests in mode A on more than the ledger: the system is searched, or, where it cannot be, sent to once more when everything has
// come to its end (the model has only the search), and if it answers later, it executes nothing after the time to answer. The model finds what happens otherwise.
//
// Keys are reference|kind|attempt|nonce and the like, never one key for several contenders: compaction keeps the last record of a key, and the last of
// several contenders is the loser. Keys and values hold no personal data; native record and case numbers are a native system's own opaque ids.
//
// Rejected: claims in Redis as the arbiter (a wiped or stale Redis doubles), Kafka transactions (they say nothing about a native system, and the embedded
// broker loses records of a transaction that was open when it was killed), one ledger record for each handover that is overwritten (compaction hides the DONE behind
// a late INTENT).
package ledger
