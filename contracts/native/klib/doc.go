// Package klib holds the published contract of KLIB, the case system of municipal social services: openapi.yaml (OpenAPI 3.1) says what
// stands in every request and answer, README.md says what the system promises and what einmal does with each answer. Nothing else is
// needed to build a system that works with einmal.
//
// No public interface to KLIB exists, so the contract is einmal's own. It describes what such a system can be expected to offer at most:
// a list of entries in the order of commit, read by a mark, and a search by reference that lags behind (mode B). The system does not
// recognise a second write of the same entry; whoever writes twice has two entries.
//
// Rejected: reading by time stamp (two entries in one second, clocks that go back, late commits), one resource for list and search (an
// ignored parameter would turn a search into a list), and 4xx codes by kind of refusal (any proxy answers 400, 404 or 409; a refusal must
// be the system's own word).
package klib

import _ "embed"

//go:embed openapi.yaml
var openapi string

// OpenAPI returns the contract document, OpenAPI 3.1 in YAML. The caller owns the bytes.
func OpenAPI() []byte { return []byte(openapi) }
