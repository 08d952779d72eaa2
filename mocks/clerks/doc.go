// Package clerks plays the people of the agencies: a plan says who enters what and in which order, Play enters it through the desks of the
// native systems, and Check reads the systems' journals afterwards and says whether every entry stands once wherever it must.
//
// A clerk acts only on what she sees: a step is entered in her own system as soon as the step before it stands there, in a dossier of her
// organisation. So an order that is lost on the way stops the play instead of being covered up. Every entry carries a marker in its
// remark, such as "[M0007-03]"; records are counted by it.
//
// Check knows nothing of the gateway, its ledger or its mappings: it reads plan and journals. Rejected: asking the gateway what it
// delivered, because the accused would be the witness.
package clerks
