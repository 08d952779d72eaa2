package witness_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/witness"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func mark() witness.Mark {
	return witness.Mark{
		V: 1, Cluster: "k", Installation: "I", Era: 1, At: time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC), Ledger: []int64{5, 7}, Handover: []int64{2, 3}, Parked: []int64{0, 1},
		Last: []witness.Record{{Offset: 4, Digest: "d4"}, {Offset: 6, Digest: "d6"}}, Beat: 9,
	}
}

// found is a ledger in which the remembered records stand, changed as a test wants it.
func found(change func(*witness.Found)) witness.Found {
	f := witness.Found{
		Mark: mark(), Instead: func(string) bool { return false },
		RecordAt: func(_ int32, offset int64) (string, bool, error) {
			return map[int64]string{4: "d4", 6: "d6"}[offset], true, nil
		},
	}
	f.Last = nil
	change(&f)
	return f
}

func TestALedgerThatHasLostSomethingIsFound(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*witness.Found)
		codes  []string
	}{
		"the same":                 {func(*witness.Found) {}, nil},
		"grown":                    {func(f *witness.Found) { f.Ledger, f.Handover = []int64{50, 7}, []int64{20, 3} }, nil},
		"shorter":                  {func(f *witness.Found) { f.Ledger = []int64{5, 6} }, []string{"shorter"}},
		"all of it":                {func(f *witness.Found) { f.Ledger, f.Handover, f.Parked = []int64{0, 0}, []int64{0, 0}, []int64{0, 0} }, []string{"shorter", "shorter", "shorter", "shorter", "shorter"}},
		"the messages":             {func(f *witness.Found) { f.Handover = []int64{1, 3} }, []string{"shorter"}},
		"what is kept":             {func(f *witness.Found) { f.Parked = []int64{0, 0} }, []string{"shorter"}},
		"a partition":              {func(f *witness.Found) { f.Ledger, f.Handover, f.Parked = []int64{5}, []int64{2}, []int64{0} }, []string{"partition-missing", "partition-missing", "partition-missing"}},
		"cluster":                  {func(f *witness.Found) { f.Cluster = "l" }, []string{"other-cluster"}},
		"installation":             {func(f *witness.Found) { f.Installation = "J" }, []string{"other-installation"}},
		"empty":                    {func(f *witness.Found) { f.Installation, f.Ledger = "", []int64{0, 0} }, []string{"ledger-empty"}},
		"the acceptance of a loss": {func(f *witness.Found) { f.Era = 0 }, []string{"era"}},
		"a loss that was accepted": {func(f *witness.Found) { f.Era, f.Ledger, f.Cluster = 2, []int64{1, 1}, "l" }, nil},
		"another installation, and a person knows": {func(f *witness.Found) {
			f.Installation, f.Ledger, f.Instead = "J", []int64{1, 1}, func(i string) bool { return i == "I" }
		}, nil},
		"shorter, and longer again": {func(f *witness.Found) {
			f.Ledger = []int64{50, 70}
			f.RecordAt = func(int32, int64) (string, bool, error) { return "another", true, nil }
		}, []string{"replaced", "replaced"}},
		"compacted": {func(f *witness.Found) {
			f.RecordAt = func(int32, int64) (string, bool, error) { return "", false, nil }
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			fs, err := witness.Compare("Redis", mark(), found(tc.change))
			require.NoError(t, err)
			var codes []string
			for _, f := range fs {
				codes = append(codes, f.Code)
				require.Contains(t, f.Text, "Redis")
			}
			require.Equal(t, tc.codes, codes)
		})
	}
	_, err := witness.Compare("Redis", mark(), found(func(f *witness.Found) {
		f.RecordAt = func(int32, int64) (string, bool, error) { return "", false, errors.New("away") }
	}))
	require.Error(t, err, "what cannot be asked is not in order")
}

