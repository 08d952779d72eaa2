package klib

import (
	"testing"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping/mappingtest"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestConformance(t *testing.T) {
	fields, err := Table()
	require.NoError(t, err)
	mappingtest.Run(t, mappingtest.Subject{Table: fields, New: With})
}

// Whatever is a valid message and can be written is what the contract describes: the system refuses nothing that einmal took.
func TestFromHandover_TheSystemTakesEveryValidMessage(t *testing.T) {
	m, system := mapperOf(t), mockOf(t)
	fields, err := Table()
	require.NoError(t, err)
	for _, zero := range handover.Catalogue() {
		t.Run(string(zero.Name()), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				entry, err := m.FromHandover(message(mappingtest.Payload(zero.Name(), fields).Draw(rt, "payload")), place())
				require.NoError(rt, err)
				require.NoError(rt, system.Validate(entry.Kind, entry.Body), "%s", entry.Body)
			})
		})
	}
}
