package handover

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/go-json-experiment/json"
)

// complete reports, as [fault.Findings] in the notation of Validate, every member of a decoded JSON document that is null, or absent
// although t does not mark it as optional (omitzero). b has been decoded into t already, so its structure is known to fit.
func complete(t reflect.Type, b []byte) error {
	var document any
	if err := json.Unmarshal(b, &document); err != nil {
		return fault.New(fault.Park, "handover.complete", "malformed-json", "the document is not JSON")
	}
	var fs fault.Findings
	completeValue(&fs, "", t, document)
	return fs.Err()
}

func completeValue(fs *fault.Findings, path string, t reflect.Type, v any) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := v.(type) {
	case nil:
		fs.Add(path, "null", "null stands where a value belongs", "leave the member out")
	case []any:
		for i, e := range v {
			completeValue(fs, fmt.Sprintf("%s[%d]", path, i), t.Elem(), e)
		}
	case map[string]any:
		completeMembers(fs, path, t, v)
	}
}

func completeMembers(fs *fault.Findings, path string, t reflect.Type, members map[string]any) {
	if t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return
	}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		at := strings.TrimPrefix(path+"."+name, ".")
		v, there := members[name]
		if there {
			completeValue(fs, at, f.Type, v)
			continue
		}
		if options != "omitzero" {
			fs.Add(at, "missing", "the value is missing", "")
		}
	}
}
