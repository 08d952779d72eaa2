package world

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/avam"
	"github.com/einmal-hub/einmal/mocks/casenet"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/klib"
	"github.com/einmal-hub/einmal/mocks/osiv"
	"github.com/einmal-hub/einmal/mocks/tutoris"
)

// The systems of the first home.
const (
	KLIB    handover.SystemID = "klib"
	AVAM    handover.SystemID = "avam"
	CASEnet handover.SystemID = "casenet"
	OSIV    handover.SystemID = "osiv"
	Tutoris handover.SystemID = "tutoris"
)

// The sedex participants of the world, and the message type that both are registered for.
const (
	SedexEinmal      = "T3-CH-1"
	SedexOSIV        = "T6-100001-1"
	SedexMessageType = 2000100
)

const (
	round = 50 * time.Millisecond  // between two rounds of carrier and OSIV
	night = 400 * time.Millisecond // between two nights of Tutoris: nobody waits for a real one
)

// SedexFolder is the folder of the sedex interface in the world's folder.
func SedexFolder(dir string) string { return filepath.Join(dir, string(OSIV)+".sedex") }

// KnownHosts is the file with the host key of Tutoris's SFTP server in the world's folder.
func KnownHosts(dir string) string { return filepath.Join(dir, string(Tutoris)+".known_hosts") }

// forms returns how clerks fill in and read each system's contents. AVAM stamps the delivery header of every content by itself, so that
// no form knows what must stand in it, and so does OSIV (KLIB's internal note never leaves KLIB); and localPersonId is the number that the writing system gives to the person.
func forms() map[handover.SystemID]clerks.System {
	return map[handover.SystemID]clerks.System{
		KLIB:    {Compose: klib.Compose, Compare: clerks.CompareJSON("interneNotiz")},
		AVAM:    {Compose: avam.Compose, Compare: clerks.CompareXML("deliveryHeader", "localPersonId")},
		CASEnet: {Compose: casenet.Compose, Compare: clerks.CompareJSON()},
		Tutoris: {Compose: tutoris.Compose, Compare: clerks.CompareXML("kopf", "localPersonId")},
		OSIV:    {Compose: osiv.Compose, Compare: clerks.CompareXML("meldungsrahmen", "localPersonId")},

		IVDossier: dossierForms(),
	}
}

// open opens the systems one after the other; what is open stands in mocks even if it fails.
func (w *World) open(o Options) error {
	c := o.Credentials
	k, err := klib.New(klib.Options{System: KLIB, Dir: o.Dir, Faults: seeded(o.Faults, 0), Token: c.KLIBToken, Clock: o.Clock})
	if err != nil {
		return err
	}
	w.mocks = append(w.mocks, mock{id: KLIB, handler: k.Handler(), store: k.Store(), dice: k.Dice(), close: k.Close})
	a, err := avam.New(avam.Options{
		System: AVAM, Dir: o.Dir, Faults: seeded(o.Faults, 1), Username: c.AVAMUsername, Password: c.AVAMPassword, Clock: o.Clock,
	})
	if err != nil {
		return err
	}
	w.mocks = append(w.mocks, mock{id: AVAM, handler: a.Handler(), store: a.Store(), dice: a.Dice(), close: a.Close})
	n, err := casenet.New(casenet.Options{
		System: CASEnet, Dir: o.Dir, Faults: seeded(o.Faults, 2), Token: c.CASEnetToken, Clock: o.Clock,
		Webhook: casenet.Webhook{URL: o.WebhookURL, Keys: c.WebhookKeys},
	})
	if err != nil {
		return err
	}
	w.mocks = append(w.mocks, mock{id: CASEnet, handler: n.Handler(), store: n.Store(), dice: n.Dice(), close: n.Close})
	w.webhook = n.SetWebhookURL
	if w.folder = o.Dir; w.folder == "" {
		if w.folder, err = os.MkdirTemp("", "einmal-world-"); err != nil {
			return err
		}
		w.temporary = true
	}
	return errors.Join(w.openOSIV(o), w.openTutoris(o), w.openDossier(o))
}

// openOSIV opens the system that is reached by files.
func (w *World) openOSIV(o Options) error {
	w.sedex = SedexFolder(w.folder)
	m, err := osiv.New(osiv.Options{
		System: OSIV, Dir: o.Dir, Folder: w.sedex, Faults: seeded(o.Faults, 3), Einmal: SedexEinmal, OSIV: SedexOSIV, MessageType: SedexMessageType, Poll: round, Clock: o.Clock,
	})
	if err != nil {
		return err
	}
	w.mocks = append(w.mocks, mock{id: OSIV, handler: m.Handler(), store: m.Store(), dice: m.Dice(), close: m.Close})
	return nil
}

// openTutoris opens the system that is reached over SFTP, and writes down its host key.
func (w *World) openTutoris(o Options) error {
	m, err := tutoris.New(tutoris.Options{
		System: Tutoris, Dir: o.Dir, Folder: filepath.Join(w.folder, string(Tutoris)+".sftp"), Faults: seeded(o.Faults, 4), Listen: o.SFTP,
		User: o.Credentials.TutorisUser, Password: o.Credentials.TutorisPassword, Cadence: night, Clock: o.Clock,
	})
	if err != nil {
		return err
	}
	w.mocks = append(w.mocks, mock{id: Tutoris, handler: m.Handler(), store: m.Store(), dice: m.Dice(), close: m.Close})
	w.sftp = m.Address()
	return os.WriteFile(KnownHosts(w.folder), []byte(m.KnownHost()+"\n"), 0o600)
}

// seeded gives each system a source of chance of its own.
func seeded(f core.Faults, n int) core.Faults {
	f.Seed = f.Seed*10 + int64(n)
	return f
}
