// Package casenet holds the published contract of the shared case platform CASEnet: openapi.yaml (OpenAPI 3.1) says what stands in every
// request and answer, README.md says what the platform promises and what einmal does with each answer. Nothing else is needed to build a
// platform that works with einmal.
//
// No public interface to CASEnet exists, so the contract is einmal's own. Three decisions carry it. Every write has an
// externalReference that is unique for ever, so that a second write of the same entry is answered with the record that stands there (mode A).
// What einmal concludes from an answer hangs on a listed pair of status and code, never on a status that any proxy could have sent. And
// news are read from a feed in commit order; the webhook only says that it is worth looking.
//
// Rejected: the header Idempotency-Key (keys end after a day with most products, and Go's HTTP client resends by itself when it is set),
// a search by reference (the 409 answers the only question that a search would), and webhooks that carry the record (a lost one would be a
// lost record).
package casenet

import _ "embed"

//go:embed openapi.yaml
var openapi string

// OpenAPI returns the contract document, OpenAPI 3.1 in YAML. The caller owns the bytes.
func OpenAPI() []byte { return []byte(openapi) }
