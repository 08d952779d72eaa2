package admin

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/receipts"
)

// Receipts tells what has become of messages.
type Receipts interface {
	// Page returns receipts, as [receipts.Book.Page] does.
	Page(ctx context.Context, q receipts.Query) (receipts.Page, error)
	// Late returns what is without a receipt after the bound.
	Late(now time.Time) []receipts.Receipt
}

// tell answers GET /receipts?case=&organisation=&number=&since=&outcome=&after=&limit=, all of them optional, outcome more than once.
func tell(w http.ResponseWriter, r *http.Request, book Receipts) {
	q, err := ReceiptsAsked(r.URL.RawQuery, "organisation")
	if err != nil {
		Problem(w, http.StatusBadRequest, err)
		return
	}
	Receipt(w, r, book, q)
}

// receiptPatience is how long an answer may wait for the ledger to be read to its end: brokers that are away must not hold a gateway that stops.
const receiptPatience = 10 * time.Second

// Receipt answers with a page of receipts, each as change returns it.
func Receipt(w http.ResponseWriter, r *http.Request, book Receipts, q receipts.Query, change ...func([]receipts.Receipt) []receipts.Receipt) (told int) {
	ctx, cancel := context.WithTimeout(r.Context(), receiptPatience)
	defer cancel()
	page, err := book.Page(ctx, q)
	if err != nil {
		Problem(w, statusOfReceipts(err), err)
		return 0
	}
	for _, c := range change {
		page.Receipts = c(page.Receipts)
	}
	w.Header().Set("Cache-Control", "no-store")
	answer(w, page)
	return len(page.Receipts)
}

func statusOfReceipts(err error) int {
	switch fault.CodeOf(err) {
	case "malformed-position":
		return http.StatusBadRequest
	case "outdated-position":
		return http.StatusGone
	default:
		return http.StatusServiceUnavailable
	}
}

// ReceiptsAsked reads a query: case, number, since (RFC 3339), outcome, after, limit, and more if it is named. A parameter that is not known, comes twice (but outcome) or has no sense is an error of kind
// Refuse: a filter that is silently left out would tell what nobody asked for.
func ReceiptsAsked(raw string, more ...string) (q receipts.Query, err error) {
	v, err := url.ParseQuery(raw)
	if err != nil {
		return q, badParameter("", "the query cannot be read")
	}
	known := append([]string{"case", "number", "since", "outcome", "after", "limit"}, more...)
	for name, values := range v {
		if !slices.Contains(known, name) || len(values) > 1 && name != "outcome" || slices.Contains(values, "") {
			return q, badParameter(name, "the parameter is not known, is empty, or stands twice")
		}
	}
	q.Case, q.Sender, q.Number, q.After = handover.CaseID(v.Get("case")), handover.OrganisationID(v.Get("organisation")), v.Get("number"), v.Get("after")
	if s := v.Get("since"); s != "" {
		if q.Since, err = time.Parse(time.RFC3339, s); err != nil {
			return q, badParameter("since", "this is not a time, such as 2026-03-02T08:30:00Z")
		}
	}
	if s := v.Get("limit"); s != "" {
		if q.Limit, err = strconv.Atoi(s); err != nil || q.Limit < 1 || q.Limit > receipts.MostPerPage {
			return q, badParameter("limit", "the limit is not within 1 and "+strconv.Itoa(receipts.MostPerPage))
		}
	}
	for _, o := range v["outcome"] {
		if !slices.Contains(ledger.Outcomes(), ledger.Outcome(o)) {
			return q, badParameter("outcome", "there is no such outcome")
		}
		q.Outcomes = append(q.Outcomes, ledger.Outcome(o))
	}
	return q, nil
}

func badParameter(name, text string) error {
	return fault.New(fault.Refuse, "admin.receipts", "bad-parameter", text).At(name).Hint("use case, number, since, outcome, after and limit")
}
