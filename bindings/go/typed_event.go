package metrics

// #include "shim.h"
import "C"

import (
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unsafe"
)

// EventOf is an event type whose events are structs of type E. Declare it once, keep it in a package variable.
type EventOf[E any] struct{ number EventType }

// maxPayload is the most bytes that the library takes of one event.
const maxPayload = 4096

// DeclareEvent declares an event type whose fields are those of the struct E. Reflection is needed here only: to record
// an event is to copy its bytes.
//
// Fields may be bool, integers and floating point numbers of any size, Symbol, and arrays of bytes, which are texts
// that end at the first NUL. They are called by their names in snake case, or as a tag says: `mvx:"outcome"`; `mvx:"-"`
// leaves one out. Strings, pointers and other memory of Go's are refused: nothing that C keeps may refer to it. Intern
// a text that repeats and use a Symbol. A struct without fields is an event without payload.
func DeclareEvent[E any](name string, options *EventTypeOptions) (EventOf[E], error) {
	var sample E
	fields, err := fieldsOf(reflect.TypeOf(sample))
	if err != nil {
		return EventOf[E]{}, err
	}
	number, err := DeclareEventType(name, fields, options)
	return EventOf[E]{number}, err
}

// MustDeclareEvent is DeclareEvent for package variables; it panics where the declaration is refused.
func MustDeclareEvent[E any](name string) EventOf[E] {
	event, err := DeclareEvent[E](name, nil)
	if err != nil {
		panic(err)
	}
	return event
}

// Type is the number of the event type, for metrics.
func (t EventOf[E]) Type() EventType { return t.number }

// Register records one event, which is copied. This is the call to make often: it allocates nothing for structs of at
// most 32 bytes. Under OverflowBlock it may wait for room, and then holds a thread of the operating system.
func (t EventOf[E]) Register(recorder *Recorder, event E) error {
	size := unsafe.Sizeof(event)
	if size <= 16 {
		var words [2]uint64
		*(*E)(unsafe.Pointer(&words)) = event
		return plainError(C.mvx_go_record_2(recorder.raw(), C.mvx_event_type(t.number), C.uint64_t(words[0]),
			C.uint64_t(words[1]), C.size_t(size)))
	}
	if size <= 32 {
		var words [4]uint64
		*(*E)(unsafe.Pointer(&words)) = event
		return plainError(C.mvx_go_record_4(recorder.raw(), C.mvx_event_type(t.number), C.uint64_t(words[0]),
			C.uint64_t(words[1]), C.uint64_t(words[2]), C.uint64_t(words[3]), C.size_t(size)))
	}
	return t.registerLarge(recorder, event)
}

// registerLarge is on its own so that small events stay off the heap.
func (t EventOf[E]) registerLarge(recorder *Recorder, event E) error {
	return plainError(C.mvx_go_record(recorder.raw(), C.mvx_event_type(t.number), unsafe.Pointer(&event),
		C.size_t(unsafe.Sizeof(event))))
}

// RegisterMany records events in their order, in one call, and says how many were accepted: as many as fit, from the
// first one on. The error is that of the first event that was not; nil with fewer accepted means that the others were
// dropped.
func (t EventOf[E]) RegisterMany(recorder *Recorder, events []E) (accepted int, err error) {
	var first unsafe.Pointer
	var sample E
	if len(events) > 0 {
		first = unsafe.Pointer(&events[0])
	}
	return registerMany(recorder, t.number, first, unsafe.Sizeof(sample), len(events))
}

// Of gives the struct of an event that a metric or hook sees; false where the event is of another type.
func (t EventOf[E]) Of(event *Event) (decoded E, ok bool) {
	if event.Type != t.number || uintptr(len(event.Payload)) < unsafe.Sizeof(decoded) {
		return decoded, false
	}
	if unsafe.Sizeof(decoded) > 0 {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&decoded)), int(unsafe.Sizeof(decoded))), event.Payload)
	}
	return decoded, true
}

func registerMany(recorder *Recorder, number EventType, first unsafe.Pointer, size uintptr, count int) (int, error) {
	var accepted C.size_t
	status := C.mvx_go_record_many(recorder.raw(), C.mvx_event_type(number), first, C.size_t(size), C.size_t(count),
		&accepted)
	return int(accepted), plainError(status)
}

var symbolType = reflect.TypeOf(Symbol(0))

var fieldKinds = map[reflect.Kind]FieldKind{
	reflect.Int8: FieldI8, reflect.Int16: FieldI16, reflect.Int32: FieldI32, reflect.Int64: FieldI64,
	reflect.Uint8: FieldU8, reflect.Uint16: FieldU16, reflect.Uint32: FieldU32, reflect.Uint64: FieldU64,
	reflect.Float32: FieldF32, reflect.Float64: FieldF64, reflect.Bool: FieldBool,
}

func fieldsOf(structure reflect.Type) ([]Field, error) {
	if structure == nil || structure.Kind() != reflect.Struct {
		return nil, argumentError("E", fmt.Sprintf("an event must be a struct, not %v", structure))
	}
	if structure.Size() > maxPayload {
		return nil, argumentError("E", fmt.Sprintf("%v has %d bytes; an event has at most %d", structure,
			structure.Size(), maxPayload))
	}
	var fields []Field
	for i := 0; i < structure.NumField(); i++ {
		member := structure.Field(i)
		kind, fits := kindOf(member.Type)
		if !fits {
			return nil, argumentError("E", fmt.Sprintf("%v.%s is of type %v, which can't be copied as bytes; "+
				"use numbers, bool, metrics.Symbol, or an array of bytes", structure, member.Name, member.Type))
		}
		name := member.Tag.Get("mvx")
		if name == "-" || member.Name == "_" {
			continue
		}
		if name == "" {
			name = snakeCase(member.Name)
		}
		fields = append(fields, Field{name, kind, uint32(member.Offset), uint32(member.Type.Size())})
	}
	return fields, nil
}

func kindOf(member reflect.Type) (FieldKind, bool) {
	if member == symbolType {
		return FieldSymbol, true
	}
	switch member.Kind() {
	case reflect.Array:
		return FieldText, member.Elem().Kind() == reflect.Uint8 && member.Len() > 0
	case reflect.Int, reflect.Uint:
		if member.Size() == 4 {
			return map[reflect.Kind]FieldKind{reflect.Int: FieldI32, reflect.Uint: FieldU32}[member.Kind()], true
		}
		return map[reflect.Kind]FieldKind{reflect.Int: FieldI64, reflect.Uint: FieldU64}[member.Kind()], true
	}
	kind, fits := fieldKinds[member.Kind()]
	return kind, fits
}

// snakeCase makes "status_code" of StatusCode, and "http_status" of HTTPStatus.
func snakeCase(name string) string {
	letters := []rune(name)
	var out strings.Builder
	for i, letter := range letters {
		begins := unicode.IsUpper(letter) && i > 0 &&
			(!unicode.IsUpper(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1]))
		if begins {
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToLower(letter))
	}
	return out.String()
}
