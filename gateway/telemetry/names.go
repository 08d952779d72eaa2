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
	AttrReason      = "einmal.reason"       // code of the reason why it is parked
	AttrFound       = "einmal.found"        // records found by reference
)
