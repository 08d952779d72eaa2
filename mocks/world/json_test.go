package world_test

import "github.com/go-json-experiment/json"

func jsonOf(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func fromJSON(b []byte, v any) error { return json.Unmarshal(b, v) }
