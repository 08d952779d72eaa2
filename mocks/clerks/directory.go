package clerks

import (
	_ "embed"
	"fmt"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
)

//go:embed lucerne.json
var lucerneJSON []byte

// directory says who works where and what is handed over between whom.
type directory struct {
	Shared        handover.SystemID `json:"shared"`      // the platform that shows every case
	OneByHandIn   int               `json:"oneByHandIn"` // one step in so many is entered on the platform
	Organisations []organisation    `json:"organisations"`
	Flows         []flow            `json:"flows"`
}

type organisation struct {
	ID     handover.OrganisationID `json:"id"`
	System handover.SystemID       `json:"system"`
	Towns  []town                  `json:"towns,omitzero"` // where the people live whom it serves; empty: it serves those of others
}

type town struct {
	Zip          string `json:"zip"`
	Town         string `json:"town"`
	Municipality int    `json:"municipality"`
}

// flow is one direction of handovers.
type flow struct {
	TargetGroup         string                       `json:"targetGroup"`
	Process             string                       `json:"process"`
	Consent             string                       `json:"consent"`
	Exemption           bool                         `json:"exemption"` // the person is exempted from the search for work
	EconomicAssistance  bool                         `json:"economicAssistance"`
	UnemploymentBenefit bool                         `json:"unemploymentBenefit"`
	RegisteredJobseeker bool                         `json:"registeredJobseeker"`
	Pairs               [][2]handover.OrganisationID `json:"pairs"` // assigning, receiving
	Rejections          []string                     `json:"rejections"`
	Declarations        []core.Question              `json:"declarations"` // with answers that the agencies' rules of admission accept
}

// lucerne reads the directory of the first home.
func lucerne() (directory, error) {
	var d directory
	if err := strict.JSON(lucerneJSON, &d); err != nil {
		return directory{}, fmt.Errorf("read the clerks' directory: %w", err)
	}
	return d, nil
}

// residences returns where a person can live whose case moves between two organisations.
func (d directory) residences(pair [2]handover.OrganisationID) []town {
	for _, known := range d.Organisations {
		if (known.ID == pair[0] || known.ID == pair[1]) && len(known.Towns) > 0 {
			return known.Towns
		}
	}
	return nil
}

// home returns the system that an organisation works in.
func (d directory) home(o handover.OrganisationID) handover.SystemID {
	for _, known := range d.Organisations {
		if known.ID == o {
			return known.System
		}
	}
	return ""
}
