package ivdossier

import (
	"path/filepath"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// Config connects one dossier folder.
type Config struct {
	// Folder is the folder that staff open. An absolute path; the folder must be there, what lies in it is made.
	Folder string `yaml:"folder"`
	// Organisation is the directory id of the IV office whose folder it is, such as "iv-luzern".
	Organisation handover.OrganisationID `yaml:"organisation"`
	// Settle is how long a file may take to be written before one that cannot be read is put before a person.
	Settle time.Duration `yaml:"settle"`
	// Lock is how long the lock of an office program counts after it was made; then it was left behind.
	Lock time.Duration `yaml:"lock"`
	// Keep is how long versions of the register that staff saved and einmal has merged are kept.
	Keep time.Duration `yaml:"keep"`
	// Bounds are the times within which files are written and found.
	Bounds adapters.Bounds `yaml:"bounds"`
}

func defaults() *Config {
	return &Config{
		Settle: 10 * time.Minute, Lock: 12 * time.Hour, Keep: 30 * 24 * time.Hour,
		Bounds: adapters.Bounds{Send: 5 * time.Second, Request: 20 * time.Second, Margin: time.Minute},
	}
}

// longestKeep is a year: what is older is nobody's working copy any more.
const longestKeep = 366 * 24 * time.Hour

// Check returns everything that is wrong with the configuration.
func (c *Config) Check() fault.Findings {
	var fs fault.Findings
	if !filepath.IsAbs(c.Folder) {
		fs.Add("folder", "missing", "the dossier folder is missing or not an absolute path", "write the folder that the IV office's staff open")
	}
	if c.Organisation == "" || len(c.Organisation) > 64 {
		fs.Add("organisation", "missing", "nobody says whose folder it is", "write the directory id of the IV office, such as iv-luzern")
	}
	for _, t := range []struct {
		path        string
		value       time.Duration
		least, most time.Duration
	}{
		{"settle", c.Settle, time.Second, 24 * time.Hour}, {"lock", c.Lock, time.Minute, 7 * 24 * time.Hour}, {"keep", c.Keep, 24 * time.Hour, longestKeep},
	} {
		if t.value < t.least || t.value > t.most {
			fs.Add(t.path, "out-of-range", "the time is shorter than "+t.least.String()+" or longer than "+t.most.String(), "write a time with its unit, such as 12h")
		}
	}
	if c.Bounds.Answer != 0 {
		fs.Add("bounds.answer", "unexpected", "a folder answers at once", "leave it out")
	}
	return append(fs, c.Bounds.Check()...)
}
