package adaptertest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/stretchr/testify/require"
)

// Archive is what a [Native] offers beside, when its system keeps documents.
type Archive interface {
	// Attach enters a record to which a document with this content belongs, as a clerk does.
	Attach(content []byte) error
	// Naming is Entry for an entry that names a document. An empty case opens one.
	Naming(n int, in native.CaseKey, d handover.Document) native.Entry
}

func aboutDocuments() []rule {
	keeps := func(s adapters.System) bool { return s.Documents != nil }
	writes := func(s adapters.System) bool { return keeps(s) && s.Sink != nil && !later(s) }
	return []rule{
		{name: "a document that was put can be opened", needs: keeps, hold: putsAndOpens},
		{name: "what a clerk attached can be opened", needs: keeps, hold: opensAttached},
		{name: "a document that is not there is missing", needs: keeps, hold: missesDocument},
		{name: "only the content of the hash is stored", needs: keeps, hold: storesOnlyTheContent},
		{name: "a content that fails leaves nothing", needs: keeps, hold: leavesNothing},
		{name: "putting is repeated until it is known to stand", needs: keeps, hold: putsAgain},
		{name: "documents: wrong credentials stop, no connection is tried again", needs: keeps, hold: documentsWithoutConnection},
		{name: "an ended context puts and opens nothing", needs: keeps, hold: neverPut},
		{name: "many may put and open at once", needs: keeps, hold: putsAtOnce},
		{name: "an entry names only documents that stand", needs: writes, hold: namesOnlyWhatStands},
	}
}

// paper returns a document and its content, the same for one seed. A content holds [Leak]: nothing of it may stand in an error.
func paper(seed string, size int) (handover.Document, []byte) {
	content := []byte(strings.Repeat("%"+seed+" "+Leak+"\n", size/(len(seed)+len(Leak)+3)+1))[:size]
	sum := sha256.Sum256(content)
	return handover.Document{Name: Leak, MediaType: "application/pdf", Size: int64(size), SHA256: hex.EncodeToString(sum[:])}, content
}

func (s *session) archive() Archive {
	s.Helper()
	a, ok := s.native.(Archive)
	require.True(s.T, ok, "the driver of a system that keeps documents is an Archive")
	return a
}

func (s *session) put(d handover.Document, content []byte) {
	s.Helper()
	require.NoError(s.T, s.system.Documents.PutDocument(s.Context(), d, bytes.NewReader(content)))
}

// kept opens a document and reads it to its end.
func (s *session) kept(hash string) ([]byte, error) {
	s.Helper()
	return open(s.Context(), s.system.Documents, hash)
}

func open(ctx context.Context, documents adapters.Documents, hash string) ([]byte, error) {
	r, err := documents.OpenDocument(ctx, hash)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	return b, errors.Join(err, r.Close())
}

func putsAndOpens(s *session) {
	for range 2 {
		for _, size := range []int{1, 100, 1 << 20} {
			s.put(paper("put", size))
		}
		for _, size := range []int{1, 100, 1 << 20} {
			d, content := paper("put", size)
			got, err := s.kept(d.SHA256)
			require.NoError(s.T, err)
			require.True(s.T, bytes.Equal(content, got), "%d bytes came back as %d, or as others", size, len(got))
		}
	}
}

func opensAttached(s *session) {
	d, content := paper("attached", 5000)
	require.NoError(s.T, s.archive().Attach(content))
	if s.system.Source != nil {
		s.drain(s.system.Source, "", 10)
	}
	got, err := s.kept(d.SHA256)
	require.NoError(s.T, err)
	require.True(s.T, bytes.Equal(content, got))
}

func (s *session) missing(hash string) {
	s.Helper()
	_, err := s.kept(hash)
	s.failed(err, fault.Park)
	require.Equal(s.T, adapters.DocumentMissing, fault.CodeOf(err))
}

func missesDocument(s *session) {
	d, _ := paper("nowhere", 100)
	s.missing(d.SHA256)
}

