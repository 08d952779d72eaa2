package mapping

import (
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// Guard returns a mapper whose panics are errors of kind Park with the code panic: one broken message must not stop the gateway. The value of the
// panic may hold personal data, so it is not kept.
func Guard(m Mapper) Mapper { return guard{m} }

type guard struct{ m Mapper }

func (g guard) ToHandover(r native.Record) (d Draft, err error) {
	defer recovered("mapping.to-handover", &err)
	return g.m.ToHandover(r)
}

func (g guard) FromHandover(m handover.Message, at Placement) (e native.Entry, err error) {
	defer recovered("mapping.from-handover", &err)
	return g.m.FromHandover(m, at)
}

func recovered(op string, err *error) {
	if recover() != nil {
		*err = fault.New(fault.Park, op, "panic", "the mapping has an error of its own").
			Hint("report it with the message's name and the system, update einmal, and let the message go on")
	}
}
