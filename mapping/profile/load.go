package profile

import (
	"embed"
	"errors"
	"io/fs"
	"path"
	"slices"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/strict"
)

//go:embed */*.yaml
var embedded embed.FS

// Names lists the profiles that are part of the program.
func Names() []string {
	entries, err := embedded.ReadDir(".")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Load reads and checks a profile that is part of the program; see [Parse].
func Load(name string) (*Profile, error) {
	if !slices.Contains(Names(), name) {
		return nil, fault.New(fault.Stop, "profile.load", "unknown-profile", "there is no profile of this name").Hint("use one of those that are part of the program")
	}
	folder, err := fs.Sub(embedded, name)
	if err != nil {
		return nil, fault.Wrap(fault.Stop, "profile.load", err)
	}
	p, err := Parse(folder)
	var findings fault.Findings
	if errors.As(err, &findings) {
		for i := range findings {
			findings[i].File = path.Join(name, findings[i].File)
		}
	}
	return p, err
}

// Parse reads and checks a profile: all files named *.yaml at the top of a file system together. Sections may be spread over files. It
// fails with a [fault.Error] of kind Stop that holds all findings as [fault.Findings], each with file and line.
func Parse(fsys fs.FS) (*Profile, error) {
	names, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return nil, fault.Wrap(fault.Stop, "profile.parse", err)
	}
	d := &draft{}
	unread := false
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fault.Wrap(fault.Stop, "profile.parse", err)
		}
		var s sheet
		doc := strict.YAML(name, b, &s)
		unread = unread || !doc.Read()
		d.documents = append(d.documents, doc)
		d.add(doc, s)
	}
	if len(names) == 0 {
		return nil, fault.New(fault.Stop, "profile.parse", "missing", "the profile has no files").Hint("put *.yaml files into its folder")
	}
	var p *Profile
	if !unread { // what stands in a file that cannot be read would be missed everywhere else
		p = d.compile()
	}
	if found := d.findings(); len(found) > 0 {
		return nil, fault.New(fault.Stop, "profile.parse", "profile", "the profile is wrong").Because(found)
	}
	return p, nil
}
