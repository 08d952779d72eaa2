package tutoris

import (
	"github.com/beevik/etree"

	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// documents returns the hashes that a content names.
func documents(content *etree.Element) []string {
	var all []string
	for _, d := range strict.Children(content, contract.Namespace, "beilage") {
		all = append(all, own(d, "sha256"))
	}
	return all
}
