// Package ivdossier is the adapter for the dossier folder of an IV office, by the contract in contracts/native/ivdossier: a register and documents that staff open with
// their office program, for persons whom OSIV cannot hold (P7).
//
// Who writes what. Every file has one author for ever. Staff write documents and release them; einmal reads them and never changes, moves or deletes one. einmal
// writes documents of its own, each once, under a name that nothing stands under; staff who change one change a file that einmal never looks at again. So two
// programs never write the same document, and no lock is needed for nothing to be lost: locks of office programs are a courtesy (what somebody has open is not read, and the register
// is not replaced), and one that was left behind loses its effect after a time.
//
// The register is the one file with two authors. It is a projection: all of it can be made anew from the entries, save the two columns that staff own. einmal replaces it as a
// whole: whatever lies there is renamed aside, unread or not, and the new version is linked into the empty place; if somebody saved in between, that version stays and is taken next.
// What was set aside is merged before it is filed away, so every version that was ever saved is merged. Merging is done cell by cell between what einmal wrote in the version that was
// edited, what the cell says now, and what was saved; two edits of one cell are both kept, one below the other. Each version that einmal wrote is kept beside as data, so that the edit of somebody who had
// an old version open for days is still an edit and not a return to old times. What a merge cannot carry (changed cells of einmal's, a column more, a file that cannot be read) is put
// before a person with the version that holds it.
//
// Mode A. An entry is committed by a hard link under a name that is made of its reference: it is made or it is not, whoever tries, and a second try finds the first. The document in the case
// folder and the place in the journal follow from it and are made up for by whoever comes next after a crash. The journal is a folder of numbered links; a position is a number, and
// everything can be read again. The experiment (adaptertest, every crash point, writers side by side) bears it out, on a file system that knows hard links; Ping tries that.
//
// What staff released is known by its content, not by its file name: a renamed or copied document says the same thing once. A document that was taken and is changed afterwards is put before
// a person. Half-written files are never read: a workbook has its directory at the end and a checksum for every part. They hold back what was saved later in the folder of
// their case, for `settle` at most.
//
// Documents. A content is kept in einmal's own folder under its hash; that is what entries go by. What lies in a case folder is a copy under a name made of the entry's number: staff may do with it what
// they like. A link to the kept one was rejected, because programs that save in place would change what was said. What staff send is read when their form is taken, and neither name nor later changes of the file
// matter to what was said.
//
// Rejected: answers in cells of the register (a cell has no author, no time and no end, and can be undone after it was sent); moving documents that were read (their author may have them
// open); documents as the only truth (staff may delete and rename them, and then nobody could tell whether a reference was recorded); file locks (they stay behind after a crash, or do
// not work on file shares); a reader of our own for workbooks (excelize reads what the office programs write; before it sees a file, sizes and places of cells are checked).
package ivdossier
