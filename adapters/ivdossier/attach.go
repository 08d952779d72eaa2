package ivdossier

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
)

// filed is a document of an entry: what it is called in the folder of its case, and, of a file of staff's, where it lay and how it looked when it was taken.
type filed struct {
	Name   string    `json:"name"`
	SHA256 string    `json:"sha256"`
	Size   int64     `json:"size"`
	Source string    `json:"source,omitzero"`
	Mod    time.Time `json:"mod,omitzero"`
}

// looked is what is remembered of a file that a document names: as long as it looks the same it is not read again.
type looked struct {
	glance
	sum  string
	kept bool // its content is among einmal's own
}

// part takes apart the name of a field of a document: "Dokumente[2].Datei" is the second one's file.
func part(name string) (number int, field string) {
	rest, of := strings.CutPrefix(name, contract.ListDocuments+"[")
	digits, field, closed := strings.Cut(rest, "].")
	n, err := strconv.Atoi(digits)
	if !of || !closed || err != nil {
		return 0, ""
	}
	return n, field
}

func fieldOf(number int, field string) string {
	return fmt.Sprintf("%s[%d].%s", contract.ListDocuments, number, field)
}

func isFile(name string) bool {
	_, field := part(name)
	return field == contract.DocumentFile
}

// sumsIn lists the hashes that a content names, in its order.
func sumsIn(values []value) []string {
	var all []string
	for _, v := range values {
		if _, field := part(v.path); field == contract.DocumentSum {
			all = append(all, v.text)
		}
	}
	return all
}

func sumsOf(documents []handover.Document) []string {
	var all []string
	for _, d := range documents {
		all = append(all, d.SHA256)
	}
	return all
}

