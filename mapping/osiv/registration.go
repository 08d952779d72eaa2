package osiv

import (
	"slices"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// What the form asks about the IV procedure, and the answers that mean that the person is registered with the IV.
const (
	ivProcedure handover.Code = "IV_PROCEDURE"
	running     handover.Code = "RUNNING"
	closed      handover.Code = "CLOSED"
)

// registration is the name of ivAnmeldung in the table.
const registration = "registration"

// declared returns what an application declares about the IV procedure, "" for nothing.
func declared(a handover.ApplicationSubmitted) handover.Code {
	i := slices.IndexFunc(a.Declarations, func(d handover.Declaration) bool { return d.Item == ivProcedure })
	if i < 0 {
		return ""
	}
	return a.Declarations[i].Answer
}

// registrationOf is the guard of P7: the registration of an application's person, or an error. Other messages go into cases that only an
// application can have opened; they have none.
func registrationOf(p handover.Payload) (handover.Code, error) {
	a, opens := p.(handover.ApplicationSubmitted)
	if !opens {
		return "", nil
	}
	switch answer := declared(a); answer {
	case running, closed:
		return answer, nil
	default:
		return "", fault.New(fault.Park, Type+".from-handover", "no-iv-registration", "OSIV can hold only persons with an IV registration, and the application does not declare one").
			At("declarations").Hint("send it to the register of the IV office for persons without registration, or declare the state of the IV procedure")
	}
}

// declare makes sure that an application from OSIV declares what its registration says. A form that declares something else is parked.
func declare(p handover.Payload, registered handover.Code) (handover.Payload, fault.Findings) {
	a, opens := p.(handover.ApplicationSubmitted)
	if !opens || registered == "" {
		return p, nil
	}
	switch declared(a) {
	case registered:
	case "":
		a.Declarations = append(slices.Clone(a.Declarations), handover.Declaration{Item: ivProcedure, Answer: registered})
	default:
		var fs fault.Findings
		fs.Add("ivAnmeldung", "contradiction", "the registration contradicts what the form says about the IV procedure", "correct it in OSIV")
		return p, fs
	}
	return a, nil
}
