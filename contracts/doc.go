// Package contracts is the vocabulary that all parts of einmal share; it holds no code of its own. What stands below it:
//
//   - fault: what a failure is and what happens next;
//   - personal: values that say something about a person and mask themselves;
//   - handover: the canonical messages, their envelope, and the table of states;
//   - schema: the same messages as published JSON Schema and AsyncAPI;
//   - native: what adapters and mappings hand to each other, and the published contract of each native system;
//   - strict: the readers for JSON and XML from outside.
//
// Everything may import the vocabulary, and the vocabulary imports nothing else of the module:
//
//	contracts <- {mapping, adapters} <- gateway <- cmd
//
// The tests of this package hold the whole module to that direction, to its folders, and to the file set of an adapter: a
// rule that only stands in a document is broken by the third contributor.
package contracts
