// Package casenet connects einmal with the shared case platform CASEnet, by the contract in contracts/native/casenet: JSON over HTTP, a feed in
// commit order, signed webhooks, and an external reference that is unique for ever (mode A).
//
// What einmal concludes from an answer to a write is one table (judge, in sink.go). It goes by the pair of status and problem code
// that the contract lists; a bare status proves nothing, because any proxy on the way can send it, so whatever is not listed is doubt. In
// mode A doubt is cheap: the gateway sends the same entry again, and the 409 names the record.
//
// Documents go under their hash and are streamed. The platform checks the hash, so what stands under it is right whatever the way there did; an unclear answer is no doubt but a reason to
// store it again.
//
// Rejected: a Finder. The 409 answers the only question that a search would, in one step and without an index that lags. Rejected
// too: the header Idempotency-Key, for the reasons in the contract.
package casenet
