// Package osiv is the adapter for the disability insurance's system (IV): the file interface of sedex by the contract in contracts/native/osiv.
//
// The system answers later. Apply puts a pair of files into the outbox, under the reference as message id, and says that nobody knows (handed-over); Find
// learns the outcome from OSIV's business report. A receipt of the carrier is never taken for a record: 100 only says that the other side has the
// message. Writing the same reference again leaves one pair, or one that the carrier refuses as a duplicate (201): mode A. A reference whose
// message was given up undelivered can be handed over again under the same name.
//
// The inbox knows no order that one could go back to, so the adapter makes one: a whole pair is linked into the folder of processed files under the next
// free number, and only then taken out of the inbox. A link is made or it is not, so two gateways can do this at the same time and a crash leaves
// the pair in one place or in both; a position is that number, and everything can be read again. What came about one message, reports and receipts, lies linked or moved in a folder of its own: a search
// looks there and lists nothing else. Half-written files wait in the inbox, and what came together with them, or later, waits as long, for `settle` at most: they may come before it. What is for other
// applications of the same sedex participant is left alone.
//
// OSIV can hold only persons with an IV registration (P7). The mapping decides that; this adapter hands nothing over that the contract's guard denies.
//
// Documents lie in a folder of their own beside the four of the interface, each under the hash of its bytes: staged there before the entry that is to take them along, or
// unfolded from the payload before the entry that came with them is reported on. An entry whose documents are not all there, with exactly their bytes, is not sent, and
// not read: it is put before a person. Nothing is deleted there by einmal, because nobody tells when a document was fetched for the last time; the contract says what may
// be deleted by age.
//
// All access goes through os.Root, which keeps links from leading out of the folders. Rejected: locks (they stay behind after a crash, or do not work on file
// shares), a file of our own that remembers what was read (it can differ from what is there), and waiting for files to stop growing (the contract has
// the envelope renamed into place last, and both files are checked to their last byte).
package osiv
