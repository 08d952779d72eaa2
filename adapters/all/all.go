// Package all lists the adapters that are part of the program. The list is written out, because what a binary contains
// must be visible in one place; registration by init was rejected for the same reason.
package all

import (
	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/avam"
	"github.com/einmal-hub/einmal/adapters/casenet"
	"github.com/einmal-hub/einmal/adapters/ivdossier"
	"github.com/einmal-hub/einmal/adapters/klib"
	"github.com/einmal-hub/einmal/adapters/osiv"
	"github.com/einmal-hub/einmal/adapters/tutoris"
)

// Factories returns one factory for each type of native system. The caller owns the slice.
func Factories() []adapters.Factory {
	return []adapters.Factory{
		klib.Factory{},
		casenet.Factory{},
		avam.Factory{},
		osiv.Factory{},
		tutoris.Factory{},
		ivdossier.Factory{},
	}
}
