package main

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"unsafe"

	"mvx.dev/metrics"
)

// Event types, and payloads written and read field by field.

type event struct {
	key    string
	name   string // as declared: with the scenario's name before it
	number metrics.EventType
	fields []metrics.Field
	size   int
}

// native is the byte order of the machine.
var native = func() binary.ByteOrder {
	one := uint16(1)
	if *(*byte)(unsafe.Pointer(&one)) == 1 {
		return binary.LittleEndian
	}
	return binary.BigEndian
}()

func kindSize(kind metrics.FieldKind) uint32 {
	switch kind {
	case metrics.FieldI8, metrics.FieldU8, metrics.FieldBool, metrics.FieldText:
		return 1
	case metrics.FieldI16, metrics.FieldU16:
		return 2
	case metrics.FieldI32, metrics.FieldU32, metrics.FieldF32, metrics.FieldSymbol:
		return 4
	}
	return 8
}

func (c *Call) fields(list any, natural bool) (fields []metrics.Field, size int, ok bool) {
	end := uint32(0)
	for _, declared := range listOf(list) {
		name, named := c.text(get(declared, "name"))
		number, known := c.constant(fieldKinds, get(declared, "kind"))
		offset, ok1 := c.integer(declared, "offset", 0)
		length, ok2 := c.integer(declared, "size", 0)
		if !named || !known || !ok1 || !ok2 {
			return nil, 0, false
		}
		field := metrics.Field{Name: name, Kind: metrics.FieldKind(number), Offset: uint32(offset), Size: uint32(length)}
		align := kindSize(field.Kind)
		if field.Size == 0 {
			field.Size = align
		}
		if natural {
			field.Offset = (end + align - 1) / align * align
		}
		if field.Offset+field.Size > end {
			end = field.Offset + field.Size
		}
		fields = append(fields, field)
	}
	return fields, int((end + 7) / 8 * 8), true
}

func (s *Scenario) declareEvents() bool {
	for _, key := range keysOf(get(s.root, "events")) {
		declared := get(get(s.root, "events"), key)
		call := &Call{s, declared, "events"}
		fields, size, ok := call.fields(get(declared, "fields"), true)
		if !ok {
			return false
		}
		made := &event{key: key, name: s.fullName(key), fields: fields, size: size}
		options := &metrics.EventTypeOptions{}
		if isTrue(declared, "timed") {
			options.Flags = metrics.Timed
		}
		if isTrue(declared, "release") {
			options.Release = func(payload []byte) { s.note("release %s", made.show(payload)) }
		}
		number, err := metrics.DeclareEventType(made.name, fields, options)
		if err != nil {
			call.broken("event '%s' can't be declared: %v", key, err)
			return false
		}
		made.number = number
		s.events[key] = made
	}
	return true
}

func (s *Scenario) eventOf(number metrics.EventType) *event {
	for _, event := range s.events {
		if event.number == number {
			return event
		}
	}
	return nil
}

// event is the event that a step names, or its bare number.
func (c *Call) event(value any) (*event, metrics.EventType, bool) {
	if name, ok := value.(string); ok && c.scenario.events[name] != nil {
		return c.scenario.events[name], c.scenario.events[name].number, true
	}
	if number, ok := get(value, "$number").(int64); ok {
		return nil, metrics.EventType(number), true
	}
	c.broken("unknown event %s", show(value))
	return nil, 0, false
}

func (c *Call) payload(of *event, value any) ([]byte, bool) {
	if get(value, "$hex") != nil {
		text, ok := c.text(value)
		return []byte(text), ok
	}
	if zeros, ok := get(value, "$zeros").(int64); ok {
		return make([]byte, zeros), true
	}
	if of == nil {
		return nil, len(keysOf(value)) == 0
	}
	bytes := make([]byte, of.size)
	for _, key := range keysOf(value) {
		field := of.field(key)
		if field == nil || !c.writeField(bytes, *field, get(value, key)) {
			c.broken("the event has no field '%s' or it can't take that value", key)
			return nil, false
		}
	}
	if len(keysOf(value)) != len(of.fields) {
		c.broken("the payload must give each field of the event")
		return nil, false
	}
	return bytes, true
}

