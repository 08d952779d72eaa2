// Package telemetry is how operators see what the gateway does: spans, metrics and logs, under names that stand in one file.
//
// Nothing of OpenTelemetry is set globally: a process may hold several gateways, and a test must not see another one's spans. Metrics are
// served for Prometheus from a registry of their own; spans go to a collector only if one is configured, and a collector that is down
// costs nothing but its spans.
//
// Every attribute key and every metric name is a constant of names.go, and a test holds the whole gateway to that: what may be said
// about a message is decided there, once, and personal data is not on the list. Rejected: instrumentation libraries for HTTP, Kafka and Redis clients
// (they put addresses, queries and keys into spans), and a redacting collector alone (it is one setting away from showing everything).
//
// The package knows no other package of the gateway; destinations and systems reach it as text.
package telemetry
