// Package all lists the mappings that are part of the program. The list is written out, because what a binary contains
// must be visible in one place; registration by init was rejected for the same reason.
package all

import (
	"fmt"

	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/avam"
	"github.com/einmal-hub/einmal/mapping/casenet"
	"github.com/einmal-hub/einmal/mapping/ivdossier"
	"github.com/einmal-hub/einmal/mapping/klib"
	"github.com/einmal-hub/einmal/mapping/osiv"
	"github.com/einmal-hub/einmal/mapping/tutoris"
)

// Mappers returns one mapping for each type of native system, by its word in the configuration. It fails when a table that is part of the
// program is wrong; the error is a fault.Error of kind Stop with every finding.
func Mappers() (map[string]mapping.Mapper, error) {
	mappers := map[string]mapping.Mapper{}
	for name, newMapper := range makers() {
		m, err := newMapper()
		if err != nil {
			return nil, fmt.Errorf("mapping %s: %w", name, err)
		}
		mappers[name] = m
	}
	return mappers, nil
}

// makers is the list: one line for each type.
func makers() map[string]func() (mapping.Mapper, error) {
	return map[string]func() (mapping.Mapper, error){
		"casenet":   casenet.New,
		"avam":      avam.New,
		"klib":      klib.New,
		"osiv":      osiv.New,
		"tutoris":   tutoris.New,
		"ivdossier": ivdossier.New,
	}
}
