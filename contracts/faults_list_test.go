package contracts_test

// What is expected of einmal when a fault strikes.
const (
	one  = "ONE"  // recorded once, no person needed
	wait = "WAIT" // nothing lost; it waits, and is recorded once then
	ask  = "ASK"  // put before a person with what is known
	rej  = "REJ"  // refused with a reason, the sender is told, a copy is kept
	stop = "STOP" // the process refuses to work
)

// theFault is one thing that can go wrong.
type theFault struct {
	what     string
	expected string
	// lacks says what of it no test shows. A fault that no test names must say why.
	lacks string
	// deviates says what einmal does in place of what is expected, and why. The expectation stays as it was written; it is not made to fit.
	deviates string
}

// theFaults are the faults that einmal must survive, in their order; the first has the number 1.
func theFaults() []theFault {
	return []theFault{
		// from a native system to its adapter
		{"a notification is delivered twice under one id, also at the same time", one, "", ""},
		{"a notification is sent again under a new id, about the same entry", one, "", ""},
		{"two handovers that are rightly the same: the same person, the same text, months apart", "two entries", "", ""},
		{"a notification is never sent", wait, "", ""},
		{"a notification comes before the record can be read", wait, "", ""},
		{"the gateway is killed after it has read, before the bus has acknowledged", one, "", ""},
		{"the gateway is killed after the bus has acknowledged, before the position has moved", one, "", ""},
		{"two rows in one second, a clock that was set back, a row that is committed late with an earlier stamp", one,
			"the contracts' positions count commits and hold no time, so a clock that is set back is not tried", ""},
		{"a page of results changes while it is paged through", one, "", ""},
		{"the update comes before the creation", wait + ", then " + ask, "",
			"ASK at once: a source is read in order and without gaps, so nothing is on its way that could be waited for"},
		{"a thousand notifications at once", "429 or 202 with a backlog, nothing lost, memory flat", "memory under a storm is not measured",
			"no backlog: all share the next reading, 204 when it is durable, 503 after a time. A notification only wakes; what it is about is read"},
		// from the adapter to the bus
		{"the broker appends and its answer is lost", one, "", ""},
		{"the leader dies after it alone has acknowledged", one, "the settings are tested and leaders are moved in the embedded broker; no cluster of real brokers loses one", ""},
		{"too few replicas, before or after the append", wait + ", " + one, "", ""},
		{"the broker is down for an hour", wait, "", ""},
		{"a retry of the producer changes the order of records", one, "", ""},
		{"a record is larger than the broker takes", rej, "",
			"ASK: what was entered stands in its native system, and there is no door at which it could be refused; it is put before a person, and its case waits"},
		{"the producer's epoch is fenced, its sequence is out of order, its id unknown", one, "", ""},
		{"a topic is missing, or was made with one replica", stop, "", ""},
		{"the number of partitions has changed", stop, "", ""},
		{"a login at the brokers has expired", wait, "", ""},
		// the bus
		{"the broker is killed and comes back", wait + ", " + one, "", ""},
		{"the broker's disk is full", wait, "", ""},
		{"power is lost at one broker, or at all of them", one + ", " + stop + " when records are gone", "the end of the embedded broker's log is torn off; a cluster with three replicas is not tried", ""},
		{"an unclean election drops acknowledged records", stop, "the logs are cut and set back in the embedded broker; no cluster of real brokers elects one that was behind", ""},
		{"retention deletes what was not processed", "alarm, then " + ask, "",
			"STOP: a topic of einmal has no retention, one that has stops the start, and records that are missing all the same were taken by somebody"},
		{"committed offsets expire", one, "", ""},
		{"compaction: one key for a handover, or one key for all contenders", one, "", ""},
		{"a hanging transaction stops readers", wait + ", an alarm names it", "",
			"ONE, without waiting or alarm: einmal begins no transactions and reads past those of others"},
		{"a corrupt record, an unknown version of the schema, a poisonous message", ask, "", ""},
		{"a tombstone for a handover that lives", "ignored, alarm", "the tombstone itself is left alone and counted; that a broker compacts on the strength of a forged one is not tried", ""},
		{"a broker's clock is wrong", one, "the ledger's times are the broker's own; a clock that jumps while a doubt settles is not tried", ""},
		{"the ledger ends before what was seen: an old backup, another cluster", stop, "a loss of the last second, when every gateway died with the brokers, is not seen (gateway/witness)", ""},
		// the gateway as a consumer
		{"a rebalance while a request is under way: the old and the new owner both act", one, "", ""},
		{"killed at each point between receiving and committing", one + ", in mode C " + ask, "", ""},
		{"paused for longer than every lease, between the last check and the answer", one + "; beyond mode B's bounds an alarm", "", ""},
		{"a handler is slower than the session", one, "", ""},
		{"parallel work on one partition completes a later record first", one, "", ""},
		{"offsets are committed by themselves", "must be off", "", ""},
		{"an old and a new version run side by side", one, "two builds run side by side only in EINMAL_CHAOS_OLDER=PROGRAM make chaos, because the tests have no earlier build", ""},
		{"a handler panics", "only its message fails; the offset stays", "",
			"ASK: its message is put before a person and the offset moves on, so that what comes behind it on the partition does not stand still"},
		{"SIGTERM in the middle", one, "", ""},
		{"the same handover twice on the bus", one, "only in its own partition: there is no topic for retries", ""},
		// Redis
		{"Redis is down at the start, or dies in the middle", one, "", ""},
		{"Redis is wiped", one, "", ""},
		{"Redis is set back to an older state", one, "", ""},
		{"Redis evicts keys", stop, "",
			"warned of at the start: Redis decides nothing, and an evicted key costs what a wiped one does (fault 45)"},
		{"Redis is full and refuses to write", wait, "",
			"ONE, without waiting: what Redis does not take is done without its advice, and counted"},
		{"a command is executed and its answer lost: the own claim looks like another's", one, "", ""},
		{"Redis is loading, read-only, busy, or has moved", wait, "",
			"ONE, without waiting: as if Redis were down (fault 44)"},
		{"the mark of what is done ends before the last possible repetition", one, "", ""},
		{"a clock jumps: a lease ends early or never", one + " or " + wait, "the lease's end is moved, no clock", ""},
		{"replies come out of order on a shared connection", one, "", ""},
		{"scripts mean something else in the embedded Redis", one, "shown by make test-real, which runs the same tests on a real Redis", ""},
		// from the gateway to a native system
		{"recorded, and the answer is lost", one + ", in mode C " + ask, "", ""},
		{"not recorded, because the request is lost", one + ", in mode C " + ask, "", ""},
		{"the request is carried out minutes after it was given up", one, "", ""},
		{"a search finds what was written only later", one, "", ""},
		{"a search finds two", "alarm, " + ask, "", ""},
		{"a search fails, is forbidden, or brings half a page", ask + " after some searches, never \"not there\"", "",
			"WAIT without an end: a person who searches the same system knows no more. It is late for its receipt (einmal_receipts_late)"},
		{"200 with an error in the body, an empty 200, a 201 that is cut short", "doubt", "", ""},
		{"301, 302, 303: a POST becomes a GET", "not followed", "", ""},
		{"307, 308: the POST goes to another host", "not followed", "", ""},
		{"a kept connection is closed while a request is sent on it", one, "", ""},
		{"a client that repeats what was carried out", one, "", ""},
		{"the native system takes back at night what it has confirmed", ask, "", ""},
		{"the native system was restored from yesterday's backup", ask, "", ""},
		{"the native system cuts, changes or loses the reference", "not used in mode A or B", "", ""},
		{"the native system forgets references after a time", "looked up or " + ask, "found by measuring for longer than the system remembers; one that begins to forget later is found by the comparison only",
			"not used in mode A: then there is no time after which sending again would double"},
		{"429 or 503, an answer that drips, an answer without an end", wait, "", ""},
		{"a refusal for business reasons", rej, "",
			"ASK: mostly an entry is refused for what somebody can put right. When a person withdraws it, its receipt tells the sender, with her reason"},
		{"a write in several steps fails in the middle", one, "our contracts write an entry in one step; documents are put before it", ""},
		{"half a document was stored", one + " or " + ask, "", ""},
		{"the native system's certificate has expired or has another name", wait, "", ""},
		{"full disk, all processes killed at once, a line that is deaf in one direction, no more files, no memory, no names, a clock an hour ahead", wait + ", " + one,
			"the first four are tried, no more files on gateways that have started (one that starts stops with words), and no memory is a kill; name service and clocks are not", ""},
		{"a person and the machine act at the same time", "one wins", "", ""},
	}
}
