// Package casenet is a stateful fake of the shared case platform CASEnet, by the contract in contracts/native/casenet: it writes each entry once,
// refuses what the contract refuses, serves the feed in commit order and sends signed webhooks.
//
// What stands in requests is checked against the schemas of the published contract itself, so that contract and mock cannot drift; only
// the rules that a schema cannot say are written here. Webhooks are sent as badly as the contract allows: some twice, some late and
// out of order, some never, because a gateway that needs them is wrong.
//
// [Compose] fills in the platform's forms by hand from the contract. It must not use the mapping tables: a mock that shares them could not
// witness against them.
package casenet
