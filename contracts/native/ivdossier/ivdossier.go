// Package ivdossier is the published contract of the dossier folder (Fallablage) of an IV office as Go values: names, limits, and the forms. README.md says what
// is promised, forms.yaml what the forms ask.
//
// OSIV cannot hold persons without an IV registration (P7). The concept asks for an alternative without naming one; this one is a folder that the office's staff
// open with the office program that they have: a register (XLSX) with one row for each case, and one document for each note.
//
// A document is an XLSX form: name beside value, one value in a cell. It is what both sides of the interface can do without loss: every office program opens it, offers
// the code lists to choose from and keeps a text as a text; and every value has a cell of its own to be read from. Rejected: word processing documents (DOCX, ODT), whose fields
// do not survive the programs of different vendors; HTML, RTF and plain text, out of which a value can only be guessed again after somebody edited them; and a
// machine-readable copy hidden beside the visible text, because the two will differ and somebody will have read the other one.
package ivdossier

import (
	_ "embed"
	"path"
	"slices"
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// What lies in the folder.
const (
	Register  = "Register.xlsx" // one row for each case
	Cases     = "Faelle"        // one folder for each case
	NewCases  = "Neu"           // applications with which staff open a case
	Blank     = "Vorlagen"      // one blank form of each kind
	Shelved   = "Ablage"        // versions of the register that einmal has replaced
	Machinery = "einmal"        // einmal's own; not for people
)

// The sheets of documents and register.
const (
	FormSheet     = "Formular"
	ListSheet     = "Listen" // hidden: the code lists that a form offers
	RegisterSheet = "Register"
	HistorySheet  = "Verlauf"
	StampSheet    = "Stand" // hidden: which version of the register this is
)

// The names in column A of a form that say what the document is. All others belong to the content.
const (
	NameForm          = "Formular"
	NameCase          = "Fall"
	NameRelease       = "Freigabe"
	NameRecord        = "Eintrag"
	NameReference     = "Referenz"
	NameCaseReference = "Fallreferenz"
)

// The fields that say of which entry a document is a recall or correction, and what stands beside the first of them.
const (
	FieldAction = "Kopf.Vorgang"
	FieldRefers = "Kopf.Bezug"
	ActionNew   = "neu"
	Recall      = "Widerruf"
	Correction  = "Berichtigung"
)

// The list of an entry's documents, and the fields of one.
const (
	ListDocuments = "Dokumente"
	DocumentFile  = "Datei"     // the file, in the folder that the form lies in
	DocumentName  = "Name"      // what people call it; staff may leave it empty when the file is called so
	DocumentType  = "Typ"       // media type
	DocumentSize  = "Grösse"    // bytes
	DocumentSum   = "Prüfsumme" // SHA-256
)

// FieldProcedure says how the office leads its own procedure from now on.
const FieldProcedure = "Verfahrensführung"

// What stands beside [NameRelease].
const (
	Draft    = "Entwurf"
	Released = "freigegeben"
	Received = "erhalten"
)

// The columns of the register that are not taken from the application. Staff own the last two.
const (
	ColumnCase    = "Fall"
	ColumnLast    = "Letzter Eintrag"
	ColumnLastOn  = "Am"
	ColumnEntries = "Einträge"
	ColumnLeads   = "Verfahrensführung" // what the last entry says that says anything of it
	ColumnStaff   = "Zuständig"
	ColumnNote    = "Notiz"
)

// Zone is where the dates and times of this contract are those of the clocks.
const Zone = "Europe/Zurich"

// Limits of the contract.
const (
	MaxFile    = 4 << 20  // bytes of one workbook that is a document
	MaxBook    = 16 << 20 // bytes of everything in it, unpacked
	MaxMembers = 200      // files in it
	MaxRows    = 5000     // rows of one sheet
	MaxColumns = 64       // columns of one sheet
	MaxCells   = 50_000   // cells of one workbook
	MaxValue   = 32_767   // characters of one cell; that is what a workbook can hold

	// The register has one row for each case and one for each entry: room for about 2700 cases of ten entries.
	MaxRegister      = 16 << 20
	MaxRegisterBook  = 64 << 20
	MaxRegisterRows  = 30_000
	MaxRegisterCells = 250_000

	MaxContent = 64 << 10 // bytes of one content

	MaxDocument  = 20 << 20 // bytes of one document
	MaxDocuments = 20       // documents of one entry
)

// The types of a field.
const (
	TypeText   = "text"   // one line
	TypeLong   = "long"   // several lines
	TypeDate   = "date"   // DD.MM.YYYY
	TypeMoment = "moment" // DD.MM.YYYY HH:MM
	TypeAmount = "amount" // francs with two decimals: 1234.50
	TypeAHV    = "ahv"    // 756.XXXX.XXXX.XX
	TypeNumber = "number" // whole number
	TypeCode   = "code"   // a word of a list
	TypeFile   = "file"   // the name of a file in the folder that the form lies in
)

// Field is one value that a form asks for.
type Field struct {
	Path  string `yaml:"path"`  // "Person.Nachname"; "Teilnehmende[].Name" for one of several
	Type  string `yaml:"type"`  // one of the types above
	List  string `yaml:"list"`  // the code list of a code
	Max   int    `yaml:"max"`   // most characters of a text
	Must  bool   `yaml:"must"`  // it must be filled in; in a list or an optional group: when anything of it is
	Slots int    `yaml:"slots"` // on the first field of a list: how many items a blank form has room for
	// Einmal says that einmal alone fills it in: it stands in no blank form, and what staff write there makes a document one for a person.
	Einmal bool `yaml:"einmal"`
}

// Form is one kind of document.
type Form struct {
	Code   native.Kind
	Title  string
	Opens  bool // opens a case; the others need one
	Einmal bool // einmal alone says it: there is no blank form of it
	Fields []Field
}

// Column is one column of the register that is taken from the application.
type Column struct {
	Title string `yaml:"title"`
	Field string `yaml:"field"`
}

// Forms are the forms of the contract.
type Forms struct {
	kinds    []Form
	lists    map[string][]string
	register []Column
	formats  []format
}

// format is a format of documents: how the names of its files end, and its media type.
type format struct {
	End  string `yaml:"end"`
	Type string `yaml:"type"`
}

// What a document of an unknown format is, and how its file's name ends.
const (
	unknownType = "application/octet-stream"
	unknownEnd  = ".bin"
)

// MediaType returns the media type of a file by the end of its name.
func (f *Forms) MediaType(file string) string {
	for _, known := range f.formats {
		if strings.EqualFold(path.Ext(file), "."+known.End) {
			return known.Type
		}
	}
	return unknownType
}

// End returns how the name of a file with a media type ends, with its dot.
func (f *Forms) End(mediaType string) string {
	for _, known := range f.formats {
		if known.Type == mediaType {
			return "." + known.End
		}
	}
	return unknownEnd
}

// Kinds returns the 22 forms, in the order of the process.
func (f *Forms) Kinds() []Form { return slices.Clone(f.kinds) }

// Kind returns the form with a code.
func (f *Forms) Kind(code native.Kind) (Form, bool) {
	for _, k := range f.kinds {
		if k.Code == code {
			return k, true
		}
	}
	return Form{}, false
}

// List returns the words of a code list.
func (f *Forms) List(name string) []string { return slices.Clone(f.lists[name]) }

// Columns returns what the register takes from the application.
func (f *Forms) Columns() []Column { return slices.Clone(f.register) }

// Field returns the field that a path of a document belongs to, such as "Teilnehmende[2].Name".
func (k Form) Field(path string) (Field, bool) {
	plain := Plain(path)
	for _, f := range k.Fields {
		if f.Path == plain {
			return f, true
		}
	}
	return Field{}, false
}

// Plain returns a path without the numbers of items: "Teilnehmende[2].Name" becomes "Teilnehmende[].Name".
func Plain(path string) string {
	var b strings.Builder
	for i, part := range strings.Split(path, "[") {
		if i > 0 {
			_, rest, _ := strings.Cut(part, "]")
			part = "[]" + rest
		}
		b.WriteString(part)
	}
	return b.String()
}

//go:embed forms.yaml
var formsYAML []byte

// written is forms.yaml.
type written struct {
	Lists    map[string][]string `yaml:"lists"`
	Groups   map[string][]Field  `yaml:"groups"`
	Register []Column            `yaml:"register"`
	Formats  []format            `yaml:"formats"`
	Kinds    []struct {
		Code   string   `yaml:"code"`
		Title  string   `yaml:"title"`
		Opens  bool     `yaml:"opens"`
		Einmal bool     `yaml:"einmal"`
		Fields []Field  `yaml:"fields"`
		Groups []string `yaml:"groups"`
	} `yaml:"kinds"`
}

// Load reads the forms. Every form begins with the fields of the group "kopf" and ends with those of "bemerkung". It fails with every finding when the file in the program is wrong.
func Load() (*Forms, error) { return load(formsYAML) }

func load(b []byte) (*Forms, error) {
	var w written
	doc := strict.YAML("contracts/native/ivdossier/forms.yaml", b, &w)
	f := &Forms{lists: w.Lists, register: w.Register, formats: w.Formats}
	for _, k := range w.Kinds {
		form := Form{Code: native.Kind(k.Code), Title: k.Title, Opens: k.Opens, Einmal: k.Einmal}
		form.Fields = append(slices.Clone(w.Groups["kopf"]), k.Fields...)
		for _, g := range append(slices.Clone(k.Groups), "bemerkung") {
			form.Fields = append(form.Fields, w.Groups[g]...)
		}
		for _, field := range form.Fields {
			if field.Type == TypeCode && len(w.Lists[field.List]) == 0 {
				doc.Report("kinds", "unknown-list", "a field names a code list that is not there", "add the list, or correct its name")
			}
		}
		f.kinds = append(f.kinds, form)
	}
	if err := doc.Findings().Err(); err != nil {
		return nil, fault.Wrap(fault.Stop, "ivdossier.forms", err)
	}
	return f, nil
}
