package metrics

// #include "shim.h"
import "C"

import (
	"runtime/cgo"
	"sync"
	"time"
	"unsafe"
)

// EventType is the number of an event type, for the whole process; never 0.
type EventType uint32

// Symbol is the number of an interned text, for the whole process. 0, and what is no symbol, stands for the empty
// text.
type Symbol uint32

// FieldKind is the kind of a field of an event.
type FieldKind uint32

const (
	FieldI8     FieldKind = C.MVX_FIELD_I8
	FieldI16    FieldKind = C.MVX_FIELD_I16
	FieldI32    FieldKind = C.MVX_FIELD_I32
	FieldI64    FieldKind = C.MVX_FIELD_I64
	FieldU8     FieldKind = C.MVX_FIELD_U8
	FieldU16    FieldKind = C.MVX_FIELD_U16
	FieldU32    FieldKind = C.MVX_FIELD_U32
	FieldU64    FieldKind = C.MVX_FIELD_U64
	FieldF32    FieldKind = C.MVX_FIELD_F32
	FieldF64    FieldKind = C.MVX_FIELD_F64
	FieldBool   FieldKind = C.MVX_FIELD_BOOL   // one byte, 0 is false
	FieldSymbol FieldKind = C.MVX_FIELD_SYMBOL // a Symbol
	FieldText   FieldKind = C.MVX_FIELD_TEXT   // bytes that end at the first NUL or after Size bytes
)

// Field is one declared field of a payload. Numbers are in the byte order of the machine and may lie unaligned.
type Field struct {
	Name   string
	Kind   FieldKind
	Offset uint32 // in bytes
	Size   uint32 // in bytes; 0 stands for that of the kind
}

// EventTypeFlags are flags of an event type.
type EventTypeFlags uint32

// Timed: each event carries the time of its registration. Without, it carries the time at which the library took up
// the batch that it came in, which costs nothing.
const Timed EventTypeFlags = C.MVX_EVENT_TYPE_TIMED

// EventTypeOptions is what an event type is declared with, beside its name and fields.
type EventTypeOptions struct {
	Flags EventTypeFlags
	// Release is called once for each accepted event, after its dispatch or when it is discarded; never for one that
	// was refused or dropped. The payload is there while it runs. An event type with a Release can be declared once
	// only, for functions can't be compared.
	Release func(payload []byte)
	// Drop runs once where the declaration fails; an event type lives as long as the process. It needs a Release.
	Drop func()
}

// DeclareEventType declares an event type by its fields, for events whose shape is known only at run time; DeclareEvent
// does it for a struct. The same name with the same fields and flags gives the same number; with others it is
// AlreadyExists. Any goroutine; does not block.
func DeclareEventType(name string, fields []Field, options *EventTypeOptions) (EventType, error) {
	var memory arena
	defer memory.free()
	raw := (*C.mvx_event_type_options)(memory.alloc(C.sizeof_mvx_event_type_options))
	raw.struct_size = C.sizeof_mvx_event_type_options
	raw.name = memory.str(name)
	if len(fields) > 0 {
		raw.fields = (*C.mvx_field)(memory.alloc(uintptr(len(fields)) * C.sizeof_mvx_field))
		raw.field_count = C.size_t(len(fields))
		for i, field := range fields {
			unsafe.Slice(raw.fields, len(fields))[i] = C.mvx_field{
				name: memory.str(field.Name), kind: C.uint32_t(field.Kind),
				offset: C.uint32_t(field.Offset), size: C.uint32_t(field.Size),
			}
		}
	}
	var user *C.mvx_go_user
	if options != nil {
		raw.flags = C.uint32_t(options.Flags)
		if options.Release != nil {
			user = newUser(&releaser{options.Release, options.Drop})
		}
	}
	var number C.mvx_event_type
	var failure *C.mvx_error
	status := C.mvx_go_event_type_declare(raw, user, &number, &failure)
	return EventType(number), takeError(status, failure)
}

// Name is the name under which the event type was declared.
func (t EventType) Name() (string, error) {
	var name C.mvx_str
	if status := C.mvx_event_type_name(C.mvx_event_type(t), &name); status != C.MVX_OK {
		return "", plainError(status)
	}
	return goText(name), nil
}

// Intern gives the number of a text that repeats, such as an outcome or a route. Interned texts live as long as the
// process, so don't intern what has no bounds. Keep the Symbol where it is used often: this is a call into C.
func Intern(text string) (Symbol, error) {
	var symbol C.mvx_symbol
	data, size := textPointer(text)
	status := C.mvx_go_intern(data, size, &symbol)
	return Symbol(symbol), plainError(status)
}

// MustIntern is Intern for texts of the program itself; it panics where the library refuses one.
func MustIntern(text string) Symbol {
	symbol, err := Intern(text)
	if err != nil {
		panic(err)
	}
	return symbol
}

// Text is the interned text; of what is no symbol, InvalidArgument.
func (s Symbol) Text() (string, error) {
	var text C.mvx_str
	if status := C.mvx_symbol_text(C.mvx_symbol(s), &text); status != C.MVX_OK {
		return "", plainError(status)
	}
	return goText(text), nil
}

// Event is an event as a metric or hook sees it. It and its payload are there until the callback returns.
type Event struct {
	Type    EventType
	Payload []byte // the library's memory: read it, copy it, don't keep or change it
	unixNS  uint64
}

// Time is when the event was registered, of a Timed event type; otherwise when the library took up its batch.
func (e *Event) Time() time.Time { return time.Unix(0, int64(e.unixNS)) }

// TypeName is the name of the event's type.
func (e *Event) TypeName() string {
	if name, known := typeNames.Load(e.Type); known {
		return name.(string)
	}
	name, err := e.Type.Name()
	if err == nil {
		typeNames.Store(e.Type, name)
	}
	return name
}

// typeNames spares events their way into C: what an event type is called never changes.
var typeNames sync.Map

func (e *Event) read(from *C.mvx_event) {
	e.Type = EventType(from._type)
	e.unixNS = uint64(from.time_unix_ns)
	e.Payload = nil
	if from.len > 0 {
		e.Payload = unsafe.Slice((*byte)(from.payload), int(from.len))
	}
}

type releaser struct {
	release func(payload []byte)
	drop    func()
}

func (r *releaser) dropped() { quietly(r.drop) }

//export mvxGoRelease
func mvxGoRelease(handle C.uintptr_t, payload unsafe.Pointer, size C.size_t) {
	releaser := cgo.Handle(handle).Value().(*releaser)
	quietly(func() {
		var bytes []byte
		if size > 0 {
			bytes = unsafe.Slice((*byte)(payload), int(size))
		}
		releaser.release(bytes)
	})
}
