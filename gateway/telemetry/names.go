package telemetry

// The names of all spans. This file belongs to the vocabulary of operators: dashboards and searches use these names.
const (
	SpanIntake  = "intake.record"    // one record read from a native system; the root of a trace
	SpanPublish = "intake.publish"   // its message on the way to the bus
	SpanDeliver = "delivery.message" // one message on its way to one destination
	SpanApply   = "delivery.apply"   // one request to a native system
	SpanLookup  = "delivery.lookup"  // one search by reference
)

// The keys of all span attributes. None of them holds personal data.
const (
	AttrSystem      = "einmal.system"       // native system
	AttrKind        = "einmal.native_kind"  // the native system's word for a record
	AttrCase        = "einmal.case"         // case id
	AttrMessage     = "einmal.message"      // message id
	AttrMessageName = "einmal.message_name" // name in the catalogue
	AttrDestination = "einmal.destination"  // system/organisation
	AttrReference   = "einmal.reference"    // einmal's name for the record at its destination
	AttrAttempt     = "einmal.attempt"      // number of the attempt
	AttrMode        = "einmal.mode"         // A, B or C
	AttrOutcome     = "einmal.outcome"      // what came of it
	AttrReason      = "einmal.reason"       // code of the reason: why it is parked, why it failed
	AttrFound       = "einmal.found"        // records found by reference
)

// The keys that only metrics use.
const (
	AttrGroup     = "einmal.group"     // consumer group on the bus
	AttrPartition = "einmal.partition" // partition of the bus
	AttrOperation = "einmal.operation" // command to Redis; what the bus was doing
	AttrStatus    = "einmal.status"    // what waits: parked, held or difference
	AttrSender    = "einmal.sender"    // organisation that reads its receipts
	AttrDiffers   = "einmal.differs"   // in what way ledger and native system differ: missing, extra, double, drifted, unasked
)

// The keys that say which process speaks; OpenTelemetry gives them their meaning.
const (
	AttrService  = "service.name"
	AttrInstance = "service.instance.id"
)

// The keys in log lines that tie them to spans.
const (
	LogTrace = "trace_id"
	LogSpan  = "span_id"
)

// scope is the instrumentation scope of all spans and metrics.
const scope = "github.com/einmal-hub/einmal/gateway"

// The names of all metrics. Prometheus shows them with underscores, unit and, for counters, "_total".
const (
	MetricRead      = "einmal.read"               // records read, by system and outcome
	MetricPublished = "einmal.published"          // messages put on the bus, by system and message name
	MetricDelivered = "einmal.delivery.duration"  // seconds from the entry in one system to the entry in another, by destination
	MetricAttempts  = "einmal.attempts"           // requests to native systems, by destination and outcome
	MetricParkings  = "einmal.parkings"           // messages that began to wait for a person, by destination and reason
	MetricUnread    = "einmal.read.failures"      // readings of native systems that failed and are tried again, by system and reason
	MetricBus       = "einmal.bus.troubles"       // what the bus waits out, by operation and reason: brokers that are away, a login that they refuse; the same counts once in ten seconds
	MetricRedis     = "einmal.redis.failures"     // failed commands to Redis, by operation
	MetricExport    = "einmal.export.failures"    // batches of spans that the collector did not take
	MetricLag       = "einmal.lag"                // messages on the bus that a group has not completed, by partition
	MetricCases     = "einmal.cases"              // cases in the ledger
	MetricMessages  = "einmal.messages"           // messages admitted to their cases
	MetricOpen      = "einmal.open"               // admitted messages that are not yet recorded everywhere
	MetricWaiting   = "einmal.waiting"            // messages that wait at present, by status
	MetricSkipped   = "einmal.ledger.skipped"     // ledger records that this version cannot read
	MetricLanes     = "einmal.lanes"              // lanes that have something to do
	MetricLate      = "einmal.late"               // answers and meetings that have not come by their day
	MetricNoReceipt = "einmal.receipts.late"      // messages of which nothing is known at a place after the bound: their senders have no receipt
	MetricAsked     = "einmal.receipts.asked"     // when an organisation read its receipts here last, in seconds since 1970; 0: not since this process began
	MetricNewer     = "einmal.newer"              // lanes that wait for a gateway of a newer version: a rolling upgrade that was not finished
	MetricFindings  = "einmal.reconcile.findings" // differences between ledger and native system at the last comparison that no person has accepted, by system and kind
	MetricCompared  = "einmal.reconcile.last"     // when a system was compared last, in seconds since 1970
)
