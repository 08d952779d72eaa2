// Package httpx is the one HTTP client of the adapters. It sends a request once and says what is known afterwards, in the kinds of
// contracts/fault; which status means what is each adapter's own contract.
//
// "Once" is not what Go's HTTP stack does by itself. Found by experiment: net/http resends a POST that carries an Idempotency-Key when a
// reused connection dies; resty resends with any RetryCount; a redirect turns a POST into a GET that answers 200 although nothing was
// entered, or sends the body to another host; a 201 whose body is cut comes with an error. So this client never retries, follows no redirect,
// gives every request a connection of its own (net/http resends on reused connections only), and leaves it no body to resend (GetBody is nil). A
// handshake more for each request is a fair price at the pace of agencies.
//
// What is known after a failure hangs on one question: may bytes of the request have left? [net/http/httptrace] tells when the
// request was given a connection. Before that moment provably nothing was sent (no address, refused, TLS failed). After it a write
// is in doubt, even if most such writes never arrived: counting bytes was rejected, because the transport writes in a goroutine of its own and may
// still do so while the count is read.
//
// Nothing of a request or an answer stands in an error: neither path nor query, header, token or body. [net/url.Error] and the
// parsers of net/http print them, so causes are named from an allow-list.
package httpx
