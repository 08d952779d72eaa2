package mapping

import (
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// Guard returns a mapper that turns a panic of m into a reason to park: one record that a mapping breaks down over must not stop the gateway, and it would
// be read again at every start. The value of the panic may hold personal data, so it is not kept.
func Guard(m Mapper) Mapper { return guard{m} }

type guard struct{ mapper Mapper }

// ToHandover translates as the guarded mapper does.
func (g guard) ToHandover(r native.Record) (d Draft, err error) {
	defer broken(&err)
	return g.mapper.ToHandover(r)
}

// FromHandover translates as the guarded mapper does.
func (g guard) FromHandover(m handover.Message, at Placement) (e native.Entry, err error) {
	defer broken(&err)
	return g.mapper.FromHandover(m, at)
}

// broken is deferred; it makes an error of a panic.
func broken(err *error) {
	if recover() != nil {
		*err = fault.New(fault.Park, "mapping.guard", "panic", "the mapping has an error of its own").
			Hint("report it with the message's name and the system, update einmal, and let the message go on")
	}
}
