package handover

import (
	"reflect"
	"unicode/utf8"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/personal"
)

// Marked returns a message's payload with a mark before its remark, for the clerk who reads it: that it may be a duplicate, for example. Every message has a remark. Nothing is cut off: a remark
// that leaves no room is an error of kind Park with the code mark-too-long.
func Marked(p Payload, mark string) (Payload, error) {
	marked := reflect.New(reflect.TypeOf(p)).Elem()
	marked.Set(reflect.ValueOf(p))
	remark := marked.FieldByName("Remark")
	text := personal.Text(mark)
	if said := remark.Interface().(personal.Text); said != "" {
		text += " " + said
	}
	if utf8.RuneCountInString(text.Reveal()) > remarkLimit {
		return nil, fault.New(fault.Park, "handover.mark", "mark-too-long", "the remark leaves no room for the mark that the entry may be a duplicate").At("remark").
			Hint("enter it in the native system by hand and rule: found, or withdraw it")
	}
	remark.Set(reflect.ValueOf(text))
	return marked.Interface().(Payload), nil
}