// storesOnlyTheContent tries contents that are not what the document says of them.
func storesOnlyTheContent(s *session) {
	d, content := paper("right", 2000)
	other := bytes.ToLower(content)
	for name, wrong := range map[string][]byte{"other bytes": other, "too short": content[:1999], "too long": append(bytes.Clone(content), 'x'), "nothing": {}} {
		err := s.system.Documents.PutDocument(s.Context(), d, bytes.NewReader(wrong))
		require.Error(s.T, err, name)
		s.failed(err, fault.Refuse)
		s.missing(d.SHA256)
	}
	s.put(d, content)
}

var errContent = errors.New("the content failed")

func leavesNothing(s *session) {
	d, content := paper("half", 50_000)
	for _, until := range []int{0, 20_000, 50_000} {
		err := s.system.Documents.PutDocument(s.Context(), d, io.MultiReader(bytes.NewReader(content[:until]), broken{}))
		s.failed(err, fault.Retry, fault.Unclassified)
		s.missing(d.SHA256)
	}
	s.put(d, content)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errContent }

// putsAgain tries what can go wrong with an exchange. A doubt is none: whoever puts again changes nothing.
func putsAgain(s *session) {
	for i, f := range []Fault{Rejected, Failed, LostAnswer, Late, Torn, Endless, Redirected} {
		if !s.has(f) {
			continue
		}
		d, content := paper(strings.Repeat("y", i+1), 3000)
		s.native.Script(f)
		err := s.system.Documents.PutDocument(s.Context(), d, bytes.NewReader(content))
		require.Error(s.T, err, "%s: an exchange that went wrong is no success", f)
		s.failed(err, fault.Retry)
		s.put(d, content)
		got, err := s.kept(d.SHA256)
		require.NoError(s.T, err)
		require.True(s.T, bytes.Equal(content, got), f)
		if f != Rejected && f != Late && f != LostAnswer && f != Endless { // a body that does not end is read as far as the caller likes
			s.native.Script(f)
			_, err = s.kept(d.SHA256)
			s.failed(err, fault.Retry)
		}
	}
}

func documentsWithoutConnection(s *session) {
	d, content := paper("z", 3000)
	for how, kind := range map[Connection]fault.Kind{WrongCredentials: fault.Stop, Unreachable: fault.Retry} {
		if how == WrongCredentials && !s.has(Forbidden) || how == Unreachable && !s.has(LostAnswer) {
			continue
		}
		documents := s.connect(how).Documents
		s.failed(documents.PutDocument(s.Context(), d, bytes.NewReader(content)), kind)
		_, err := open(s.Context(), documents, d.SHA256)
		s.failed(err, kind)
	}
	s.missing(d.SHA256)
}

func neverPut(s *session) {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	d, content := paper("never", 3000)
	s.failed(s.system.Documents.PutDocument(ctx, d, bytes.NewReader(content)), fault.Retry)
	s.missing(d.SHA256)
	_, err := open(ctx, s.system.Documents, d.SHA256)
	s.failed(err, fault.Retry, fault.Park)
}

func putsAtOnce(s *session) {
	d, content := paper("shared", 30_000)
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		all.Go(func() {
			if errs[i] = s.system.Documents.PutDocument(s.Context(), d, bytes.NewReader(content)); errs[i] != nil {
				return
			}
			got, err := open(s.Context(), s.system.Documents, d.SHA256)
			if errs[i] = err; err == nil && !bytes.Equal(content, got) {
				errs[i] = io.ErrUnexpectedEOF
			}
		})
	}
	all.Wait()
	require.NoError(s.T, errors.Join(errs...))
}

func namesOnlyWhatStands(s *session) {
	d, content := paper("named", 3000)
	e := s.archive().Naming(1, "", d)
	_, err := s.system.Sink.Apply(s.Context(), e)
	s.failed(err, fault.Refuse, fault.Park)
	require.Zero(s.T, s.native.Count(e.Reference), "an entry never stands without its documents")
	s.put(d, content)
	opened := s.apply(e)
	require.Equal(s.T, 1, s.native.Count(e.Reference))
	more := s.archive().Naming(2, opened.Case, d)
	s.apply(more)
	require.Equal(s.T, 1, s.native.Count(more.Reference))
}
