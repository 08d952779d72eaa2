package clerks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/core"
)

const (
	// pageLimit is how many entries a clerk's screen takes at once.
	pageLimit = 1000
	// longPoll is how long the desk may wait for news.
	longPoll = 5 * time.Second
)

// errRefused: the native system does not take what the clerk typed; typing it again would not help.
var errRefused = errors.New("the native system refused the entry")

// screen is one native system as its clerks see it.
type screen struct {
	id     handover.SystemID
	base   string
	client *http.Client
}

// news returns the entries after a number; with wait it waits for some.
func (s screen) news(ctx context.Context, after uint64, wait bool) ([]core.Seen, error) {
	path := fmt.Sprintf("/desk/entries?after=%d&limit=%d", after, pageLimit)
	if wait {
		path += fmt.Sprintf("&wait=%d", longPoll.Milliseconds())
	}
	var entries []core.Seen
	return entries, s.call(ctx, http.MethodGet, path, nil, &entries)
}

// enter types one entry, once.
func (s screen) enter(ctx context.Context, t core.Typed) error {
	b, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("%w: %s: the content is no text", errRefused, s.id)
	}
	var at core.Stands
	return s.call(ctx, http.MethodPost, "/desk/entries", b, &at)
}

// attach puts documents onto the desk. One that lies there already is put there again.
func (s screen) attach(ctx context.Context, ds []core.Document) error {
	for _, d := range ds {
		if err := s.call(ctx, http.MethodPut, "/desk/documents/"+d.SHA256(), d.Content, nil); err != nil {
			return err
		}
	}
	return nil
}

// call sends one request and reads the answer. Answers 4xx are errRefused with the text that the desk gave; anything else that is not
// a success may be tried again.
func (s screen) call(ctx context.Context, method, path string, body []byte, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, s.base+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errRefused, s.id, err)
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return fmt.Errorf("desk of %s: %w", s.id, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return fmt.Errorf("desk of %s: %w", s.id, err)
	case resp.StatusCode >= 400 && resp.StatusCode < 500:
		return fmt.Errorf("%w: %s: %s", errRefused, s.id, bytes.TrimSpace(b))
	case resp.StatusCode >= 300:
		return fmt.Errorf("desk of %s: status %d", s.id, resp.StatusCode)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("desk of %s: %w", s.id, err)
	}
	return nil
}