func (e *event) field(name string) *metrics.Field {
	for i := range e.fields {
		if e.fields[i].Name == name {
			return &e.fields[i]
		}
	}
	return nil
}

// numberValue reads a number; a text serves the integers that a JSON library doesn't hold.
func numberValue(value any) (natural uint64, real float64, ok bool) {
	switch value := value.(type) {
	case string:
		natural, err := strconv.ParseUint(value, 10, 64)
		return natural, float64(natural), err == nil
	case int64:
		return uint64(value), float64(value), true
	case float64:
		return uint64(int64(value)), value, true
	case bool:
		if value {
			return 1, 1, true
		}
		return 0, 0, true
	}
	return 0, 0, false
}

func (c *Call) writeField(payload []byte, field metrics.Field, value any) bool {
	at := payload[field.Offset : field.Offset+field.Size]
	text, isText := value.(string)
	switch field.Kind {
	case metrics.FieldText:
		return isText && copy(at, text) == len(text)
	case metrics.FieldSymbol:
		symbol, err := metrics.Intern(text)
		if err != nil {
			c.broken("Intern gave %v", err)
		}
		native.PutUint32(at, uint32(symbol))
		return isText && err == nil
	}
	natural, real, ok := numberValue(value)
	if !ok {
		return false
	}
	switch field.Kind {
	case metrics.FieldF32:
		native.PutUint32(at, math.Float32bits(float32(real)))
		return true
	case metrics.FieldF64:
		native.PutUint64(at, math.Float64bits(real))
		return true
	}
	switch kindSize(field.Kind) {
	case 1:
		at[0] = byte(natural)
	case 2:
		native.PutUint16(at, uint16(natural))
	case 4:
		native.PutUint32(at, uint32(natural))
	default:
		native.PutUint64(at, natural)
	}
	return true
}

// read is the value of a field in a payload.
func (e *event) read(name string, payload []byte) any {
	field := e.field(name)
	if field == nil || int(field.Offset+field.Size) > len(payload) {
		return Null{}
	}
	at := payload[field.Offset : field.Offset+field.Size]
	switch field.Kind {
	case metrics.FieldI8:
		return int64(int8(at[0]))
	case metrics.FieldI16:
		return int64(int16(native.Uint16(at)))
	case metrics.FieldI32:
		return int64(int32(native.Uint32(at)))
	case metrics.FieldI64:
		return int64(native.Uint64(at))
	case metrics.FieldU8:
		return int64(at[0])
	case metrics.FieldU16:
		return int64(native.Uint16(at))
	case metrics.FieldU32:
		return int64(native.Uint32(at))
	case metrics.FieldU64:
		natural := native.Uint64(at)
		if natural > math.MaxInt64 {
			return strconv.FormatUint(natural, 10)
		}
		return int64(natural)
	case metrics.FieldF32:
		return float64(math.Float32frombits(native.Uint32(at)))
	case metrics.FieldF64:
		return math.Float64frombits(native.Uint64(at))
	case metrics.FieldBool:
		return at[0] != 0
	case metrics.FieldSymbol:
		text, err := metrics.Symbol(native.Uint32(at)).Text()
		if err != nil {
			return Null{}
		}
		return text
	}
	text := string(at)
	if end := strings.IndexByte(text, 0); end >= 0 {
		text = text[:end]
	}
	return text
}

// show is the event as the journal has it: with the value of its first field.
func (e *event) show(payload []byte) string {
	if len(e.fields) == 0 {
		return e.key
	}
	value := e.read(e.fields[0].Name, payload)
	if text, ok := value.(string); ok {
		return e.key + "(" + text + ")"
	}
	return e.key + "(" + show(value) + ")"
}
