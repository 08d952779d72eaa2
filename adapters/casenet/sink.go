package casenet

import (
	"context"
	"net/http"
	"strconv"

	"github.com/einmal-hub/einmal/adapters/internal/httpx"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Codes of the contract that decide more than a refusal.
const (
	codeExists       = "external-reference-exists"
	codeNotProcessed = "not-processed"
)

// entry is the body of a write.
type entry struct {
	ExternalReference string         `json:"externalReference"`
	CaseReference     string         `json:"caseReference,omitzero"` // only when a case is opened
	EnteredFor        string         `json:"enteredFor"`
	Kind              string         `json:"kind"`
	Amends            *amends        `json:"amends,omitzero"`
	Content           jsontext.Value `json:"content"`
}

// amends says that a record recalls or corrects an earlier one. The contract's words for both are those of the canonical model.
type amends struct {
	Action   string `json:"action"`
	RecordID string `json:"recordId"`
}

// amendsOf is nil for a new entry; ok is false when it cannot be said.
func amendsOf(e native.Entry) (a *amends, ok bool) {
	if e.Action == "" && e.Refers == "" {
		return nil, true
	}
	a = &amends{Action: string(e.Action), RecordID: string(e.Refers)}
	return a, a.readable() && e.Case != ""
}

func (a *amends) readable() bool {
	action := handover.Action(a.Action)
	return (action == handover.ActionRecall || action == handover.ActionCorrection) && isID(a.RecordID)
}

// Apply writes one entry; see [adapters.Sink].
func (p *platform) Apply(ctx context.Context, e native.Entry) (native.Receipt, error) {
	op := p.op("apply")
	path := []string{"api", "cases"}
	out := entry{
		ExternalReference: string(e.Reference), EnteredFor: string(e.Organisation), Kind: string(e.Kind), Content: jsontext.Value(e.Body),
	}
	if e.Case == "" {
		out.CaseReference = string(e.CaseReference)
	} else {
		path = append(path, string(e.Case), "records")
	}
	var ok bool
	out.Amends, ok = amendsOf(e)
	body, err := json.Marshal(out)
	if err != nil || !ok {
		return native.Receipt{}, fault.New(fault.Park, op, "entry-format", "the entry cannot be written as the contract describes").
			Hint("the mapping of this system made it; report the message's name")
	}
	header := accept()
	header.Set("Content-Type", jsonType)
	r, err := p.client.Do(ctx, httpx.Request{Op: op, Method: http.MethodPost, Path: path, Header: header, Body: body, Write: true})
	if err != nil {
		return native.Receipt{}, err
	}
	return judge(op, e, r)
}

// judge says what is known after an answer to a write. It is the table of the contract's section 3.
func judge(op string, e native.Entry, r httpx.Response) (native.Receipt, error) {
	code := r.ProblemCode()
	switch {
	case r.Status == http.StatusCreated:
		return receipt(op, e, r.MediaType() == jsonType, r.Body, false)
	case r.Status == http.StatusConflict && code == codeExists:
		var conflict struct {
			Existing jsontext.Value `json:"existing"`
		}
		err := json.Unmarshal(r.Body, &conflict)
		return receipt(op, e, err == nil, conflict.Existing, true)
	case r.Status == http.StatusTooManyRequests:
		return native.Receipt{}, fault.New(fault.Retry, op, "too-many-requests", "the platform took no more requests; nothing was written")
	case r.Status == http.StatusServiceUnavailable && code == codeNotProcessed:
		return native.Receipt{}, fault.New(fault.Retry, op, codeNotProcessed, "the platform did not process the request; nothing was written")
	case refuses(r.Status) && code != "":
		return native.Receipt{}, refusal(op, code, r)
	default:
		return native.Receipt{}, doubt(op, "unlisted-answer", "the platform answered with status "+statusText(r.Status)+", which the contract does not list in this form")
	}
}

// refuses lists the statuses that, with a problem code, mean "nothing was written, and it never will be".
func refuses(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
		http.StatusUnprocessableEntity:
		return true
	default:
		return false
	}
}

// receipt reads the ids of the record. The entry stands on the platform, but a receipt that cannot be read or names another case than the
// one addressed must not be taken for one.
func receipt(op string, e native.Entry, readable bool, b []byte, joined bool) (native.Receipt, error) {
	var names struct {
		CaseID   string `json:"caseId"`
		RecordID string `json:"recordId"`
	}
	if !readable || json.Unmarshal(b, &names) != nil || !isID(names.CaseID) || !isID(names.RecordID) {
		return native.Receipt{}, doubt(op, "receipt", "the platform's answer does not name case and record")
	}
	if e.Case != "" && native.CaseKey(names.CaseID) != e.Case {
		return native.Receipt{}, doubt(op, "other-case", "the entry stands in another case than the one it was written to").
			Hint("compare the two cases on the platform; the cross-reference of this case may be wrong")
	}
	return native.Receipt{Record: native.RecordID(names.RecordID), Case: native.CaseKey(names.CaseID), Joined: joined}, nil
}

func doubt(op, code, text string) *fault.Error { return fault.New(fault.Doubt, op, code, text) }

// refusal tells people why the platform said no: its code and the places that it names, nothing else of its answer.
func refusal(op, code string, r httpx.Response) error {
	var problem struct {
		Findings []struct {
			Path string `json:"path"`
			Code string `json:"code"`
		} `json:"findings"`
	}
	var fs fault.Findings
	if json.Unmarshal(r.Body, &problem) == nil {
		for _, f := range problem.Findings {
			if len(fs) < 100 && isPath(f.Path) && isID(f.Code) {
				fs.Add(f.Path, f.Code, "the platform does not take this value", "")
			}
		}
	}
	e := fault.New(fault.Refuse, op, code, "the platform refused the entry with status "+statusText(r.Status)+"; nothing was written")
	if len(fs) > 0 {
		return e.Because(fs)
	}
	return e
}

// isPath reports whether s looks like a field path; anything else might be a value.
func isPath(s string) bool {
	for _, b := range []byte(s) {
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '.' && b != '[' && b != ']' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 200
}

// statusText returns "409 Conflict"; the reason phrase is Go's, not the platform's.
func statusText(status int) string {
	return strconv.Itoa(status) + " " + http.StatusText(status)
}
