package avam_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/mapping/avam"
	"github.com/einmal-hub/einmal/mapping/mappingtest"
)

func TestConformance(t *testing.T) {
	fields, err := avam.Table()
	require.NoError(t, err)
	mappingtest.Run(t, mappingtest.Subject{Table: fields, New: avam.With})
}
