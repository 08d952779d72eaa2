// Package tutoris is the adapter for Tutoris, a system of municipal social services: files over SFTP by the contract in contracts/native/tutoris, read by
// the other side at night, with a result file in the morning. Mode C: the same file twice is recorded twice, and nothing can be searched.
//
// The system answers later. Apply puts one file with one entry into the inbox and says that nobody knows (handed-over); Find learns the outcome from the result
// files. That a reference stands in none of them proves nothing, and when the time for an answer is over the gateway asks a person.
//
// A file is written under a name that begins with a dot, which Tutoris does not read, and renamed when it is whole. When the answer to the renaming is lost, the
// adapter removes the file under its first name: a file that is gone cannot be renamed any more, so after that it either stands in a folder of
// Tutoris, which can be seen, or it was provably never handed over. Only when that cannot be done within the call is there a doubt. Before it writes, Apply looks
// at the results and the inbox: what is recorded already, or lies there already, is not written again, whoever asked for it. The name of the file counts
// the attempts, so that the refusal of one is not taken for that of the next, which a person may have ordered.
//
// A process that has just begun does not read the results of months for that: reading them takes longer than a call may, and a process that is ended again and again would never come to hand anything over. The
// archive keeps a file for 60 days, so that a message of these days which lies in no folder was never handed over, and about one that lies there only the results that were written after it can say
// anything.
//
// The entries of the staff carry export numbers without a gap, and the names of the export files say which ones they hold. A position is the number that
// was read last, with a check over its entry: so files may come in any order, twice, overlapping or again, and be removed when they are old; a missing
// or half-written one is waited for and, when it does not come, put before a person, and nothing behind it is read before it.
//
// Documents lie in a folder of their own, each under its hash, and are put there before the entry that names them is handed over. Putting one again changes nothing, so that a
// connection which breaks is never a doubt.
//
// Every call has a connection of its own, which ends with it. Rejected: to keep one open for all (a call that ends would cut the others in the middle of a
// renaming), and to forget the host key check for a first connection: an unknown host key is refused, with its fingerprint.
//
// Rejected: to remove or move what Tutoris wrote when it was read (another reader, or a gateway with an older position, could not read it again), and a file of our own
// that remembers what was read.
package tutoris
