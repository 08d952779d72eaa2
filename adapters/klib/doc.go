// Package klib connects einmal with a case system of municipal social services by the contract in contracts/native/klib: REST with JSON, a bearer token,
// entries read by a mark (Marke), a search by reference that lags behind (mode B).
//
// The position of the source is the system's mark, as it is; nothing else is needed to go on after a restart. The ETag only saves bytes and is
// kept in memory. It is sent only to repeat a request whose answer was empty: sent after an answer with entries that the gateway could not
// keep, a 304 would say "nothing new" about entries that nobody has.
//
// A page is taken apart leniently and each entry in it strictly, so that one entry that is not what the contract describes is parked by itself and does not
// stop the stream. Only an answer that cannot be taken apart at all, such as a proxy's page, is read again.
//
// Documents go under their hash and are streamed. The system checks the hash, so what stands under it is right whatever the way there did; an unclear answer is no doubt but a reason to
// store it again.
//
// Rejected: starting from the beginning when the system does not know the mark (410). It then was restored from an older backup; whether what it lost is entered
// again, and under which ids, a person must decide.
package klib
