// Package world starts the mock native systems of the first home together: KLIB, AVAM, CASEnet, OSIV, Tutoris and the dossier folder of the IV behind one address, each under a path of its own, with
// clerks' forms for package clerks. The demo, the command that serves the mocks, and the end-to-end tests use it.
//
// One listener was chosen over one for each system: an operator remembers one address, and the systems still know nothing of each other,
// because each has its own store, journal, dice and credentials.
package world
