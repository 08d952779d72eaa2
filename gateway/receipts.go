package gateway

import (
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net/http"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/admin"
	"github.com/einmal-hub/einmal/gateway/config"
	"github.com/einmal-hub/einmal/gateway/receipts"
)

// receipts tells what has become of messages, by the ledger. It may be called once the ledger is being read.
func (g *Gateway) receipts() *receipts.Book {
	answers := map[handover.SystemID]time.Duration{}
	for _, c := range g.connected {
		answers[c.id] = c.system.Abilities.Bounds.Settle()
	}
	return &receipts.Book{
		Ledger: g.ledger, Within: g.o.Config.Receipts.Within, Contact: g.o.Config.Receipts.Contact,
		Answer: func(id handover.SystemID) time.Duration { return answers[id] },
	}
}

// unanswered is how many messages are without a receipt after the bound; 0 while the ledger is being read, when nothing is known yet of what it says further on.
func (g *Gateway) unanswered() int {
	if g.reading.Load() != nil {
		return 0
	}
	return len(g.receipts().Late(now()))
}

// outside is what native systems and their organisations reach: notifications, and GET /receipts for those that have a password.
func (g *Gateway) outside(notifications http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", notifications)
	asked := g.telemetry.Instruments().Asked
	for id := range g.o.Config.Receipts.Senders {
		asked(string(id), time.Time{}) // a figure that is missing cannot be told from one that stands still
	}
	mux.Handle("GET /receipts", senders(g.o.Log, g.o.Config.Receipts.Senders, g.receipts(), asked))
	return mux
}

// senders answers GET /receipts?case=&number=&since=&outcome=&after=&limit= to organisations, each about its own messages. The login is that of HTTP (Basic): the organisation's id and its password.
func senders(log *slog.Logger, all map[handover.OrganisationID]*config.Sender, book admin.Receipts, asked func(string, time.Time)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, password, _ := r.BasicAuth()
		id := handover.OrganisationID(name)
		if !admitted(log, r, all[id], password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="receipts", charset="UTF-8"`)
			admin.Problem(w, http.StatusUnauthorized, fault.New(fault.Refuse, "receipts", "unauthorised", "the organisation and its password are not known here").
				Hint("ask the operator of einmal"))
			return
		}
		q, err := admin.ReceiptsAsked(r.URL.RawQuery)
		if err != nil {
			admin.Problem(w, http.StatusBadRequest, err)
			return
		}
		q.Sender = id
		asked(name, now())
		if n := admin.Receipt(w, r, book, q, receipts.ForSender); n > 0 {
			log.InfoContext(r.Context(), "receipts were told", slog.String("organisation", string(id)), slog.Int("receipts", n))
		}
	})
}

// admitted compares a password in constant time. A file that cannot be read, or that holds no password any more, admits nobody.
func admitted(log *slog.Logger, r *http.Request, s *config.Sender, password string) bool {
	if s == nil {
		return false
	}
	want, err := secret("receipts.senders", s.PasswordFile)
	if err != nil || len(want) < config.ShortestPassword {
		log.ErrorContext(r.Context(), "a sender cannot read its receipts: its password file cannot be used", slog.String("file", s.PasswordFile))
		return false
	}
	a, b := sha256.Sum256([]byte(want)), sha256.Sum256([]byte(password))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
