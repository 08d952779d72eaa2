package ivdossier

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
	"github.com/einmal-hub/einmal/contracts/strict"
)

const (
	// turns bounds how often one reading starts again because somebody saved meanwhile; the next reading goes on.
	turns = 5
	// keptStates is how many versions are kept as data: an editor may have an old one open for days. Of a large register there are fewer: each of them holds all its lines.
	keptStates = 500
	leastKept  = 20
	keptLines  = 100_000
)

// What versions of the register in the folder of shelved ones are called: merged, or to be looked at by a person.
const (
	shelvedMerged = "Register-ersetzt-"
	shelvedLook   = "Register-pruefen-"
)

// refresh brings the register up to date and takes over what staff wrote in it; see the package comment.
func (e *exchange) refresh(d *disk) error {
	for range turns {
		again, err := e.turn(d)
		if err != nil || !again {
			return err
		}
	}
	return nil
}

// turn makes one round. again says that there is something new to look at.
func (e *exchange) turn(d *disk) (again bool, err error) {
	all, err := e.states(d)
	if err != nil {
		return false, err
	}
	if again, err = e.mergeAside(d, all); again || err != nil {
		return again, err
	}
	latest := all.latest()
	if e.unchanged(d, latest) {
		return false, nil
	}
	b, err := d.read(contract.Register, e.room.file)
	if errors.Is(err, fs.ErrNotExist) {
		return e.replace(d, latest, latest.staff(), false)
	}
	if err != nil && !errors.Is(err, errIrregular) {
		return false, err
	}
	info, stays, err := e.registerFile(d)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist), ignoreMissing(err)
	}
	saved, err := e.registerOf(b, all)
	if err != nil {
		if stays || e.now().Sub(info.ModTime()).Abs() < e.config.Settle {
			return false, nil // it may be being written
		}
		return e.replace(d, latest, latest.staff(), true)
	}
	staff := merged(latest.staff(), all.at(saved.base).staff(), saved.lines)
	if !fits(staff) {
		staff, saved.strange = latest.staff(), true
	}
	if !saved.strange && same(e.lines(staff), saved.lines) {
		if latest.Through == e.index.last && same(latest.Lines, saved.lines) {
			e.settled = settled{glance{mod: info.ModTime(), size: info.Size()}, latest.Number, e.index.last}
			return false, nil
		}
		return false, ignoreExisting(e.record(d, state{Number: latest.Number + 1, Through: e.index.last, Lines: e.lines(staff)}))
	}
	if !stays {
		return e.replace(d, latest, staff, true)
	}
	if !same(e.lines(staff), e.lines(latest.staff())) {
		err = e.record(d, state{Number: latest.Number + 1, Through: latest.Through, Lines: e.lines(staff)})
	}
	return false, ignoreExisting(err)
}

// settle remembers that the register needs nothing more until it, or what it is to show, is another.
func (e *exchange) settle(d *disk, latest state) error {
	lies := glance{}
	info, err := d.root.Lstat(contract.Register)
	if err == nil {
		lies = glance{mod: info.ModTime(), size: info.Size()}
	}
	e.settled = settled{lies, latest.Number, e.index.last}
	return ignoreMissing(err)
}

// settled is the last register that needed nothing more.
type settled struct {
	file    glance
	version uint64
	through uint64
}

// unchanged reports whether the register needs nothing more, as far as its time tells.
func (e *exchange) unchanged(d *disk, latest state) bool {
	info, err := d.root.Lstat(contract.Register)
	if errors.Is(err, fs.ErrNotExist) {
		return e.full > 0 && e.settled == settled{glance{}, latest.Number, e.index.last} // somebody has taken it away, and no new one can be written
	}
	if err != nil || e.now().Sub(info.ModTime()) <= unsure {
		return false
	}
	return e.settled == settled{glance{mod: info.ModTime(), size: info.Size()}, latest.Number, e.index.last}
}

// registerFile tells how old the register is, and whether an office program has it open.
func (e *exchange) registerFile(d *disk) (info fs.FileInfo, open bool, err error) {
	files, err := d.list(".")
	if err != nil {
		return nil, false, err
	}
	info, err = d.root.Lstat(contract.Register)
	return info, e.locks(files)(contract.Register), err
}

