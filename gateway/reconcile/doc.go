// Package reconcile compares the ledger with what stands in the native systems, and says what differs: entries that are missing, extra, double or drifted, and
// outcomes that are unknown and that nobody was asked about. It changes nothing: what is to be done about a finding is a person's decision.
//
// It is the check on everything else, so it shares nothing with delivery. It reads the raw ledger topic by its published form (contracts/schema, asyncapi.yaml) with a fold of its
// own ([Book]), not with the ledger's view or its rules, and the native systems by their lists ([adapters.Source], from the beginning), not by the search that delivery relies on. It imports
// no other package of the gateway; a test holds it to that.
//
// Reading while others write. A comparison of two lists that are not of one moment invents differences; which ones depends on the order. Native list first: an entry that is made
// meanwhile is DONE and not in the list ("missing"). Ledger first: its INTENT is not in the ledger and the record is in the list ("extra"). So the ledger is read around the list: its ends are
// noted before ("before") and after ("after") the list is read, and
//   - missing needs a DONE below "before": it was true before the list was begun, and a DONE is never taken back by a machine;
//   - extra, double and drifted are judged by everything below "after": a record in the list was announced (INTENT) before it was made, so before the list ended, so below "after";
//   - extra, of an attempt that left nothing by the ledger, is judged when it is older than all of the system's bounds, too: until then somebody is about to try again, and finds it;
//   - unknown and unasked is judged by everything below "after", and only for an INTENT older than all of the system's bounds.
//
// What the argument does not cover is a list that lags behind its own system: entries younger than the bounds ([adapters.Bounds.Settle]) are in flight, not missing. And whatever is found
// is looked for once more, with a new list between new ends; only what is found twice is a finding. Clocks are compared only for ages, never for the order of events.
//
// What cannot be compared is listed as not comparable, never as fine: a system that answers later (sedex, a batch at night) does not list what einmal wrote, it only reports what it once
// did with it, and a report does not vanish with a record; a system that is not read; a system that is no longer in the configuration. That a list shows what einmal wrote, with
// the reference, is measured for all others by adapters/adaptertest.
//
// Not compared: what clerks entered themselves. The ledger does not hold the numbers of those records, only ids derived from them with a key; a system that was set back has lost them
// too, and whoever reads the list of what is missing must think of them. Not compared: contents. einmal keeps none but sealed messages, a native system may write the same content in other bytes, and making the entry anew from the message would be delivery's own code (and
// another version of the mapping than the one that wrote it). Two open cases of one person are not looked for either: the person is in the sealed payload only, and this package has no
// key. delivery looks for them with the keys, in memory, once more after the second one has its place in the ledger.
//
// What was put before a person waits until she decides, also when the next comparison does not find it any more: what came and went by itself is worth a look.
//
// When. At its time, and before it for a system in which a gateway has read a record of einmal's that is not the one the ledger knows (gateway/intake): of a request that the network delivers after every
// bound of mode B somebody hears within minutes, not within a day. What was noticed is not handed over: the comparison finds it by itself, or does not.
//
// Rejected: to ask each system for each reference (a search that lags or fails looks like a loss, a record that was never announced is never asked for, and a million requests); to keep the state of a
// run for the next one (it could be wrong in the same way as what is checked); to repair by machine (nobody knows why a record has gone).
package reconcile
