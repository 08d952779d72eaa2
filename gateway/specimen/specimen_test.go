package specimen_test

import (
	"testing"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/specimen"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/all"
	"github.com/stretchr/testify/require"
)

func options(m mapping.Mapper) specimen.Options {
	c, _ := m.(mapping.Coded)
	return specimen.Options{
		Mapper: mapping.Guard(m), Coded: c, System: "target", Assigning: "sd-kriens", Receiving: "rav-luzern", BFS: 1059, Test: true, Day: time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC), Mark: [4]byte{1, 2, 3, 4},
	}
}

func record(e native.Entry) native.Record {
	return native.Record{ID: "R-1", Kind: e.Kind, Case: "C-1", Organisation: "sd-kriens", CaseReference: e.CaseReference, Reference: e.Reference, Sequence: 1, At: time.Unix(0, 0), Body: e.Body}
}

func TestEverySystemHasForms(t *testing.T) {
	mappers, err := all.Mappers()
	require.NoError(t, err)
	for name, m := range mappers {
		t.Run(name, func(t *testing.T) {
			f, err := specimen.Find(options(m))
			require.NoError(t, err)
			for _, in := range []native.CaseKey{"", "C-1"} {
				e, err := f.Entry(3, "7e577e57-0000-0000-0000-000000000001", in)
				require.NoError(t, err)
				require.NoError(t, f.Whole(e, record(e)))
				other, err := f.Entry(4, "7e577e57-0000-0000-0000-000000000001", in)
				require.NoError(t, err)
				require.Error(t, f.Whole(e, record(other)), "another text is another form")
				torn := record(e)
				torn.Body = torn.Body[:len(torn.Body)/2]
				require.Error(t, f.Whole(e, torn))
				require.Contains(t, string(e.Body), "TEST")
				if in == "" {
					require.Equal(t, handover.CaseID("7e577e57-0102-0000-0304-000000000003"), e.CaseReference)
				}
			}
			d := handover.Document{Name: "TEST.pdf", MediaType: "application/pdf", Size: 3, SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}
			e, err := f.Entry(5, "7e577e57-0000-0000-0000-000000000002", "C-1", d)
			require.NoError(t, err)
			require.Contains(t, string(e.Body), d.SHA256)
		})
	}
}

func TestOnlySystemsThatCanTellATestAreToldOfOne(t *testing.T) {
	mappers, err := all.Mappers()
	require.NoError(t, err)
	for name, marked := range map[string]bool{"avam": true, "osiv": true, "klib": false, "ivdossier": false} {
		f, err := specimen.Find(options(mappers[name]))
		require.NoError(t, err)
		require.Equal(t, marked, f.Marked(), name)
		o := options(mappers[name])
		o.Test = false
		f, err = specimen.Find(o)
		require.NoError(t, err)
		require.False(t, f.Marked(), name)
	}
}

func TestAFormOfOnesOwnIsTakenAsItIs(t *testing.T) {
	mappers, err := all.Mappers()
	require.NoError(t, err)
	o := options(mappers["klib"])
	o.Form = &handover.ApplicationSubmitted{}
	_, err = specimen.Find(o)
	require.ErrorContains(t, err, "no-form")
}
