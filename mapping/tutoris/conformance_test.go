package tutoris_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/mapping/mappingtest"
	"github.com/einmal-hub/einmal/mapping/tutoris"
)

func TestConformance(t *testing.T) {
	fields, err := tutoris.Table()
	require.NoError(t, err)
	mappingtest.Run(t, mappingtest.Subject{Table: fields, New: tutoris.With})
}
