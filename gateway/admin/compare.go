package admin

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/gateway/reconcile"
)

// maxFindings is the most bytes that a list of findings may hold: more than a thousand of them. A longer one comes in parts.
const maxFindings = strict.MaxBytes

// Reconciliation asks for a comparison.
type Reconciliation struct {
	Systems []handover.SystemID `json:"systems,omitzero"` // empty: all
	Park    bool                `json:"park,omitzero"`
}

// Asked answers a list of findings.
type Asked struct {
	New int `json:"new"` // nobody was asked about them before
}

// compare runs a comparison. It takes longer than other requests may.
func compare(w http.ResponseWriter, r *http.Request, c Comparer) {
	var in Reconciliation
	if !patient(w, r, maxBody, &in) {
		return
	}
	report, err := c.Reconcile(r.Context(), in.Systems, in.Park)
	if err != nil {
		Problem(w, statusOfComparison(err), err)
		return
	}
	answer(w, report)
}

// ask puts findings before a person.
func ask(w http.ResponseWriter, r *http.Request, c Comparer) {
	var in []reconcile.Finding
	if !patient(w, r, maxFindings, &in) {
		return
	}
	n, err := c.Ask(r.Context(), in)
	if err != nil {
		Problem(w, http.StatusServiceUnavailable, err)
		return
	}
	answer(w, Asked{New: n})
}

// patient reads the request and takes the listener's time limits off; it answers and returns false if the request is not what it should be.
func patient(w http.ResponseWriter, r *http.Request, most int64, in any) bool {
	limits := http.NewResponseController(w)
	if err := errors.Join(limits.SetReadDeadline(time.Time{}), limits.SetWriteDeadline(time.Time{})); err != nil && !errors.Is(err, http.ErrNotSupported) {
		Problem(w, http.StatusInternalServerError, err)
		return false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err != nil {
		Problem(w, http.StatusRequestEntityTooLarge, fault.New(fault.Refuse, "admin.reconcile", "too-large", "the request is too large"))
		return false
	}
	if err := strict.JSON(body, in); err != nil {
		Problem(w, http.StatusBadRequest, err)
		return false
	}
	return true
}

func statusOfComparison(err error) int {
	if fault.CodeOf(err) == "unknown-system" {
		return http.StatusNotFound
	}
	return http.StatusServiceUnavailable
}
