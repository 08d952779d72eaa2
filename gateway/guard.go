package gateway

import (
	"context"
	"io"
	"net/http"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// guarded returns a system whose panics are errors: one answer that an adapter breaks down over must not stop the gateway at every start again. The
// value of a panic may hold personal data, so it is not kept.
func guarded(s adapters.System) adapters.System {
	if s.Source != nil {
		s.Source = guardedSource{s.Source}
	}
	if s.Sink != nil {
		s.Sink = guardedSink{s.Sink}
	}
	if s.Finder != nil {
		s.Finder = guardedFinder{s.Finder}
	}
	if s.Documents != nil {
		s.Documents = guardedDocuments{s.Documents}
	}
	if s.Webhook != nil {
		s.Webhook = guardedWebhook{s.Webhook}
	}
	return s
}

// recovered turns a panic into an error of the kind that says what is known after it.
func recovered(kind fault.Kind, op string, err *error) {
	if recover() != nil {
		*err = fault.New(kind, op, "panic", "the adapter has an error of its own").Hint("report it with the system's type, and update einmal")
	}
}

type guardedSource struct{ adapters.Source }

func (g guardedSource) Read(ctx context.Context, after native.Position, limit int) (b adapters.Batch, err error) {
	defer recovered(fault.Retry, "adapter.read", &err)
	return g.Source.Read(ctx, after, limit)
}

type guardedSink struct{ adapters.Sink }

// Apply: after a panic nobody knows what was sent.
func (g guardedSink) Apply(ctx context.Context, e native.Entry) (r native.Receipt, err error) {
	defer recovered(fault.Doubt, "adapter.apply", &err)
	return g.Sink.Apply(ctx, e)
}

type guardedFinder struct{ adapters.Finder }

func (g guardedFinder) Find(ctx context.Context, ref native.Reference) (r []native.Receipt, err error) {
	defer recovered(fault.Retry, "adapter.find", &err)
	return g.Finder.Find(ctx, ref)
}

type guardedDocuments struct{ adapters.Documents }

func (g guardedDocuments) OpenDocument(ctx context.Context, sha256 string) (content io.ReadCloser, err error) {
	defer recovered(fault.Retry, "adapter.open-document", &err)
	return g.Documents.OpenDocument(ctx, sha256)
}

func (g guardedDocuments) PutDocument(ctx context.Context, d handover.Document, content io.Reader) (err error) {
	defer recovered(fault.Retry, "adapter.put-document", &err)
	return g.Documents.PutDocument(ctx, d, content)
}

type guardedWebhook struct{ adapters.Webhook }

func (g guardedWebhook) Verify(header http.Header, body []byte) (err error) {
	defer recovered(fault.Refuse, "adapter.verify", &err)
	return g.Webhook.Verify(header, body)
}
