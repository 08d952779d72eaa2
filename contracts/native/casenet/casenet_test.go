package casenet_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/native/casenet"
	"github.com/einmal-hub/einmal/contracts/personal"
)

func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(casenet.OpenAPI())
	require.NoError(t, err)
	return doc
}

func page(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(b)
}

func holds(t *testing.T, doc *openapi3.T, schema string, value any) error {
	t.Helper()
	return doc.Components.Schemas[schema].Value.VisitJSON(value, openapi3.EnableJSONSchema2020(), openapi3.MultiErrors())
}

func TestContract_IsAValidDocument(t *testing.T) {
	require.NoError(t, document(t).Validate(t.Context()))
}

func TestContract_TheExampleOfThePageIsWhatItDescribes(t *testing.T) {
	_, rest, ok := strings.Cut(page(t), "```json\n")
	require.True(t, ok)
	example, _, _ := strings.Cut(rest, "```")
	var opening map[string]any
	require.NoError(t, json.Unmarshal([]byte(example), &opening))
	doc := document(t)
	require.NoError(t, holds(t, doc, "Opening", opening))
	client := opening["content"].(map[string]any)["client"].(map[string]any)
	_, err := personal.ParseAHV(client["socialSecurityNumber"].(string))
	require.NoError(t, err)
	delete(client, "birthDate")
	require.Error(t, holds(t, doc, "Opening", opening), "the schema looks into the content")
}

func TestContract_EveryKindHasItsContent(t *testing.T) {
	doc := document(t)
	kinds := doc.Components.Schemas["Kind"].Value.Enum
	require.Len(t, kinds, 22)
	for _, kind := range kinds {
		require.Error(t, holds(t, doc, "ContentOfKind", map[string]any{"kind": kind, "content": map[string]any{"urgent": true}}), kind)
	}
}

func TestContract_PageAndDocumentKnowTheSameProblems(t *testing.T) {
	codes := regexp.MustCompile("`([a-z]+(?:-[a-z]+)+)`")
	document := string(casenet.OpenAPI())
	for _, m := range codes.FindAllStringSubmatch(page(t), -1) {
		switch code := m[1]; code {
		case "webhook-id", "webhook-timestamp", "webhook-signature", "external-reference-exists", "not-processed", "position-unknown", "content-invalid",
			"document-unknown", "document-exists", "amended-record-unknown", "hash-mismatch":
			require.Contains(t, document, code)
		case "check-digit", "dates-reversed", "unknown-field", "unknown-code", "too-long", "out-of-range", "wrong-type":
			// Codes of findings, which the page alone lists.
		default:
			t.Errorf("%s stands on the page only", code)
		}
	}
}
