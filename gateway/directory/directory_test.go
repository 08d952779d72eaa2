package directory_test

import (
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/directory"
	"github.com/einmal-hub/einmal/mapping/profile"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const example = "../../deploy/examples/directory-lucerne.yaml"

// known is what the example is held against: the systems of the first home and the profile's codes.
func known(t testing.TB) directory.Known {
	t.Helper()
	p, err := profile.Load("lucerne")
	require.NoError(t, err)
	v, err := p.On("2026-01-01")
	require.NoError(t, err)
	k := directory.Known{Systems: []handover.SystemID{"casenet", "avam", "osiv", "ivdossier", "klib", "tutoris"}, On: "2026-01-01"}
	for list, into := range map[string]*[]handover.Code{"agency": &k.Agencies, "capability": &k.Capabilities, "targetGroup": &k.Groups} {
		for _, e := range v.Codes(list) {
			*into = append(*into, e.Code)
		}
	}
	return k
}

func lucerne(t testing.TB) *directory.Directory {
	t.Helper()
	d, err := directory.Load(example, known(t))
	require.NoError(t, err)
	return d
}

func TestExample_ServesEveryMunicipality(t *testing.T) {
	d := lucerne(t)
	require.Empty(t, d.Warnings())
	count := 0
	for bfs := 1001; bfs <= 1151; bfs++ {
		if _, err := d.Receiver("IV", bfs, "2026-06-01"); err != nil {
			require.Equal(t, "unknown-municipality", fault.CodeOf(err))
			continue
		}
		count++
		for _, agency := range []handover.Code{"ALV", "SH"} {
			o, err := d.Receiver(agency, bfs, "2026-06-01")
			require.NoError(t, err, bfs)
			require.Equal(t, agency, o.Agency)
			require.True(t, d.Responsible(o.ID, bfs, "2026-06-01"))
		}
	}
	require.Equal(t, 79+26, count, "today's municipalities and the numbers that were merged away")
}

// A clerk's system may hold the number of a municipality that no longer exists.
func TestReceiver_FollowsMerges(t *testing.T) {
	d := lucerne(t)
	for bfs, want := range map[int]handover.OrganisationID{
		1059: "sd-kriens", 1057: "sd-luzern-land", 1060: "sd-luzern", 1022: "sobz-hochdorf", 1087: "sobz-sursee", 1130: "sobz-willisau", 1148: "sobz-willisau", 1003: "sobz-entlebuch",
	} {
		o, err := d.Receiver("SH", bfs, "2026-06-01")
		require.NoError(t, err)
		require.Equal(t, want, o.ID, bfs)
	}
	for day := range map[handover.Date]bool{"2026-12-31": true, "2027-01-01": true} {
		o, err := d.Receiver("SH", 1056, day)
		require.NoError(t, err)
		require.Equal(t, handover.OrganisationID("sd-luzern-land"), o.ID)
	}
}

func TestReceiver_NobodyIsAClearAnswer(t *testing.T) {
	d, err := directory.Parse("d.yaml", []byte(small), directory.Known{})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		agency handover.Code
		bfs    int
		on     handover.Date
		code   string
	}{
		"not in the list":        {"SH", 9999, "2026-01-01", "unknown-municipality"},
		"served by nobody":       {"SH", 3, "2026-01-01", "not-served"},
		"not yet served":         {"SH", 1, "2019-12-31", "not-served"},
		"no longer served":       {"SH", 2, "2026-01-01", "not-served"},
		"of a type without area": {"IV", 1, "2026-01-01", "not-served"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.Receiver(c.agency, c.bfs, c.on)
			require.Equal(t, fault.Refuse, fault.KindOf(err))
			require.Equal(t, c.code, fault.CodeOf(err))
			var e *fault.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, "person.address.municipality", e.Path)
			require.Contains(t, e.Next, "ask")
			require.False(t, d.Responsible(map[handover.Code]handover.OrganisationID{"SH": "sd-a", "IV": "iv"}[c.agency], c.bfs, c.on))
		})
	}
	_, err = d.Receiver("SH", 3, "2026-01-01")
	require.ErrorContains(t, err, "ask: social affairs, 041 000 00 03")
}

// small is a directory with everything in it.
const small = `agencies:
  - {agency: SH, ask: "social affairs, 041 000 00 03"}
  - {agency: IV, ask: "IIZ, 041 000 00 02"}
municipalities:
  - {bfs: 1, name: Eins}
  - {bfs: 2, name: Zwei}
  - {bfs: 3, name: Drei, validFrom: 2020-01-01}
  - {bfs: 4, name: Vier, validTo: 2019-12-31, into: 3}
organisations:
  - id: sd-a
    agency: SH
    system: klib
    name: A
    offers: [CASE_LEADERSHIP]
    contact: {name: Counter, phone: 041 000 00 00}
    deputy: {name: Office}
    serves:
      - {bfs: [1], validFrom: 2020-01-01}
      - {bfs: [2], validTo: 2025-12-31}
  - id: iv
    agency: IV
    system: osiv
    instead: [{system: ivdossier, groups: [E, F]}]
    name: IV
    full: true
    contact: {name: Counter}
`

