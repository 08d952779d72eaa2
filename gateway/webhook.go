package gateway

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/admin"
)

const (
	// maxNotification is the most that a notification may hold.
	maxNotification = 64 << 10
	// notificationPatience is how long a notification may wait for what it announces to be durable.
	notificationPatience = 10 * time.Second
)

// listener is a system that tells when something new was entered.
type listener struct {
	webhook adapters.Webhook
	wake    func(context.Context) error
}

// webhooks answers POST /webhooks/{system}. A notification is acknowledged when everything that it can announce is durable, so a native system that repeats what was
// not acknowledged loses nothing; what it never repeats is found by the next poll. None waits any longer when serving has ended.
func webhooks(serving context.Context, log *slog.Logger, systems map[handover.SystemID]listener) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /webhooks/{system}", func(w http.ResponseWriter, r *http.Request) {
		l, known := systems[handover.SystemID(r.PathValue("system"))]
		if !known {
			admin.Problem(w, http.StatusNotFound, fault.New(fault.Refuse, "webhook", "unknown-system", "no system of this name sends notifications"))
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxNotification))
		if err != nil {
			admin.Problem(w, http.StatusRequestEntityTooLarge, fault.New(fault.Refuse, "webhook", "too-large", "the notification is larger than 64 KiB"))
			return
		}
		if err := l.webhook.Verify(r.Header, body); err != nil {
			log.WarnContext(r.Context(), "a notification was refused", slog.String("system", r.PathValue("system")), slog.Any("error", err))
			admin.Problem(w, http.StatusUnauthorized, err)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), notificationPatience)
		defer cancel()
		defer context.AfterFunc(serving, cancel)()
		if err := l.wake(ctx); err != nil {
			w.Header().Set("Retry-After", "5")
			admin.Problem(w, http.StatusServiceUnavailable, fault.New(fault.Retry, "webhook", "not-durable-yet", "what was announced is not durable yet; send the notification again"))
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}
