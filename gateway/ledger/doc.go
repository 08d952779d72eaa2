// Package ledger decides what was recorded and who may write: the arbiter of "recorded once" (I2) and of the order in a case (I3).
//
// The ledger is a Kafka topic. A worker that wants to write into a native system appends an INTENT and reads the topic until it sees its own
// record; only the writer of the FIRST intent of an attempt may send. Everything else follows from the fold of the log ([View]): what is admitted, done, parked,
// ruled. No lock, no lease and no clock of two machines has to agree for that, and Redis has no part in it (gateway/claims only saves useless work).
//
// What to do next with one reference is a pure function of its state, [Decide]; the steps carry the names that the model and the simulation use.
//
// The protocol is checked in all interleavings of a small world (model_test.go; larger with make model): two workers that both own the partition, two messages of one
// case, crashes, lost requests and answers, late execution, lost appends, compaction, Redis wiped and stale, a person who rules. The model asks this package's own
// fold and [Decide], finds nothing in the product, and finds every one of some twenty mistakes, such as a key without nonce.
//
// Keys are reference|kind|attempt|nonce and the like, never one key for several contenders: compaction keeps the last record of a key, and the last of
// several contenders is the loser. Keys and values hold no personal data; native record and case numbers are a native system's own opaque ids.
//
// Rejected: claims in Redis as the arbiter (a wiped or stale Redis doubles), Kafka transactions (they say nothing about a native system, and the embedded
// broker loses records of a transaction that was open when it was killed), one ledger record for each handover that is overwritten (compaction hides the DONE behind
// a late INTENT).
package ledger
