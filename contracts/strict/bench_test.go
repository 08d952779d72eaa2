package strict_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/beevik/etree"
	"github.com/go-json-experiment/json"

	"github.com/einmal-hub/einmal/contracts/strict"
)

// BenchmarkStrict measures what strictness costs: the same document of 100 records, read here and by the library alone.
func BenchmarkStrict(b *testing.B) {
	type record struct {
		ID     string   `json:"id"`
		Number int64    `json:"number"`
		Texts  []string `json:"texts"`
	}
	var jsonDoc, xmlDoc bytes.Buffer
	jsonDoc.WriteString(`[`)
	xmlDoc.WriteString(`<r:records xmlns:r="urn:example:records">`)
	for n := range 100 {
		if n > 0 {
			jsonDoc.WriteString(`,`)
		}
		fmt.Fprintf(&jsonDoc, `{"id":"R-%d","number":%d,"texts":["Bürglen","Stellensuche","6010 Kriens"]}`, n, n)
		fmt.Fprintf(&xmlDoc, `<r:record id="R-%d"><r:number>%d</r:number><r:text>Bürglen</r:text><r:text>Stellensuche</r:text><r:text>6010 Kriens</r:text></r:record>`, n, n)
	}
	jsonDoc.WriteString(`]`)
	xmlDoc.WriteString(`</r:records>`)
	for _, tc := range []struct {
		name string
		doc  []byte
		read func([]byte) error
	}{
		{"json/strict", jsonDoc.Bytes(), func(doc []byte) error { var v []record; return strict.JSON(doc, &v) }},
		{"json/library", jsonDoc.Bytes(), func(doc []byte) error { var v []record; return json.Unmarshal(doc, &v) }},
		{"xml/strict", xmlDoc.Bytes(), func(doc []byte) error { _, err := strict.XML(doc); return err }},
		{"xml/library", xmlDoc.Bytes(), func(doc []byte) error { return etree.NewDocument().ReadFromBytes(doc) }},
	} {
		b.Run(tc.name, func(b *testing.B) {
			b.SetBytes(int64(len(tc.doc)))
			for b.Loop() {
				if err := tc.read(tc.doc); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
