// Package directory knows who is who: which organisations there are, what type of agency each is, in which native system it works, which municipalities
// it serves and since when, what it offers, and whom to call. It answers two questions: where an organisation's records of a case stand
// ([Directory.System]), and who is responsible for a person's residence ([Directory.Receiver]).
//
// It is a file, checked when it is loaded, because nothing of it changes while the process runs and a person must be able to read and sign
// it. Everything in it is dated where time matters: a municipality merges, a service takes over another one's area. Residence is looked up by the
// number of the municipality (BFS), which follows merges: an old number in a native system leads to the municipality that it became.
//
// # The file
//
//	agencies:
//	  - {agency: SH, ask: "IIZ coordination, 041 000 00 00"}    # whom to ask when no organisation of this type is responsible
//	municipalities:
//	  - {bfs: 1059, name: Kriens}
//	  - {bfs: 1057, name: Honau, validTo: 2024-12-31, into: 1065}
//	organisations:
//	  - id: sd-kriens
//	    agency: SH
//	    system: klib
//	    name: Sozialdienst Kriens
//	    offers: [CASE_LEADERSHIP]                # capabilities of the jurisdiction profile
//	    full: true                               # it says that it has no capacity
//	    contact: {name: Counter, phone: 041 000 00 00, email: office@example.org}
//	    deputy: {name: Office}
//	    serves:
//	      - {bfs: [1059], validFrom: 2020-01-01}
//	  - id: iv-office
//	    agency: IV
//	    system: osiv
//	    instead: [{system: ivdossier, groups: [E, F]}]   # cases of these target groups stand in another system
//	    name: IV office
//	    contact: {name: Counter}
//	    everywhere: true                         # serves every municipality
//
// Rejected: a service that is asked for every message (one more thing that can be away), and a table of municipalities in Go (it is
// data of a place, and it changes every January).
package directory
