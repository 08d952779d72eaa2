// Package schema holds the canonical messages as others see them: one JSON Schema (2020-12) for the payload of each message,
// <message>.v1.schema.json, and the bus as AsyncAPI 3, asyncapi.yaml. They are embedded, so that a program can serve them.
//
// The Go types of package handover are the source. A test writes the files anew from them (go test ./contracts/schema -update) and fails when they
// differ; other tests hold each limit of a schema against what Validate says. What a schema cannot express stays in Validate alone:
// the check digit of an AHV number, that a day exists, and rules between two members, such as the order of two dates.
//
// A published version never changes incompatibly. testdata/published holds what was published; a change after which a document that was
// valid is refused fails a test, and needs a new version of that message. Compatible changes are published with
// go test ./contracts/schema -publish.
//
// Rejected: schemas as the source and generated Go types (the types would lose their masks and their words), and limits as struct tags (they
// would stand twice in the same file, once as a tag and once in Validate, where most rules need code anyway).
package schema
