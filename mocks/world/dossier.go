package world

import (
	"path/filepath"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/ivdossier"
)

// IVDossier is the dossier folder of an IV office, for people whom OSIV cannot hold.
const IVDossier handover.SystemID = "ivdossier"

// glances is the time between two looks of the office's staff into their folder.
const glances = 100 * time.Millisecond

// DossierFolder is the folder of the IV office in the world's folder.
func DossierFolder(dir string) string { return filepath.Join(dir, string(IVDossier)+".ablage") }

// dossierForms is how the office's staff fill in and read their documents: the head, which says who says it, is no part of what is said.
func dossierForms() clerks.System {
	return clerks.System{Compose: ivdossier.Compose, Compare: clerks.CompareJSON("Kopf")}
}

// openDossier opens the office that works in a folder. What staff may do to that folder is the only fault of it: there is no network.
func (w *World) openDossier(o Options) (mock, error) {
	m, err := ivdossier.New(ivdossier.Options{
		System: IVDossier, Dir: o.Dir, Folder: DossierFolder(w.folder), Organisation: "iv-luzern", Faults: seeded(o.Faults, 5), Poll: glances, Clock: o.Clock,
	})
	if err != nil {
		return mock{}, err
	}
	return mock{id: IVDossier, handler: m.Handler(), store: m.Store(), dice: m.Dice(), close: m.Close}, nil
}

// Dossier returns the folder of the IV office.
func (w *World) Dossier() string { return DossierFolder(w.folder) }
