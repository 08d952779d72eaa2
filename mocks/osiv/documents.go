package osiv

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/beevik/etree"

	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/ech0058"
)

// attachments returns the names of documents in the frame of a content.
func attachments(content *etree.Element) []*etree.Element {
	var all []*etree.Element
	for _, a := range strict.Children(ech0058.Child(content, contract.Namespace, "meldungsrahmen"), contract.HeaderNamespace, "attachment") {
		all = append(all, ech0058.Child(a, contract.Namespace, "anhang"))
	}
	return all
}

// documents returns the hashes that a content names.
func documents(content *etree.Element) []string {
	if ech0058.Child(content, contract.Namespace, "meldungsrahmen") == nil {
		return nil
	}
	var all []string
	for _, a := range attachments(content) {
		all = append(all, own(a, "sha256"))
	}
	return all
}

// keep stores the enclosed documents, which must be exactly those that the content names.
func (m *Mock) keep(content *etree.Element, enclosed map[string][]byte) error {
	named := attachments(content)
	if len(named) != len(enclosed) {
		return core.ErrNoDocument
	}
	for _, a := range named {
		b, there := enclosed[own(a, "sha256")]
		if !there || strconv.Itoa(len(b)) != own(a, "groesse") {
			return core.ErrNoDocument
		}
		err := m.store.PutDocument(own(a, "sha256"), bytes.NewReader(b))
		if errors.Is(err, core.ErrDocument) {
			return core.ErrNoDocument
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unpack returns the message of a payload, and the documents by their names in the folder of attachments.
func unpack(payload []byte) (message []byte, enclosed map[string][]byte, err error) {
	archive, err := zip.NewReader(bytes.NewReader(payload), int64(len(payload)))
	if err != nil {
		return nil, nil, errMalformed
	}
	enclosed = map[string][]byte{}
	for _, f := range archive.File {
		name, inside := strings.CutPrefix(f.Name, contract.AttachmentsFolder)
		_, twice := enclosed[name]
		switch {
		case inside && name == "" && f.UncompressedSize64 == 0:
		case inside && !twice && !strings.Contains(name, "/"):
			enclosed[name], err = member(f, contract.MaxAttachment)
		case f.Name == contract.MessageFile && message == nil:
			message, err = member(f, contract.MaxMessage)
		default:
			err = errMalformed
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if message == nil {
		return nil, nil, errMalformed
	}
	return message, enclosed, nil
}

func member(f *zip.File, limit int64) ([]byte, error) {
	in, err := f.Open()
	if err != nil {
		return nil, errMalformed
	}
	b, err := io.ReadAll(io.LimitReader(in, limit+1))
	if closed := in.Close(); err != nil || closed != nil || int64(len(b)) > limit {
		return nil, errMalformed
	}
	return b, nil
}

// packed makes the payload of a message with the documents that it names.
func (m *Mock) packed(message []byte, hashes []string) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	err := pack(w, contract.MessageFile, bytes.NewReader(message))
	if err == nil {
		_, err = w.Create(contract.AttachmentsFolder)
	}
	for _, hash := range hashes {
		if err == nil {
			err = m.enclose(w, hash)
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("osiv: pack a message: %w", err)
	}
	return out.Bytes(), nil
}

func (m *Mock) enclose(w *zip.Writer, hash string) error {
	content, err := m.store.OpenDocument(hash)
	if err != nil {
		return err
	}
	return errors.Join(pack(w, contract.AttachmentsFolder+hash, content), content.Close())
}

func pack(w *zip.Writer, name string, content io.Reader) error {
	f, err := w.Create(name)
	if err == nil {
		_, err = io.Copy(f, content)
	}
	return err
}
