package tutoris

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/einmal-hub/einmal/contracts/strict"
)

// Breakage is one way in which the wire breaks.
type Breakage string

// The faults of the wire.
const (
	DiskFull        Breakage = "disk-full"         // a file that is written cannot be finished
	CutUpload       Breakage = "cut-upload"        // the connection is cut when half of a file is written
	CutBeforeRename Breakage = "cut-before-rename" // the connection is cut when the file is to get its name, which it does not get
	CutAfterRename  Breakage = "cut-after-rename"  // it is cut when the file has got its name
	LateRename      Breakage = "late-rename"       // it is cut, and the file gets its name later, if it is still there
	FailedRename    Breakage = "failed-rename"     // the server says that it failed, and the file has got its name
	CutDownload     Breakage = "cut-download"      // the connection is cut in the middle of a file that is read
	Endless         Breakage = "endless"           // a file that is read does not end
	Failure         Breakage = "failure"           // the server says that it failed, whatever was asked for
	Silence         Breakage = "silence"           // no answer, whatever was asked for, until the connection ends
)

// broken is a scripted fault of the wire: the first of its breakages that can strike does.
type broken struct {
	any []Breakage
	met chan struct{}
}

// wire holds what is to go wrong.
type wire struct {
	mu     sync.Mutex
	script []broken
	late   []func()
}

// Break makes the next request that can meet one of the breakages do so. The channel is closed when it has.
func (m *Mock) Break(any ...Breakage) <-chan struct{} {
	m.wire.mu.Lock()
	defer m.wire.mu.Unlock()
	b := broken{any: any, met: make(chan struct{})}
	m.wire.script = append(m.wire.script, b)
	return b.met
}

// FinishLate gives the files their names that were to get them late.
func (m *Mock) FinishLate() { m.wire.finish() }

func (m *Mock) breakByHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Fault Breakage `json:"fault"`
		Times int      `json:"times"`
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, strict.MaxBytes))
	if err == nil {
		err = strict.JSON(b, &in)
	}
	known := []Breakage{DiskFull, CutUpload, CutBeforeRename, CutAfterRename, LateRename, FailedRename, CutDownload, Endless, Failure, Silence}
	if err != nil || !slices.Contains(known, in.Fault) || in.Times < 1 || in.Times > 1000 {
		http.Error(w, "fault is one of the known ones; times is from 1 to 1000", http.StatusUnprocessableEntity)
		return
	}
	for range in.Times {
		m.Break(in.Fault)
	}
	w.WriteHeader(http.StatusNoContent)
}

// strike takes the first scripted fault that one of the candidates is.
func (w *wire) strike(candidates ...Breakage) Breakage {
	fault, met := w.draw(candidates...)
	met()
	return fault
}

// draw is strike for a fault that does something before it counts as met.
func (w *wire) draw(candidates ...Breakage) (fault Breakage, met func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, b := range w.script {
		for _, c := range candidates {
			if slices.Contains(b.any, c) {
				w.script = slices.Delete(w.script, i, i+1)
				return c, func() { close(b.met) }
			}
		}
	}
	return "", func() {}
}

func (w *wire) finish() {
	w.mu.Lock()
	late := w.late
	w.late = nil
	w.mu.Unlock()
	for _, do := range late {
		do()
	}
}

// files serves the mock's folder on one connection, with the faults of the wire.
type files struct {
	mock *Mock
	conn ssh.Conn
}

var errCut = errors.New("cut")

// cut ends the connection without an answer.
func (f *files) cut() error {
	_ = f.conn.Close()
	return errCut
}

// general lets a fault strike that can strike anything.
func (f *files) general() error {
	switch f.mock.wire.strike(Failure, Silence) {
	case Failure:
		return sftp.ErrSSHFxFailure
	case Silence:
		_ = f.conn.Wait() // until the client has given up
		return errCut
	}
	return nil
}

func local(name string) string {
	if name = strings.TrimPrefix(name, "/"); name == "" {
		return "."
	}
	return name
}

