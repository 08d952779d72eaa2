package world

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
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

// open opens the systems side by side, because each reads a history of its own; what is open stands in mocks even if it fails.
func (w *World) open(o Options) error {
	var err error
	if w.folder = o.Dir; w.folder == "" {
		if w.folder, err = os.MkdirTemp("", "einmal-world-"); err != nil {
			return err
		}
		w.temporary = true
	}
	opening := []func(Options) (mock, error){w.openKLIB, w.openAVAM, w.openCASEnet, w.openOSIV, w.openTutoris, w.openDossier}
	opened, errs := make([]mock, len(opening)), make([]error, len(opening))
	var running sync.WaitGroup
	for i, open := range opening {
		running.Go(func() { opened[i], errs[i] = open(o) })
	}
	running.Wait()
	for i, m := range opened {
		if errs[i] == nil {
			w.mocks = append(w.mocks, m)
		}
	}
	return errors.Join(errs...)
}

func (w *World) openKLIB(o Options) (mock, error) {
	m, err := klib.New(klib.Options{System: KLIB, Dir: o.Dir, Faults: seeded(o.Faults, 0), Token: o.Credentials.KLIBToken, Clock: o.Clock})
	if err != nil {
		return mock{}, err
	}
	return mock{id: KLIB, handler: m.Handler(), store: m.Store(), dice: m.Dice(), close: m.Close}, nil
}

func (w *World) openAVAM(o Options) (mock, error) {
	m, err := avam.New(avam.Options{
		System: AVAM, Dir: o.Dir, Faults: seeded(o.Faults, 1), Username: o.Credentials.AVAMUsername, Password: o.Credentials.AVAMPassword, Clock: o.Clock,
	})
	if err != nil {
		return mock{}, err
	}
	return mock{id: AVAM, handler: m.Handler(), store: m.Store(), dice: m.Dice(), close: m.Close}, nil
}

func (w *World) openCASEnet(o Options) (mock, error) {
	m, err := casenet.New(casenet.Options{
		System: CASEnet, Dir: o.Dir, Faults: seeded(o.Faults, 2), Token: o.Credentials.CASEnetToken, Clock: o.Clock,
		Webhook: casenet.Webhook{URL: o.WebhookURL, Keys: o.Credentials.WebhookKeys},
	})
	if err != nil {
		return mock{}, err
	}
	w.webhook = m.SetWebhookURL
	return mock{id: CASEnet, handler: m.Handler(), store: m.Store(), dice: m.Dice(), close: m.Close}, nil
}

// openOSIV opens the system that is reached by files.
func (w *World) openOSIV(o Options) (mock, error) {
	w.sedex = SedexFolder(w.folder)
	m, err := osiv.New(osiv.Options{
		System: OSIV, Dir: o.Dir, Folder: w.sedex, Faults: seeded(o.Faults, 3), Einmal: SedexEinmal, OSIV: SedexOSIV, MessageType: SedexMessageType, Poll: round, Clock: o.Clock,
	})
	if err != nil {
		return mock{}, err
	}
	return mock{id: OSIV, handler: m.Handler(), store: m.Store(), dice: m.Dice(), close: m.Close}, nil
}

// openTutoris opens the system that is reached over SFTP, and writes down its host key.
func (w *World) openTutoris(o Options) (mock, error) {
	m, err := tutoris.New(tutoris.Options{
		System: Tutoris, Dir: o.Dir, Folder: filepath.Join(w.folder, string(Tutoris)+".sftp"), Faults: seeded(o.Faults, 4), Listen: o.SFTP,
		User: o.Credentials.TutorisUser, Password: o.Credentials.TutorisPassword, Cadence: night, Clock: o.Clock,
	})
	if err != nil {
		return mock{}, err
	}
	w.sftp = m.Address()
	if err := os.WriteFile(KnownHosts(w.folder), []byte(m.KnownHost()+"\n"), 0o600); err != nil {
		return mock{}, errors.Join(err, m.Close())
	}
	return mock{id: Tutoris, handler: m.Handler(), store: m.Store(), dice: m.Dice(), close: m.Close}, nil
}

// seeded gives each system a source of chance of its own.
func seeded(f core.Faults, n int) core.Faults {
	f.Seed = f.Seed*10 + int64(n)
	return f
}
