package clerks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/core"
)

// Journals are what the native systems have on disk.
type Journals map[handover.SystemID][]core.Entry

// ReadJournals reads every journal of a folder; the file name says the system. A journal may still be written to: what was
// committed by now is read.
func ReadJournals(dir string) (Journals, error) {
	suffix := core.JournalName("")
	files, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		return nil, fmt.Errorf("find journals: %w", err)
	}
	all := Journals{}
	for _, name := range files {
		f, err := os.Open(name) //nolint:gosec // the folder is the caller's choice
		if err != nil {
			return nil, fmt.Errorf("open a journal: %w", err)
		}
		entries, _, err := core.ReadJournal(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		all[handover.SystemID(strings.TrimSuffix(filepath.Base(name), suffix))] = entries
	}
	return all, nil
}

// FetchJournals reads the journals through the control interfaces of the systems at these addresses.
func FetchJournals(ctx context.Context, client *http.Client, urls map[handover.SystemID]string) (Journals, error) {
	all := Journals{}
	for id, url := range urls {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/control/journal", nil)
		if err != nil {
			return nil, fmt.Errorf("journal of %s: %w", id, err)
		}
		resp, err := client.Do(r)
		if err != nil {
			return nil, fmt.Errorf("journal of %s: %w", id, err)
		}
		entries, _, err := core.ReadJournal(resp.Body)
		if err = errors.Join(err, resp.Body.Close()); err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("status %d", resp.StatusCode)
		}
		if err != nil {
			return nil, fmt.Errorf("journal of %s: %w", id, err)
		}
		all[id] = entries
	}
	return all, nil
}
