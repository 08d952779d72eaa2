// Package avam is the adapter for the unemployment offices' system (RAV): SOAP 1.1 by the contract in contracts/native/avam.
//
// The native system cannot recognise a reference (mode B): after a doubt the gateway waits until everything that may still happen has happened,
// and searches. That is why a fault that was not sent with its own status counts as doubt here, and an incomplete search as an error.
//
// Answers go through the strict XML gate, and every element of the frame is read in the contract's order, by namespace and name. The content is cut
// out and handed on unread. One answer that the gate refuses must not stop the stream for ever: the source then reads one entry at a
// time, and parks the one that is broken, provided that its commit number can be read; see source.go.
//
// Documents go by operations of their own, in base64 in the body (contracts/native/avam says why not MTOM), encoded and decoded as they are read, so that none is ever held. What surrounds a document
// goes through the strict gate without it; see text.go. Storing one is not a write in the sense of mode B: a document is named by its content, so a doubt is no more than a reason to repeat.
//
// Rejected: a SOAP library (those for Go generate client code from a WSDL over encoding/xml, which reads other values than etree and accepts wrapped
// and repeated elements), and encoding/xml for the frame with etree for the content, for the same reason.
package avam