// numbers lists the numbers of a content's documents, in their order.
func numbers(values []value) []int {
	var all []int
	for _, v := range values {
		if n, _ := part(v.path); n > 0 && !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// marked is what staff wrote with what the files hold: it makes the number of the entry.
func marked(values []value, files []filed) []value {
	all := slices.Clone(values)
	for i, n := range numbers(values) {
		if i < len(files) {
			all = append(all, value{fieldOf(n, contract.DocumentSum), files[i].SHA256})
		}
	}
	return all
}

// described is what staff wrote with what einmal fills in about the documents.
func (e *exchange) described(values []value, files []filed) []value {
	all := slices.Clone(values)
	for i, n := range numbers(values) {
		var file, name string
		for _, v := range values {
			switch v.path {
			case fieldOf(n, contract.DocumentFile):
				file = v.text
			case fieldOf(n, contract.DocumentName):
				name = v.text
			}
		}
		if name == "" {
			all = append(all, value{fieldOf(n, contract.DocumentName), file})
		}
		all = append(all, value{fieldOf(n, contract.DocumentType), e.forms.MediaType(file)},
			value{fieldOf(n, contract.DocumentSize), strconv.FormatInt(files[i].Size, 10)}, value{fieldOf(n, contract.DocumentSum), files[i].SHA256})
	}
	return all
}

// located is a content as it stands in the folder of its case: with the names that the files of its documents have there.
func located(values []value, files []filed) []value {
	var all []value
	last := 0
	for _, v := range values {
		n, field := part(v.path)
		if n > last && n <= len(files) {
			all = append(all, value{fieldOf(n, contract.DocumentFile), files[n-1].Name})
			last = n
		}
		if field != contract.DocumentFile {
			all = append(all, v)
		}
	}
	return all
}

// file puts the documents of an entry into the folder of its case, before it is committed: an entry never stands without them.
func (e *exchange) file(d *disk, s stored, documents []handover.Document) ([]filed, error) {
	var files []filed
	for _, doc := range documents {
		info, err := d.root.Lstat(kept + "/" + doc.SHA256)
		if !isHash(doc.SHA256) || errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() != doc.Size {
			return nil, fault.New(fault.Refuse, opApply, "unknown-document", "a document of the entry was not put here before, or is of another size")
		}
		if err != nil {
			return nil, err
		}
		files = append(files, filed{Name: e.forms.End(doc.MediaType), SHA256: doc.SHA256, Size: doc.Size})
	}
	return e.lay(d, s, files)
}

// lay lays the documents of an entry into the folder of its case, under names of the entry's number. What lies there under such a name is never replaced: if it is not the document, the
// document gets another name.
func (e *exchange) lay(d *disk, s stored, files []filed) ([]filed, error) {
	if len(files) == 0 {
		return nil, nil
	}
	if err := d.folder(s.folder()); err != nil {
		return nil, err
	}
	all := slices.Clone(files)
	for i, f := range all {
		end := f.Name[max(strings.LastIndex(f.Name, "."), 0):]
		if f.Source != "" {
			end = e.forms.End(e.forms.MediaType(f.Name))
		}
		name, err := d.lay(f.SHA256, s.folder(), fmt.Sprintf("beilage_%s_%d", s.ID, i+1), end)
		if err != nil {
			return nil, err
		}
		all[i].Name = name
	}
	return all, nil
}

// mostNames is how often a name may be taken by something else.
const mostNames = 100

// lay copies a content into a folder. A copy and not a link: staff may change what lies there, and what einmal keeps stays as it is.
func (d *disk) lay(sum, folder, name, end string) (string, error) {
	for n := 1; n <= mostNames; n++ {
		as := name + end
		if n > 1 {
			as = name + "_" + strconv.Itoa(n) + end
		}
		there, err := d.sumOf(folder + "/" + as)
		if err == nil && there == sum {
			return as, d.sync(folder)
		}
		if err == nil || errors.Is(err, errIrregular) {
			continue
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if err := d.copyTo(kept+"/"+sum, folder+"/"+as); !errors.Is(err, fs.ErrExist) {
			return as, err
		}
		n-- // somebody was faster: look what it is
	}
	return "", errIrregular
}

func (d *disk) copyTo(from, to string) error {
	f, _, err := d.openFile(from)
	if err != nil {
		return err
	}
	draft, err := d.stream(f, 0o440)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return errors.Join(d.link(draft, to), ignoreMissing(d.root.Remove(draft)))
}

// sumOf returns the hash of a file.
func (d *disk) sumOf(name string) (string, error) {
	f, _, err := d.openFile(name)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return hex.EncodeToString(sum.Sum(nil)), errors.Join(err, f.Close())
}

// received reports whether a content came as a document: then it is never read as one of staff's forms, whatever it says and whoever gave it another name.
func (*exchange) received(d *disk, sum string) bool {
	_, err := d.root.Lstat(kept + "/" + sum)
	return err == nil
}

// errWaits: a document, or a file that it names, is not there as a whole yet.
var errWaits = errors.New("a document, or a file that it names, is not there as a whole yet")

// gather takes the files that a released document names, from the folder that it lies in, and keeps their contents: what is said is what they hold now. With an error of kind Park,
// or errWaits, it returns what it knows of them from before.
func (e *exchange) gather(d *disk, l lying, doc document) (files []filed, lack error) {
	if n := len(numbers(doc.values)); n > contract.MaxDocuments {
		return nil, unfit("files", "the document names more files than the contract allows", "say the rest in another one")
	}
	for _, n := range numbers(doc.values) {
		name := doc.text(fieldOf(n, contract.DocumentFile))
		f := filed{Name: name, Source: l.folder + "/" + name}
		err := plainName(name)
		if err == nil {
			err = e.takeFile(d, l, &f)
		}
		if errors.Is(err, fs.ErrNotExist) {
			f.SHA256, err = e.index.files[f.Source].SHA256, errWaits
			if !e.young(l) {
				err = unfit("file-missing", "a file that the document names does not lie beside it", "save the file in the folder of the document, under the name that stands there")
			}
		}
		var unfit *fault.Error
		if err != nil && !errors.Is(err, errWaits) && !errors.As(err, &unfit) {
			return nil, err
		}
		lack = cmp.Or(lack, err)
		files = append(files, f)
	}
	return files, lack
}

// plainName demands the name of a file that lies beside the document.
func plainName(name string) error {
	switch {
	case name == "":
		return unfit("file-name", "a document is described, but no file is named", "write the name of the file beside "+contract.DocumentFile)
	case strings.ContainsAny(name, "/\\\x00") || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~"):
		return unfit("file-name", "what stands there is not the name of a file in the same folder", "write the name of the file only, without a folder")
	case isWorkbook(name):
		return unfit("file-format", "the document names a workbook, and workbooks in this folder are forms", "save it as PDF, and name that file")
	}
	return nil
}

// takeFile keeps one file of staff's. The error is fs.ErrNotExist, errWaits, or of kind Park.
func (e *exchange) takeFile(d *disk, l lying, f *filed) error {
	info, err := d.root.Lstat(f.Source)
	if err != nil {
		return err
	}
	look := glance{mod: info.ModTime(), size: info.Size()}
	f.Mod, f.Size = look.mod.UTC(), look.size
	switch {
	case !info.Mode().IsRegular() || look.size == 0 && !e.young(l) || look.size > contract.MaxDocument:
		return unfit("file-size", "what the document names is no file, or is empty, or larger than 20 MiB", "save it anew as a smaller file")
	case look.size == 0 || l.locked(f.Name) || e.justChanged(look.mod):
		return errWaits
	}
	if was := e.looked[f.Source]; was.kept && was.glance == look {
		f.SHA256 = was.sum
		return nil
	}
	in, _, err := d.openFile(f.Source)
	if err != nil {
		return err
	}
	sum := sha256.New()
	draft, err := d.stream(io.TeeReader(in, sum), 0o400)
	if err := errors.Join(err, in.Close()); err != nil {
		return err
	}
	f.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if now, err := d.root.Lstat(f.Source); err != nil || now.Size() != look.size || !now.ModTime().Equal(look.mod) {
		return errors.Join(errWaits, d.remove(draft))
	}
	if err := d.keep(draft, f.SHA256); err != nil {
		return err
	}
	e.looked[f.Source] = looked{glance: look, sum: f.SHA256, kept: true}
	return nil
}

// changedFiles returns the files that staff changed after a document was taken that names them, and that no later document names as they are now.
func (e *exchange) changedFiles(d *disk, lie map[string]lying) ([]adapters.Broken, error) {
	var all []adapters.Broken
	for place, taken := range e.index.files {
		l, there := lie[place]
		look := glance{mod: l.mod, size: l.size}
		if !there || l.open || look.size == taken.Size && look.mod.Equal(taken.Mod) || e.fresh(l) {
			continue
		}
		was, known := e.looked[place]
		if !known || was.glance != look {
			sum, err := d.sumOf(place)
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errIrregular) {
				continue
			}
			if err != nil {
				return nil, err
			}
			was = looked{glance: look, sum: sum}
			e.looked[place] = was
		}
		if was.sum == taken.SHA256 {
			continue
		}
		all = append(all, adapters.Broken{ID: e.names.stuck(nil, place+" "+was.sum), Reason: unfit("file-changed",
			"a file that a document names was changed after it was taken; what was taken stands", "put it back, or say the new thing with a correction that names the file")})
	}
	slices.SortFunc(all, func(a, b adapters.Broken) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}