func TestSystem_MayDependOnTheTargetGroup(t *testing.T) {
	d := lucerne(t)
	for group, want := range map[handover.Code]handover.SystemID{"E": "ivdossier", "F": "ivdossier", "A": "osiv", "": "osiv"} {
		system, ok := d.System("iv-luzern", group)
		require.True(t, ok)
		require.Equal(t, want, system)
	}
	_, ok := d.System("nobody", "A")
	require.False(t, ok)
	o, ok := d.Organisation("iv-luzern")
	require.True(t, ok)
	require.Equal(t, []handover.SystemID{"osiv", "ivdossier"}, o.Systems())
}

func TestOrganisations_SayWhatTheProfileAsks(t *testing.T) {
	d := lucerne(t)
	city, _ := d.Organisation("sd-luzern")
	require.Contains(t, city.Offers, handover.Code("ONLY_WITH_ECONOMIC_ASSISTANCE"))
	addiction, _ := d.Organisation("sobz-luzern")
	require.Equal(t, []handover.Code{"ADDICTION_ONLY"}, addiction.Offers)
	require.False(t, d.Responsible("sobz-luzern", 1061, "2026-01-01"))
	busy, _ := d.Organisation("sobz-willisau")
	require.True(t, busy.Full)
	kriens, _ := d.Organisation("sd-kriens")
	require.NotEmpty(t, kriens.Contact.Name)
	require.NotNil(t, kriens.Deputy)
	require.Len(t, d.Organisations(), 14)
}

func TestParse_FindsEveryMistake(t *testing.T) {
	k := directory.Known{
		Systems: []handover.SystemID{"klib", "osiv", "ivdossier"}, Agencies: []handover.Code{"SH", "IV"}, Capabilities: []handover.Code{"CASE_LEADERSHIP"},
		Groups: []handover.Code{"E", "F"}, On: "2026-01-01",
	}
	for name, c := range map[string]struct{ from, to, path, code string }{
		"unknown name":              {"name: A\n", "name: A\n    colour: red\n", "organisations[0].colour", "unknown-name"},
		"unknown system":            {"system: klib", "system: clip", "organisations[0].system", "unknown-system"},
		"no system":                 {"    system: klib\n", "", "organisations[0].system", "missing"},
		"unknown system instead":    {"system: ivdossier", "system: drawer", "organisations[1].instead[0]", "unknown-system"},
		"instead for nobody":        {"groups: [E, F]", "groups: []", "organisations[1].instead[0]", "missing"},
		"instead for unknown group": {"groups: [E, F]", "groups: [E, X]", "organisations[1].instead[0]", "unknown-group"},
		"unknown agency type":       {"agency: SH\n", "agency: XX\n", "organisations[0].agency", "unknown-agency"},
		"agency of no profile":      {"{agency: IV,", "{agency: XX,", "agencies[1]", "unknown-agency"},
		"agency twice":              {"{agency: IV,", "{agency: SH,", "agencies[1]", "repeated"},
		"nobody to ask":             {`, ask: "IIZ, 041 000 00 02"`, "", "agencies[1]", "missing"},
		"unknown capability":        {"[CASE_LEADERSHIP]", "[CASE_LEADING]", "organisations[0].offers", "unknown-capability"},
		"id twice":                  {"id: iv\n", "id: sd-a\n", "organisations[1].id", "repeated"},
		"id malformed":              {"id: iv\n", "id: IV Luzern\n", "organisations[1].id", "malformed"},
		"no name":                   {"    name: A\n", "", "organisations[0].name", "missing"},
		"nobody to call":            {"    contact: {name: Counter, phone: 041 000 00 00}\n", "", "organisations[0].contact", "missing"},
		"nameless deputy":           {"deputy: {name: Office}", "deputy: {phone: 1 2}", "organisations[0].deputy", "missing"},
		"unknown municipality":      {"bfs: [1]", "bfs: [1, 7]", "organisations[0].serves[0].bfs[1]", "unknown-municipality"},
		"merged number still used":  {"bfs: [1]", "bfs: [1, 4]", "organisations[0].serves[0].bfs[1]", "merged-municipality"},
		"served twice by one":       {"{bfs: [2], validTo: 2025-12-31}", "{bfs: [1]}", "organisations[0].serves[1].bfs[0]", "served-twice"},
		"everywhere and somewhere":  {"name: A\n", "name: A\n    everywhere: true\n", "organisations[0].serves", "contradiction"},
		"no municipality":           {"{bfs: [2], validTo", "{bfs: [], validTo", "organisations[0].serves[1]", "missing"},
		"time reversed":             {"{bfs: [2], validTo", "{bfs: [2], validFrom: 2026-01-01, validTo", "organisations[0].serves[1]", "dates"},
		"number twice":              {"{bfs: 2, name: Zwei}", "{bfs: 1, name: Zwei}", "municipalities[1]", "repeated"},
		"number too high":           {"{bfs: 2, name: Zwei}", "{bfs: 10000, name: Zwei}", "municipalities[1]", "malformed"},
		"municipality reversed":     {"validFrom: 2020-01-01}\n  - {bfs: 4", "validFrom: 2020-01-01, validTo: 2019-01-01, into: 1}\n  - {bfs: 4", "municipalities[2]", "dates"},
		"merge into nothing":        {"into: 3", "into: 5", "municipalities[3].into", "merge"},
		"merge without day":         {"validTo: 2019-12-31, into: 3", "into: 3", "municipalities[3]", "merge"},
		"merge into what came late": {"validFrom: 2020-01-01}\n  - {bfs: 4", "validFrom: 2020-01-02}\n  - {bfs: 4", "municipalities[3].into", "merge"},
		"merge in a circle":         {"{bfs: 2, name: Zwei}", "{bfs: 2, name: Zwei, validTo: 2019-12-31, into: 2}", "municipalities[1].into", "merge"},
		"text for a number":         {"{bfs: 2, name: Zwei}", "{bfs: zwei, name: Zwei}", "municipalities[1].bfs", "wrong-type"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, small, c.from)
			_, err := directory.Parse("d.yaml", []byte(strings.Replace(small, c.from, c.to, 1)), k)
			require.Equal(t, fault.Stop, fault.KindOf(err))
			var found fault.Findings
			require.ErrorAs(t, err, &found)
			var all []string
			for _, f := range found {
				require.Equal(t, "d.yaml", f.File)
				require.Positive(t, f.Line)
				all = append(all, f.Path+" "+f.Code)
			}
			require.Contains(t, all, c.path+" "+c.code)
		})
	}
}