// replace writes a new version: first as data, then as a file. What lies in its place is set aside, whatever it is by now; what comes into the empty place meanwhile stays there.
func (e *exchange) replace(d *disk, latest state, staff map[native.CaseKey][2]string, lies bool) (again bool, err error) {
	next := state{Number: latest.Number + 1, Through: e.index.last, Lines: e.lines(staff)}
	b, err := e.writeRegister(next)
	if err != nil {
		return false, err
	}
	if _, err := guard(b, e.room); err != nil {
		if e.full == 0 {
			e.full = next.Number
		}
		if !same(next.Lines, e.lines(latest.staff())) {
			return false, ignoreExisting(e.record(d, state{Number: next.Number, Through: latest.Through, Lines: next.Lines}))
		}
		return false, e.settle(d, latest)
	}
	e.full = 0
	next.Sum = sum(b)
	if err := e.record(d, next); err != nil {
		return errors.Is(err, fs.ErrExist), ignoreExisting(err)
	}
	if lies {
		err := d.rename(contract.Register, aside+"/"+rand.Text()+".xlsx")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			if held(err) {
				err = nil
			}
			return false, err
		}
	}
	if err := d.put(contract.Register, b, 0o660); err != nil && !errors.Is(err, fs.ErrExist) {
		return false, err
	}
	return true, nil
}

// held reports whether a file could not be moved because an office program has it open: shares keep it in its place then.
func held(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.ETXTBSY)
}

