package core

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/personal"
)

// Document is a document as a clerk has it at hand when she attaches it to an entry.
type Document struct {
	Name      string // as people call it
	MediaType string
	Content   []byte
}

// SHA256 returns the hash of the content, under which native systems file it: 64 hexadecimal digits.
func (d Document) SHA256() string {
	sum := sha256.Sum256(d.Content)
	return hex.EncodeToString(sum[:])
}

// Size returns the number of bytes.
func (d Document) Size() int64 { return int64(len(d.Content)) }

// Hashes returns the hashes of documents, in their order; nil for none.
func Hashes(ds []Document) []string {
	var all []string
	for _, d := range ds {
		all = append(all, d.SHA256())
	}
	return all
}

// InventDocument returns a PDF file of one page with invented words, at least size bytes long. The same source of chance gives the same file.
func InventDocument(rng *rand.Rand, name string, size int) Document {
	words := fmt.Sprintf("BT /F1 12 Tf 60 760 Td (Invented document %016x) Tj ET", rng.Uint64())
	var b bytes.Buffer
	var at []int
	b.WriteString("%PDF-1.4\n")
	for i, object := range []string{
		"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(words), words), "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	if line := fmt.Appendf(nil, "%%%016x%016x\n", rng.Uint64(), rng.Uint64()); b.Len() < size-400 { // comments, which readers of the format skip
		b.Write(bytes.Repeat(line, (size-400-b.Len())/len(line)+1))
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, o := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, table)
	return Document{Name: name, MediaType: "application/pdf", Content: b.Bytes()}
}

func (f Facts) documents() []handover.Document {
	var ds []handover.Document
	for _, d := range f.Documents {
		ds = append(ds, handover.Document{Name: personal.Text(d.Name), MediaType: d.MediaType, Size: d.Size(), SHA256: d.SHA256()})
	}
	return ds
}