func TestParse_TwoOfficesMayFollowEachOther(t *testing.T) {
	second := small + "  - {id: sd-b, agency: SH, system: klib, name: B, contact: {name: C}, serves: [{bfs: [2], validFrom: 2026-01-01}]}\n"
	d, err := directory.Parse("d.yaml", []byte(second), directory.Known{})
	require.NoError(t, err)
	for day, want := range map[handover.Date]handover.OrganisationID{"2025-12-31": "sd-a", "2026-01-01": "sd-b"} {
		o, err := d.Receiver("SH", 2, day)
		require.NoError(t, err)
		require.Equal(t, want, o.ID)
	}
	_, err = directory.Parse("d.yaml", []byte(strings.Replace(second, "validFrom: 2026-01-01}]", "validFrom: 2025-12-31}]", 1)), directory.Known{})
	require.Equal(t, "served-twice", fault.CodeOf(err))
	_, err = directory.Parse("d.yaml", []byte(second+"  - {id: sd-c, agency: SH, system: klib, name: C, contact: {name: C}, everywhere: true}\n"), directory.Known{})
	require.Equal(t, "served-twice", fault.CodeOf(err))
}

func TestWarnings_NameTheGaps(t *testing.T) {
	d, err := directory.Parse("d.yaml", []byte(small), directory.Known{On: "2021-01-01"})
	require.NoError(t, err)
	var texts []string
	for _, f := range d.Warnings() {
		require.Equal(t, "gap", f.Code)
		texts = append(texts, f.Text)
	}
	require.Equal(t, []string{
		"no organisation of this agency type serves any municipality", "nobody of type SH serves Zwei on 2026-01-01", "nobody of type SH serves Drei on 2021-01-01",
	}, texts)
}

func TestLoad_SaysWhatIsWrongWithTheFile(t *testing.T) {
	_, err := directory.Load("no-such-file.yaml", directory.Known{})
	require.Equal(t, fault.Stop, fault.KindOf(err))
	require.ErrorContains(t, err, "no such file")
	_, err = directory.Parse("d.yaml", nil, directory.Known{})
	require.Equal(t, fault.Stop, fault.KindOf(err))
}

// Whoever is responsible on a day is the only one of its type.
func TestReceiver_OneOrNobody(t *testing.T) {
	d := lucerne(t)
	rapid.Check(t, func(t *rapid.T) {
		bfs := rapid.IntRange(995, 1155).Draw(t, "bfs")
		day := handover.Date(rapid.SampledFrom([]string{"2005-12-31", "2013-01-01", "2024-12-31", "2025-01-01", "2026-12-31", "2027-01-01"}).Draw(t, "day"))
		for _, agency := range []handover.Code{"ALV", "IV", "SH"} {
			var responsible []handover.OrganisationID
			for _, o := range d.Organisations() {
				if o.Agency == agency && d.Responsible(o.ID, bfs, day) {
					responsible = append(responsible, o.ID)
				}
			}
			o, err := d.Receiver(agency, bfs, day)
			if err != nil {
				require.Empty(t, responsible)
				continue
			}
			require.Equal(t, []handover.OrganisationID{o.ID}, responsible)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := directory.Parse("d.yaml", b, directory.Known{On: "2026-01-01"})
		if err != nil {
			var found fault.Findings
			require.ErrorAs(t, err, &found)
			return
		}
		for _, o := range d.Organisations() {
			_, ok := d.System(o.ID, "A")
			require.True(t, ok)
		}
	})
}
