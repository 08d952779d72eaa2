package osiv

import (
	"archive/zip"
	"bytes"
	"io"

	"github.com/einmal-hub/einmal/adapters/internal/xmlframe"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
)

// pack makes the payload of one message. The same message always gives the same bytes.
func pack(message []byte) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	f, err := w.CreateHeader(&zip.FileHeader{Name: contract.MessageFile, Method: zip.Deflate})
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(message); err != nil {
		return nil, err
	}
	if _, err := w.CreateHeader(&zip.FileHeader{Name: contract.AttachmentsFolder}); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// unpack returns the message of a payload. It holds exactly the two members of the contract, by their exact names and once: so no member can lead
// out of a folder, be a link, or hide another one. Nothing is read beyond the limits, whatever the archive says about its sizes.
func unpack(b []byte) ([]byte, error) {
	if len(b) > contract.MaxPayload || !bytes.HasPrefix(b, []byte("PK\x03\x04")) {
		return nil, payloadBroken("the payload is not a ZIP file within 4 MiB")
	}
	archive, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, payloadBroken("the payload is not a whole ZIP file")
	}
	if len(archive.File) > contract.MaxMembers {
		return nil, payloadBroken("the payload has more members than the contract allows")
	}
	var message *zip.File
	folder := false
	for _, f := range archive.File {
		switch {
		case f.Name == contract.MessageFile && message == nil && f.Mode().IsRegular() && f.Flags&1 == 0:
			message = f
		case f.Name == contract.AttachmentsFolder && !folder && f.UncompressedSize64 == 0 && f.CompressedSize64 <= 2:
			folder = true
		default:
			return nil, payloadBroken("the payload holds something beside one message and an empty folder for attachments")
		}
	}
	if message == nil || message.UncompressedSize64 > contract.MaxMessage || message.Method != zip.Store && message.Method != zip.Deflate {
		return nil, payloadBroken("the message is missing in the payload, larger than 1 MiB, or packed in another way than the contract allows")
	}
	return content(message)
}

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

func payloadBroken(text string) error { return xmlframe.Broken("payload", text) }
