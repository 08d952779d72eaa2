package osiv

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
)

// What one gateway has seen is brought up to date by what another one took, in both directions, and by a listing where somebody has emptied the folder.
func TestWhatAnotherGatewayTookIsSeen(t *testing.T) {
	v := open(t)
	here := &exchange{
		config: Config{Folder: v.folder, Sender: "T3-CH-1", Recipient: "T6-100001-1", MessageType: 2000100, Settle: time.Hour}, now: time.Now,
	}
	first, second := entry("application-submitted", 1, ""), entry("application-submitted", 2, "")
	v.recorded(t, first)
	found, err := here.Find(t.Context(), first.Reference)
	require.NoError(t, err)
	require.Len(t, found, 1)
	v.recorded(t, second)
	found, err = here.Find(t.Context(), second.Reference)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Len(t, here.shelf.taken, 2)

	require.NoError(t, os.RemoveAll(v.path(contract.Processed)))
	require.NoError(t, os.Mkdir(v.path(contract.Processed), 0o700))
	third := entry("application-submitted", 3, "")
	v.recorded(t, third)
	found, err = here.Find(t.Context(), third.Reference)
	require.NoError(t, err)
	require.Len(t, found, 1)
}

// The folder of what was processed holds months: a search lists neither its pairs nor the receipts of other messages.
func TestASearchLooksOnlyAtItsOwnMessage(t *testing.T) {
	v := open(t)
	e := entry("application-submitted", 1, "")
	v.recorded(t, e)
	root, err := os.OpenRoot(v.folder)
	require.NoError(t, err)
	defer func() { require.NoError(t, root.Close()) }()
	here := &exchange{
		config: Config{Folder: v.folder, Sender: "T3-CH-1", Recipient: "T6-100001-1", MessageType: 2000100, Settle: time.Hour}, now: time.Now,
	}
	search := func() float64 {
		return testing.AllocsPerRun(5, func() {
			known, err := here.outcome(root, e.Reference)
			require.NoError(t, err)
			require.Len(t, known.recorded, 1)
			require.Len(t, known.given, 1)
		})
	}
	few := search()
	for n := range 500 {
		id := entry("application-submitted", 1000+n, "").Reference
		require.NoError(t, os.WriteFile(v.path(contract.Processed, "envl_"+string(id)+".xml"), nil, 0o600))
		require.NoError(t, root.Mkdir(receiptsAbout(string(id)), 0o700))
	}
	require.Less(t, search(), few+500)
}
