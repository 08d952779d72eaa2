package schema

import (
	"embed"

	"github.com/einmal-hub/einmal/contracts/handover"
)

//go:embed *.v1.schema.json asyncapi.yaml
var files embed.FS

// Message returns the JSON Schema of a message's payload, or nil for a message that is not in the catalogue.
func Message(n handover.Name) []byte {
	b, err := files.ReadFile(FileName(n))
	if err != nil {
		return nil
	}
	return b
}

// FileName returns the name of the file that holds the schema of a message.
func FileName(n handover.Name) string { return string(n) + "." + handover.Version + ".schema.json" }

// AsyncAPI returns the description of the bus as YAML.
func AsyncAPI() []byte {
	b, err := files.ReadFile("asyncapi.yaml")
	if err != nil {
		return nil
	}
	return b
}
