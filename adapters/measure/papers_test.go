package measure_test

import (
	"bytes"
	"context"
	"io"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

func (s *system) PutDocument(_ context.Context, d handover.Document, content io.Reader) error {
	b, err := io.ReadAll(content)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.papers == nil {
		s.papers = map[string][]byte{}
	}
	if s.garbles {
		b = bytes.ToUpper(b)
	}
	s.papers[d.SHA256] = b
	return err
}

func (s *system) OpenDocument(_ context.Context, hash string) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.papers[hash] == nil {
		return nil, fault.New(fault.Park, "system.open", adapters.DocumentMissing, "the document is not there")
	}
	return io.NopCloser(bytes.NewReader(s.papers[hash])), nil
}
