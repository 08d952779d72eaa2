// Package clerks plays the people of the agencies: a plan says who enters what and in which order, Play enters it through the desks of the
// native systems, and Check reads the systems' journals afterwards and says whether every entry stands once wherever it must. Count counts the standard report from the
// same journals.
//
// A clerk acts only on what she sees: a step is entered in her own system as soon as the step before it stands there, in a dossier of her
// organisation. So an order that is lost on the way stops the play instead of being covered up. Every entry carries a marker in its
// remark, such as "[M0007-03]"; records are counted by it.
//
// What is handed over between whom, what is declared, what einmal has to answer and what becomes of the assigning agency's own procedure stands in lucerne.yaml, which was written from
// the concept and the evaluation. Check knows nothing of the gateway, its ledger, its mappings or its profile: it reads plan and journals. A test of gateway/directory holds the two
// tables against each other. Rejected: asking the gateway what it delivered, or the profile what it admits, because the accused would be the witness.
//
// A case stands at places ([Place]), not in systems: two social services that hand over to each other may work in one system, each in a dossier of its own.
package clerks
