package handover_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/personal"
)

func TestEveryMessageCanBeMarkedAndNothingElseOfItChanges(t *testing.T) {
	for _, p := range handover.Catalogue() {
		marked, err := handover.Marked(p, "PERHAPS TWICE")
		require.NoError(t, err, p.Name())
		v := reflect.New(reflect.TypeOf(marked)).Elem()
		v.Set(reflect.ValueOf(marked))
		require.Equal(t, personal.Text("PERHAPS TWICE"), v.FieldByName("Remark").Interface())
		v.FieldByName("Remark").SetZero()
		require.Equal(t, p, v.Interface(), "and the original is as it was")
	}
}

func TestAMarkStandsBeforeWhatWasSaidAndCutsNothingOff(t *testing.T) {
	said := handover.ApplicationWithdrawn{Remark: "äöü"}
	marked, err := handover.Marked(said, "TWICE")
	require.NoError(t, err)
	require.Equal(t, personal.Text("TWICE äöü"), marked.(handover.ApplicationWithdrawn).Remark)
	said.Remark = personal.Text(strings.Repeat("ü", 1994))
	_, err = handover.Marked(said, "TWICE")
	require.NoError(t, err, "2000 characters")
	said.Remark += "ü"
	_, err = handover.Marked(said, "TWICE")
	require.Equal(t, "mark-too-long", fault.CodeOf(err))
	require.NotContains(t, err.Error(), "ü")
}
