// Package bus is einmal's connection to Apache Kafka: it publishes, tails one partition, consumes as a group, and makes sure that the
// three topics are what the promises need.
//
// The topics are <prefix>.handover (every message, in partitions by case), <prefix>.ledger (what was intended and done with it) and
// <prefix>.parked (what a person has to decide). A case has the same partition number in all of them, see [Bus.PartitionOf].
//
// # Decisions
//
//   - sarama, on Kafka and on the embedded broker alike. There is no second bus for tests or for small installations.
//   - Every use has its own sarama client: the producer, each tail, the group and the questions (End, ReadAt). sarama has one connection for a
//     broker in a client, and a fetch that waits for news holds up all that is behind it.
//   - No Kafka transactions. The promise rests on the ledger's first INTENT, not on them, and the embedded broker mishandles one
//     that is open when it is killed.
//   - An error of [Bus.Publish] says whether the record can have been written; it never means that it was not sent. The caller keeps
//     the record and publishes it again; readers recognise the second one by its id.
//   - Offsets are committed by this package, never by sarama on its own: only what the handler declared done, every second and when a claim ends.
//   - No compression. The payloads are sealed and do not shrink, and the ledger's records are too small.
//   - Trace context travels in the headers; propagation.MapCarrier fits Record.Headers as it is, so there is no carrier of our own.
//
// Nothing here logs. What happens inside is told through [Watch].
package bus
