package ivdossier_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/mapping/ivdossier"
	"github.com/einmal-hub/einmal/mapping/mappingtest"
)

func TestConformance(t *testing.T) {
	fields, err := ivdossier.Table()
	require.NoError(t, err)
	mappingtest.Run(t, mappingtest.Subject{Table: fields, New: ivdossier.With})
}
