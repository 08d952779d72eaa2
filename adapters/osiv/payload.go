package osiv

import (
	"archive/zip"
	"io"
	"strings"

	"github.com/einmal-hub/einmal/adapters/internal/xmlframe"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
)

// pack writes the payload of one message with its documents. The same message always gives the same bytes. open returns the content of a document; an error of
// its own, or of the content, ends the packing.
func pack(out io.Writer, message []byte, named []attachment, open func(attachment) (io.ReadCloser, error)) error {
	w := zip.NewWriter(out)
	f, err := w.CreateHeader(&zip.FileHeader{Name: contract.MessageFile, Method: zip.Deflate})
	if err != nil {
		return err
	}
	if _, err := f.Write(message); err != nil {
		return err
	}
	if _, err := w.CreateHeader(&zip.FileHeader{Name: contract.AttachmentsFolder}); err != nil {
		return err
	}
	for _, a := range named {
		if err := enclose(w, a, open); err != nil {
			return err
		}
	}
	return w.Close()
}

func enclose(w *zip.Writer, a attachment, open func(attachment) (io.ReadCloser, error)) error {
	content, err := open(a)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	f, err := w.CreateHeader(&zip.FileHeader{Name: contract.AttachmentsFolder + a.hash, Method: zip.Deflate})
	if err != nil {
		return err
	}
	return a.copy(f, content)
}

// parts are the message of a payload and the documents that came with it, by their hashes as they are named; nobody has looked into those yet.
type parts struct {
	message  []byte
	enclosed map[string]*zip.File
}

// unpack takes a payload apart. It holds exactly the members of the contract, by their exact names and once: so no member can lead
// out of a folder, be a link, or hide another one. Nothing is read beyond the limits, whatever the archive says about its sizes.
func unpack(b io.ReaderAt, size int64) (parts, error) {
	var start [4]byte
	if _, err := b.ReadAt(start[:], 0); err != nil || size > contract.MaxPayload || string(start[:]) != "PK\x03\x04" {
		return parts{}, payloadBroken("the payload is not a ZIP file within 404 MiB")
	}
	archive, err := zip.NewReader(b, size)
	if err != nil {
		return parts{}, payloadBroken("the payload is not a whole ZIP file")
	}
	if len(archive.File) > contract.MaxMembers {
		return parts{}, payloadBroken("the payload has more members than the contract allows")
	}
	p := parts{enclosed: map[string]*zip.File{}}
	var message *zip.File
	folder := false
	for _, f := range archive.File {
		hash, inside := strings.CutPrefix(f.Name, contract.AttachmentsFolder)
		switch {
		case f.Name == contract.MessageFile && message == nil && plain(f):
			message = f
		case f.Name == contract.AttachmentsFolder && !folder && f.UncompressedSize64 == 0 && f.CompressedSize64 <= 2:
			folder = true
		case inside && isHash(hash) && p.enclosed[hash] == nil && plain(f) && f.UncompressedSize64 >= 1 && f.UncompressedSize64 <= contract.MaxAttachment:
			p.enclosed[hash] = f
		default:
			return parts{}, payloadBroken("the payload holds something beside one message and documents that are named by their hashes")
		}
	}
	if message == nil || message.UncompressedSize64 > contract.MaxMessage || len(p.enclosed) > contract.MaxAttachments {
		return parts{}, payloadBroken("the message is missing in the payload, larger than 1 MiB, or has more than 20 documents")
	}
	p.message, err = content(message)
	return p, err
}

// plain reports whether a member is a file that is not encrypted and packed as the contract allows.
func plain(f *zip.File) bool {
	return f.Mode().IsRegular() && f.Flags&1 == 0 && (f.Method == zip.Store || f.Method == zip.Deflate)
}

// isHash reports whether a name is a SHA-256 as the contract writes it, which can lead nowhere else in a file system.
func isHash(name string) bool { return len(name) == 64 && strings.Trim(name, "0123456789abcdef") == "" }

func content(f *zip.File) ([]byte, error) {
	in, err := f.Open()
	if err != nil {
		return nil, payloadBroken("the message in the payload cannot be read")
	}
	message, err := io.ReadAll(io.LimitReader(in, contract.MaxMessage+1))
	if closed := in.Close(); err != nil || closed != nil || len(message) > contract.MaxMessage {
		return nil, payloadBroken("the message in the payload cannot be read to its end")
	}
	return message, nil
}

// whole reports whether every document of a payload can be read to its end.
func (p parts) whole() bool {
	for _, f := range p.enclosed {
		in, err := f.Open()
		if err != nil {
			return false
		}
		_, err = io.Copy(io.Discard, io.LimitReader(in, contract.MaxAttachment+1))
		if closed := in.Close(); err != nil || closed != nil {
			return false
		}
	}
	return true
}

func payloadBroken(text string) error { return xmlframe.Broken("payload", text) }
