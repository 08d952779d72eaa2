// Package table is the engine behind the mappings: one table for each native system says which field of a record is which value of a
// message, and is used in both directions. The table is data, so that it is at once the program, the documentation
// ([Table.Markdown]) and the source of the test that no field vanishes (I4).
//
// # The table
//
//	system: klib
//	format: json                      # or xml
//	namespaces:                       # xml only; names without a prefix are in the namespace "default", or in none
//	  default: urn:example:klib:1
//	codes:                            # canonical code: native code, one to one
//	  sex: {MALE: m, FEMALE: w, UNKNOWN: u}
//	fields:                           # groups of rows that several messages include
//	  contact:
//	    - {native: name, canonical: name, rule: text, max: 100}
//	messages:
//	  application-submitted:
//	    kind: anmeldung               # the native kind
//	    root: Anmeldung               # xml only: the root element of the content
//	    fields: [rows]
//
// The canonical codes are those of the jurisdiction's profile (mapping/profile/lucerne); the gateway does not start when a system has no word for one of them. A list has any name
// and stands in the table only when a row uses it.
//
// A row has one of five forms. Paths are names joined by dots, with [] after a list: "participants[].name". In XML a name may have a prefix
// ("eCH-0044:vn") and the last one may be an attribute ("@unit"); elements are written in the order of the rows.
//
//	{native: P, canonical: P, rule: R}          carried in both directions
//	{native: P, outside: N, rule: R}            a value beside the payload, see [Outside]
//	{native: P, const: V, because: ...}         written always; must be there and equal when read. "2025" is a text, 2025 a number
//	{canonical: P, const: V, because: ...}      the same for a value that the native side does not have
//	{native: P, drop: true, because: ...}       read and dropped on purpose
//	{canonical: P, drop: true, because: ...}    not written on purpose; P may be an object and stands for all values in it
//	{native: P, canonical: P, include: G}       the rows of group G below these paths; either may be left out
//
// Further keys: optional (the value, or the group as a whole, may be missing), max (most characters) and charset (latin1) for text, list for codes,
// because for whatever stands out.
//
// # The rules
//
//	text                        unchanged; longer than max or outside the charset is an error, never cut or replaced
//	text-int                    native whole number, canonical text of digits
//	int, int-text               native whole number, or the same as text
//	bool, bool-ja, bool-code    true or false ("1" and "0" too in XML); J or N; a list with the codes TRUE and FALSE
//	code, code-int              native text or number through a list
//	date, date-dmy, date-compact        YYYY-MM-DD, DD.MM.YYYY, YYYYMMDD; a day is never converted
//	instant, instant-local      RFC 3339 with offset; DD.MM.YYYY HH:MM in Europe/Zurich, where a time that clocks show twice or never is an error
//	ahv, ahv-dotted, ahv-int    13 digits; 756.XXXX.XXXX.XX; 13 digits as a number
//	amount, amount-number       native "1234.50" or the number 1234.5, canonical centimes; exact, never through floating point
//
// # Other words in the same fields
//
// A table's code lists are those of its first home. Another jurisdiction, or one installation, puts a file with lists of its own into their place
// ([Table.WithCodes]); rows stay, because the fields are the system's. Lists are replaced whole: a list that is partly one place's and partly another's could hold a code that
// nobody meant to offer.
//
// # What is promised
//
// Reading and writing report every finding at once: a field without a row, a code without an entry, a value that the other side cannot hold
// exactly, a value that is missing, an element twice. Null, "", and an empty object or list say the same as a field that is not there. Findings name
// places, never values. [Load] refuses a table that leaves any value of a message unmentioned.
//
// Rejected: expressions or scripts in the table (they could coerce in silence again, and nobody could turn them round); one table for each
// direction (they drift apart).
package table