func ignoreExisting(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// registerOf is what stands in the register. One that einmal wrote and nobody changed is known without being read.
func (e *exchange) registerOf(b []byte, all known) (sheet, error) {
	if at := slices.IndexFunc(all, func(s state) bool { return s.Sum == sum(b) }); at >= 0 {
		return sheet{base: all[at].Number, lines: all[at].Lines}, nil
	}
	return e.readRegister(b, all)
}

// mergeAside takes over what staff wrote in versions that were set aside, and files them away. again says that it took something over.
func (e *exchange) mergeAside(d *disk, all known) (again bool, err error) {
	files, err := d.list(aside)
	if err != nil {
		return false, err
	}
	for _, f := range files {
		name := aside + "/" + f.Name()
		b, err := d.read(name, e.room.file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // another gateway has filed it away
		}
		if err != nil && !errors.Is(err, errIrregular) {
			return false, err
		}
		if all.wrote(sum(b)) {
			if err := d.remove(name); err != nil {
				return false, err
			}
			continue
		}
		saved, unreadable := e.readRegister(b, all)
		if unreadable == nil {
			latest := all.latest()
			staff := merged(latest.staff(), all.at(saved.base).staff(), saved.lines)
			switch {
			case !fits(staff):
				saved.strange = true
			case !same(e.lines(staff), e.lines(latest.staff())):
				return true, ignoreExisting(e.record(d, state{Number: latest.Number + 1, Through: e.index.last, Lines: e.lines(staff)}))
			}
		}
		if err := e.shelve(d, name, unreadable != nil || saved.strange); err != nil {
			return false, err
		}
	}
	return false, nil
}

// shelve files a version away that somebody saved and that was set aside.
func (e *exchange) shelve(d *disk, name string, look bool) error {
	kind := shelvedMerged
	if look {
		kind = shelvedLook
	}
	return ignoreMissing(d.rename(name, contract.Shelved+"/"+kind+e.now().In(e.zone).Format("2006-01-02-150405")+"-"+rand.Text()[:6]+".xlsx"))
}

// shelf returns the versions that a person must look at, and removes those that were merged long ago.
func (e *exchange) shelf(d *disk) ([]adapters.Broken, error) {
	files, err := d.list(contract.Shelved)
	if err != nil {
		return nil, err
	}
	var look []adapters.Broken
	if e.full > 0 {
		look = append(look, adapters.Broken{ID: native.RecordID("register-full-" + strconv.FormatUint(e.full, 10)), Reason: unfit("register-full", "the register would be larger than its limit and no longer shows what is new; entries go on being recorded and taken",
			"see the limits in the contract of the dossier folder; agree on a new folder with the office, for the cases that are opened from now on")})
	}
	for _, f := range files {
		name := contract.Shelved + "/" + f.Name()
		info, err := f.Info()
		switch {
		case err != nil:
			continue // somebody took it away
		case strings.HasPrefix(f.Name(), shelvedMerged) && e.now().Sub(info.ModTime()) > e.config.Keep:
			if err := d.remove(name); err != nil {
				return nil, err
			}
		case strings.HasPrefix(f.Name(), shelvedLook):
			b, err := d.read(name, e.room.file)
			if errors.Is(err, fs.ErrNotExist) {
				continue // somebody has dealt with it
			}
			if err != nil && !errors.Is(err, errIrregular) {
				return nil, err
			}
			look = append(look, adapters.Broken{ID: e.names.stuck(b, name), Raw: b, Reason: unfit("register",
				"somebody wrote into the register where einmal writes, or what einmal cannot carry over; that version lies in the folder "+contract.Shelved,
				"bring what it says to where it belongs, then delete that version")})
		}
	}
	return look, nil
}

// known are the versions that are kept as data, in their order.
type known []state

func (k known) latest() state {
	if len(k) == 0 {
		return state{}
	}
	return k[len(k)-1]
}

// at returns a version; one that is not known wrote nothing.
func (k known) at(n uint64) state {
	for _, s := range k {
		if s.Number == n {
			return s
		}
	}
	return state{}
}

func (k known) wrote(sum string) bool {
	return slices.ContainsFunc(k, func(s state) bool { return s.Sum == sum })
}

// states reads the versions, and forgets the oldest.
func (e *exchange) states(d *disk) (known, error) {
	files, err := d.list(states)
	if err != nil {
		return nil, err
	}
	var all known
	lines := 0
	for _, f := range slices.Backward(files) {
		if len(all) >= keptStates || len(all) >= leastKept && lines > keptLines {
			delete(e.versions, states+"/"+f.Name())
			if err := d.remove(states + "/" + f.Name()); err != nil {
				return nil, err
			}
			continue
		}
		s, err := e.version(d, states+"/"+f.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all, lines = append(all, s), lines+len(s.Lines)
	}
	slices.Reverse(all)
	return all, nil
}

// version reads a version once.
func (e *exchange) version(d *disk, name string) (state, error) {
	if s, read := e.versions[name]; read {
		return s, nil
	}
	b, err := d.read(name, 16*strict.MaxBytes)
	if err != nil {
		return state{}, err
	}
	var s state
	if err := json.Unmarshal(b, &s, json.RejectUnknownMembers(true)); err != nil || stateName(s.Number) != name {
		return state{}, damaged()
	}
	e.versions[name] = s
	return s, nil
}

func stateName(n uint64) string { return fmt.Sprintf("%s/%010d.json", states, n) }

// record makes a version known. Two gateways cannot make the same one: then the error is fs.ErrExist.
func (e *exchange) record(d *disk, s state) error {
	b, err := json.Marshal(s, json.Deterministic(true))
	if err != nil {
		return err
	}
	return d.put(stateName(s.Number), b, 0o600)
}

// lines are what the register shows: every case, with what staff wrote beside it.
func (e *exchange) lines(staff map[native.CaseKey][2]string) []line {
	var all []line
	for _, key := range e.index.order {
		c := e.index.cases[key]
		last := c.items[len(c.items)-1]
		cells := slices.Clone(c.shown)
		for len(cells) < len(e.forms.Columns()) {
			cells = append(cells, "")
		}
		cells = append(cells, e.what(last), e.dayOf(last.at), strconv.Itoa(len(c.items)), c.procedure)
		for i := range cells {
			cells[i] = tame(cells[i])
		}
		all = append(all, line{Case: key, Cells: cells, Staff: staff[key]})
	}
	return all
}

// what says in words what an entry is.
func (e *exchange) what(i *item) string {
	form, _ := e.forms.Kind(i.kind)
	if i.action != "" {
		return i.action + ": " + form.Title
	}
	return form.Title
}

func (e *exchange) dayOf(t time.Time) string { return t.In(e.zone).Format(dayLayout) }

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}
