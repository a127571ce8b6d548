package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// JSON as the runner needs it: objects keep their order, integers and reals stay apart, and what is absent (nil) is not
// null (Null). A value is Null, bool, int64, float64, string, []any or *Object.

// Null is the null of JSON.
type Null struct{}

// Object is an object in its order.
type Object struct {
	keys   []string
	values map[string]any
}

func newObject(pairs ...any) *Object {
	object := &Object{values: map[string]any{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		object.set(pairs[i].(string), pairs[i+1])
	}
	return object
}

func (o *Object) set(key string, value any) {
	if _, there := o.values[key]; !there {
		o.keys = append(o.keys, key)
	}
	o.values[key] = value
}

// get looks into what may be no object at all.
func get(value any, key string) any {
	if object, ok := value.(*Object); ok && object != nil {
		return object.values[key]
	}
	return nil
}

func textOr(value any, otherwise string) string {
	if text, ok := value.(string); ok {
		return text
	}
	return otherwise
}

func listOf(value any) []any {
	list, _ := value.([]any)
	return list
}

func keysOf(value any) []string {
	if object, ok := value.(*Object); ok && object != nil {
		return object.keys
	}
	return nil
}

func parse(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	value, err := parseValue(decoder)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("there is more after the value")
	}
	return value, nil
}

func parseValue(decoder *json.Decoder) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case nil:
		return Null{}, nil
	case json.Number:
		return numberOf(token)
	case json.Delim:
		if token == '[' {
			list := []any{}
			for decoder.More() {
				item, err := parseValue(decoder)
				if err != nil {
					return nil, err
				}
				list = append(list, item)
			}
			_, err = decoder.Token()
			return list, err
		}
		object := newObject()
		for decoder.More() {
			key, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			value, err := parseValue(decoder)
			if err != nil {
				return nil, err
			}
			if get(object, key.(string)) != nil {
				return nil, fmt.Errorf("the key %q is there twice", key)
			}
			object.set(key.(string), value)
		}
		_, err = decoder.Token()
		return object, err
	}
	return token, nil // bool, string
}

func numberOf(number json.Number) (any, error) {
	if !strings.ContainsAny(number.String(), ".eE") {
		if integer, err := strconv.ParseInt(number.String(), 10, 64); err == nil {
			return integer, nil
		}
		if natural, err := strconv.ParseUint(number.String(), 10, 64); err == nil {
			return float64(natural), nil // like what value() makes of a snapshot's
		}
	}
	return number.Float64()
}

func show(value any) string {
	var out strings.Builder
	write(&out, value)
	return out.String()
}

func write(out *strings.Builder, value any) {
	switch value := value.(type) {
	case nil:
		out.WriteString("nothing")
	case Null:
		out.WriteString("null")
	case bool:
		out.WriteString(strconv.FormatBool(value))
	case int64:
		out.WriteString(strconv.FormatInt(value, 10))
	case float64:
		text := strconv.FormatFloat(value, 'g', 17, 64)
		if short := strconv.FormatFloat(value, 'g', -1, 64); len(short) < len(text) {
			text = short
		}
		if !strings.ContainsAny(text, ".eEnI") {
			text += ".0"
		}
		out.WriteString(text)
	case string:
		quoted, _ := json.Marshal(value)
		out.Write(quoted)
	case []any:
		out.WriteByte('[')
		for i, item := range value {
			if i > 0 {
				out.WriteByte(',')
			}
			write(out, item)
		}
		out.WriteByte(']')
	case *Object:
		out.WriteByte('{')
		for i, key := range value.keys {
			if i > 0 {
				out.WriteByte(',')
			}
			write(out, key)
			out.WriteByte(':')
			write(out, value.values[key])
		}
		out.WriteByte('}')
	}
}

// same compares; "$any" takes any value that is there.
func same(expected, got any) bool {
	if expected == "$any" {
		return got != nil
	}
	switch expected := expected.(type) {
	case *Object:
		other, ok := got.(*Object)
		if !ok || len(other.keys) != len(expected.keys) {
			return false
		}
		for key, value := range expected.values {
			if !same(value, other.values[key]) {
				return false
			}
		}
		return true
	case []any:
		other, ok := got.([]any)
		if !ok || len(other) != len(expected) {
			return false
		}
		for i := range expected {
			if !same(expected[i], other[i]) {
				return false
			}
		}
		return true
	case float64:
		other, ok := got.(float64)
		return ok && (other == expected || math.IsNaN(other) && math.IsNaN(expected))
	}
	return expected == got
}
