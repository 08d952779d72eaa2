package osiv

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"

	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/mocks/core"
)

// pair is the two files of one message in the inbox. Drafts of both lie beside them until they are whole: a carrier that is killed over them completes the same files when it is started again.
type pair struct{ base string }

func (p pair) data() string          { return contract.Inbox + "/data_" + p.base + ".zip" }
func (p pair) envelope() string      { return contract.Inbox + "/envl_" + p.base + ".xml" }
func (p pair) dataDraft() string     { return contract.Inbox + "/.data_" + p.base + ".part" }
func (p pair) envelopeDraft() string { return contract.Inbox + "/.envl_" + p.base + ".part" }

// drop writes a pair: the data first, the envelope last. A slow one is written by halves.
func (m *Mock) drop(p pair, envelope, payload string) error {
	if err := m.write(p.dataDraft(), payload); err != nil {
		return err
	}
	if err := m.put(p.envelopeDraft(), envelope); err != nil { // from here on it is sent, whatever happens
		return err
	}
	if m.dice.Strike(core.OpEvent, core.FaultSlow) == "" {
		return m.release(p)
	}
	m.halves = append(m.halves, p)
	if err := m.write(p.data(), payload[:len(payload)/2]); err != nil {
		return err
	}
	return m.write(p.envelope(), envelope[:len(envelope)/2])
}

// release puts the drafts of a pair into place. It may be called again.
func (m *Mock) release(p pair) error {
	for _, f := range []struct{ draft, name string }{{p.dataDraft(), p.data()}, {p.envelopeDraft(), p.envelope()}} {
		if err := m.root.Rename(f.draft, f.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("osiv: put a file into place: %w", err)
		}
	}
	return nil
}

// complete writes the other halves.
func (m *Mock) complete() error {
	for _, p := range m.halves {
		if err := m.fill(p); err != nil {
			return err
		}
	}
	m.halves = nil
	return nil
}

// fill writes the files of a pair to their end, where they lie. Whoever looks may see any part of them.
func (m *Mock) fill(p pair) error {
	for _, f := range []struct{ draft, name string }{{p.dataDraft(), p.data()}, {p.envelopeDraft(), p.envelope()}} {
		b, err := m.root.ReadFile(f.draft)
		if err != nil {
			return fmt.Errorf("osiv: read a draft: %w", err)
		}
		if err := m.write(f.name, string(b)); err != nil {
			return err
		}
	}
	for _, draft := range []string{p.envelopeDraft(), p.dataDraft()} { // as they came, the other way round
		if err := m.root.Remove(draft); err != nil {
			return fmt.Errorf("osiv: remove a draft: %w", err)
		}
	}
	return nil
}

// resume completes the pairs over which the mock was killed, and removes what was not sent yet.
func (m *Mock) resume() error {
	names, err := fs.ReadDir(m.root.FS(), contract.Inbox)
	if err != nil {
		return fmt.Errorf("osiv: read the inbox: %w", err)
	}
	form := regexp.MustCompile(`^\.(?:envl_([A-Za-z0-9_-]{1,64})\.part|.*\.(?:part|tmp))$`)
	for _, drafts := range []bool{true, false} {
		for _, n := range names {
			name := form.FindStringSubmatch(n.Name())
			switch {
			case name == nil:
			case drafts && name[1] != "":
				err = m.release(pair{name[1]})
			case !drafts && name[1] == "":
				err = m.root.Remove(contract.Inbox + "/" + n.Name())
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("osiv: complete what was begun: %w", err)
			}
		}
	}
	return nil
}

// put writes a whole file under a hidden name and renames it into place.
func (m *Mock) put(name, text string) error {
	draft := path.Dir(name) + "/." + path.Base(name) + ".tmp"
	if err := m.write(draft, text); err != nil {
		return err
	}
	if err := m.root.Rename(draft, name); err != nil {
		return fmt.Errorf("osiv: put a file into place: %w", err)
	}
	return nil
}

func (m *Mock) write(name, text string) error {
	if err := m.root.WriteFile(name, []byte(text), 0o600); err != nil {
		return fmt.Errorf("osiv: write a file: %w", err)
	}
	return nil
}