// Fileread implements [sftp.FileReader].
func (f *files) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	if err := f.general(); err != nil {
		return nil, err
	}
	file, err := f.mock.root.Open(local(r.Filepath))
	if err != nil {
		return nil, err
	}
	return &reading{File: file, fault: f.mock.wire.strike(CutDownload, Endless), of: f}, nil
}

// reading is a file that is read.
type reading struct {
	*os.File
	fault Breakage
	of    *files
}

// ReadAt reads, or does what the fault says.
func (r *reading) ReadAt(b []byte, at int64) (int, error) {
	switch r.fault {
	case CutDownload:
		return 0, r.of.cut()
	case Endless:
		for i := range b {
			b[i] = ' '
		}
		return len(b), nil
	}
	return r.File.ReadAt(b, at)
}

// Filewrite implements [sftp.FileWriter].
func (f *files) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	if err := f.general(); err != nil {
		return nil, err
	}
	flags, how := r.Pflags(), os.O_WRONLY
	if flags.Creat {
		how |= os.O_CREATE
	}
	if flags.Excl {
		how |= os.O_EXCL
	}
	if flags.Trunc {
		how |= os.O_TRUNC
	}
	file, err := f.mock.root.OpenFile(local(r.Filepath), how, 0o600)
	if err != nil {
		return nil, err
	}
	return &writing{File: file, fault: f.mock.wire.strike(DiskFull, CutUpload), of: f}, nil
}

// writing is a file that is written.
type writing struct {
	*os.File
	fault Breakage
	of    *files
}

// WriteAt writes, or half of it and then does what the fault says.
func (w *writing) WriteAt(b []byte, at int64) (int, error) {
	if w.fault == "" {
		return w.File.WriteAt(b, at)
	}
	n, err := w.File.WriteAt(b[:len(b)/2], at)
	switch {
	case err != nil:
		return n, err
	case w.fault == DiskFull:
		return n, syscall.ENOSPC
	}
	return n, w.of.cut()
}

// Filecmd implements [sftp.FileCmder].
func (f *files) Filecmd(r *sftp.Request) error {
	if err := f.general(); err != nil {
		return err
	}
	switch r.Method {
	case "Rename":
		if _, err := f.mock.root.Lstat(local(r.Target)); err == nil {
			return fs.ErrExist
		}
		return f.rename(local(r.Filepath), local(r.Target))
	case "Remove":
		return f.mock.root.Remove(local(r.Filepath))
	case "Setstat":
		return nil
	}
	return sftp.ErrSSHFxOpUnsupported
}

// PosixRename implements [sftp.PosixRenameFileCmder].
func (f *files) PosixRename(r *sftp.Request) error {
	if err := f.general(); err != nil {
		return err
	}
	return f.rename(local(r.Filepath), local(r.Target))
}

func (f *files) rename(from, to string) error {
	do := func() error { return f.mock.root.Rename(from, to) }
	w := &f.mock.wire
	fault, met := w.draw(CutBeforeRename, CutAfterRename, LateRename, FailedRename)
	switch fault {
	case "":
		return do()
	case CutAfterRename, FailedRename:
		_ = do()
	case LateRename:
		w.mu.Lock()
		w.late = append(w.late, func() { _ = do() }) // it fails when the file is gone by then, as a real one does
		w.mu.Unlock()
	}
	met() // whoever waits for it knows what has happened by then
	if fault == FailedRename {
		return sftp.ErrSSHFxFailure
	}
	return f.cut()
}

// Filelist implements [sftp.FileLister].
func (f *files) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	if err := f.general(); err != nil {
		return nil, err
	}
	name := local(r.Filepath)
	if r.Method != "List" {
		info, err := f.mock.root.Stat(name)
		return listing{info}, err
	}
	entries, err := fs.ReadDir(f.mock.root.FS(), name)
	var all listing
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			all = append(all, info)
		}
	}
	return all, err
}

// listing is what a folder holds.
type listing []os.FileInfo

// ListAt implements [sftp.ListerAt].
func (l listing) ListAt(into []os.FileInfo, from int64) (int, error) {
	if from >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(into, l[from:])
	if n < len(into) {
		return n, io.EOF
	}
	return n, nil
}