// A mark is a lower bound: merging never lowers one, in any order.
func TestMergedMarksRememberTheMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) witness.Mark {
			m := mark()
			m.Era = rapid.IntRange(0, 1).Draw(t, name+" era")
			m.Beat = rapid.Int64Range(0, 9).Draw(t, name+" beat")
			for p := range m.Ledger {
				m.Ledger[p] = rapid.Int64Range(1, 99).Draw(t, name)
				m.Last[p] = witness.Record{Offset: m.Ledger[p] - 1, Digest: "d"}
			}
			return m
		}
		a, b := draw("a"), draw("b")
		ab, ba := a.Merge(b), b.Merge(a)
		require.True(t, ab.Same(ba))
		require.Equal(t, max(a.Era, b.Era), ab.Era)
		require.Equal(t, a.Beat, ab.Beat)
		for _, m := range []witness.Mark{a, b} {
			for p := range m.Ledger {
				if m.Era == ab.Era {
					require.GreaterOrEqual(t, ab.Ledger[p], m.Ledger[p])
					require.Equal(t, ab.Ledger[p]-1, ab.Last[p].Offset)
				}
			}
		}
	})
	other := mark()
	other.Installation = "J"
	require.True(t, mark().Merge(other).Same(mark()))
}

func TestAFileIsReplacedAsAWholeAndNeverRemembersLess(t *testing.T) {
	f := witness.FileFor(filepath.Join(t.TempDir(), "new"), "einmal")
	_, there, err := f.Load()
	require.NoError(t, err)
	require.False(t, there)
	require.NoError(t, f.Save(mark(), false))
	less := mark()
	less.Ledger = []int64{1, 9}
	require.NoError(t, f.Save(less, false))
	m, there, err := f.Load()
	require.NoError(t, err)
	require.True(t, there)
	require.Equal(t, []int64{5, 9}, m.Ledger)
	require.NoError(t, f.Save(less, true), "a person has accepted it")
	m, _, err = f.Load()
	require.NoError(t, err)
	require.True(t, m.Same(less))
	left, err := filepath.Glob(filepath.Join(filepath.Dir(f.Path), ".ledger-mark-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestSeveralGatewaysShareAFile(t *testing.T) {
	f := witness.FileFor(t.TempDir(), "einmal")
	var all sync.WaitGroup
	for p := range 2 {
		for n := range int64(10) {
			all.Go(func() {
				m := mark()
				m.Ledger = []int64{0, 0}
				m.Ledger[p] = n
				if err := f.Save(m, false); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	m, _, err := f.Load()
	require.NoError(t, err)
	require.Equal(t, []int64{9, 9}, m.Ledger)
}

// It may be the only witness, so it is not passed over.
func TestAFileThatCannotBeUnderstoodStops(t *testing.T) {
	for _, content := range []string{"", "{", "null", "[]", `{"v":2}`} {
		f := witness.File{Path: filepath.Join(t.TempDir(), "m")}
		require.NoError(t, os.WriteFile(f.Path, []byte(content), 0o600))
		_, _, err := f.Load()
		require.Equal(t, fault.Stop, fault.KindOf(err), content)
		require.Equal(t, "mark-unusable", fault.CodeOf(err))
		require.Equal(t, "mark-unusable", fault.CodeOf(f.Save(mark(), false)))
	}
	folder := witness.File{Path: t.TempDir()}
	_, _, err := folder.Load()
	require.Equal(t, fault.Stop, fault.KindOf(err))
	require.Equal(t, fault.Stop, fault.KindOf(witness.File{Path: "/dev/null/mark"}.Save(mark(), false)))
}

func FuzzDecode(f *testing.F) {
	b, err := mark().Encode()
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte(`{"v":1,"ledger":[-1]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := witness.Decode(b)
		if err != nil {
			return
		}
		fs, err := witness.Compare("it", m, found(func(*witness.Found) {}))
		require.NoError(t, err)
		_ = fs
		_ = m.Merge(mark())
		_ = mark().Merge(m)
	})
}
