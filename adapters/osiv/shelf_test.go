package osiv

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/native"
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
		require.NoError(t, folderOf(root, about(string(id))))
	}
	require.Less(t, search(), few+500)
}

// A process that ends between two steps of taking a report leaves the pair in the inbox; the next one finds the report all the same, under one number.
func TestI7_AReportIsFoundWhereverTheProcessEndedThatTookIt(t *testing.T) {
	for name, links := range map[string]func(v *village, base, k string, e native.Entry){
		"after the number was given": func(*village, string, string, native.Entry) {},
		"after its folder was made": func(v *village, _, _ string, e native.Entry) {
			require.NoError(t, ignoreExists(os.MkdirAll(v.path(about(string(e.Reference))), 0o700)))
		},
		"after it was noted": func(v *village, base, _ string, e native.Entry) {
			require.NoError(t, ignoreExists(os.MkdirAll(v.path(about(string(e.Reference))), 0o700)))
			require.NoError(t, os.Link(v.path(contract.Inbox, "envl_"+base+".xml"), v.path(about(string(e.Reference)), "in_0000000001.xml")))
		},
	} {
		v := open(t)
		e := entry("application-submitted", 1, "")
		v.handOver(t, e)
		v.step(t)
		base := v.pairInInbox(t)
		b, err := os.ReadFile(v.path(contract.Inbox, "envl_"+base+".xml"))
		require.NoError(t, err)
		require.NoError(t, os.Link(v.path(contract.Inbox, "data_"+base+".zip"), v.path(contract.Processed, "in_"+key(b)+".zip")))
		require.NoError(t, os.Link(v.path(contract.Inbox, "envl_"+base+".xml"), v.path(contract.Processed, "in_0000000001.xml")))
		links(v, base, key(b), e)
		require.Len(t, v.find(t, e), 1, name)
		require.Empty(t, v.names(t, contract.Inbox), name)
		_, err = os.Lstat(v.path(number(2)))
		require.ErrorIs(t, err, os.ErrNotExist, name)
	}
}

func ignoreExists(err error) error {
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	return err
}
