package metrics

// #include "shim.h"
import "C"

import (
	"fmt"
	"math"
	"sort"
)

// Writer writes the snapshot of a metric, into a map that is open already. It is there while the metric's Snapshot
// runs. Inside a map every entry has a key of its own, which is not empty; inside a list the key is ignored. A write
// that fails changes nothing; its error makes the snapshot fail even where Snapshot itself returns nil.
type Writer struct {
	writer *C.mvx_writer
	err    error
}

func (w *Writer) note(status C.mvx_status) error {
	err := plainError(status)
	if err != nil && w.err == nil {
		w.err = err
	}
	return err
}

func (w *Writer) scalar(key string, kind C.int32_t, bits uint64) error {
	data, size := textPointer(key)
	return w.note(C.mvx_go_writer_scalar(w.writer, data, size, kind, C.uint64_t(bits)))
}

// Null writes a null.
func (w *Writer) Null(key string) error { return w.scalar(key, C.MVX_VALUE_NULL, 0) }

// Bool writes a truth value.
func (w *Writer) Bool(key string, value bool) error {
	if value {
		return w.scalar(key, C.MVX_VALUE_BOOL, 1)
	}
	return w.scalar(key, C.MVX_VALUE_BOOL, 0)
}

// Int writes a signed integer.
func (w *Writer) Int(key string, value int64) error {
	return w.scalar(key, C.MVX_VALUE_I64, uint64(value))
}

// Uint writes an unsigned integer.
func (w *Writer) Uint(key string, value uint64) error { return w.scalar(key, C.MVX_VALUE_U64, value) }

// Float writes a floating point number; NaN and infinities are allowed.
func (w *Writer) Float(key string, value float64) error {
	return w.scalar(key, C.MVX_VALUE_F64, math.Float64bits(value))
}

// Text writes a text.
func (w *Writer) Text(key, value string) error {
	data, size := textPointer(key)
	text, length := textPointer(value)
	return w.note(C.mvx_go_writer_str(w.writer, data, size, text, length))
}

// BeginMap begins a map: what follows goes into it, until End.
func (w *Writer) BeginMap(key string) error { return w.begin(key, C.MVX_VALUE_MAP) }

// BeginList begins a list: what follows goes into it, until End.
func (w *Writer) BeginList(key string) error { return w.begin(key, C.MVX_VALUE_LIST) }

func (w *Writer) begin(key string, kind C.int32_t) error {
	data, size := textPointer(key)
	return w.note(C.mvx_go_writer_begin(w.writer, data, size, kind))
}

// End ends the map or list that was begun last.
func (w *Writer) End() error { return w.note(C.mvx_writer_end(w.writer)) }

// Value writes a value of any of the types that a snapshot gives, integers and floating point numbers of other sizes,
// and map[string]any, in the order of its keys.
func (w *Writer) Value(key string, value any) error {
	switch value := value.(type) {
	case nil:
		return w.Null(key)
	case bool:
		return w.Bool(key, value)
	case int:
		return w.Int(key, int64(value))
	case int32:
		return w.Int(key, int64(value))
	case int64:
		return w.Int(key, value)
	case uint:
		return w.Uint(key, uint64(value))
	case uint32:
		return w.Uint(key, uint64(value))
	case uint64:
		return w.Uint(key, value)
	case float32:
		return w.Float(key, float64(value))
	case float64:
		return w.Float(key, value)
	case string:
		return w.Text(key, value)
	case []any:
		return w.within(w.BeginList(key), func() error {
			for _, item := range value {
				if err := w.Value("", item); err != nil {
					return err
				}
			}
			return nil
		})
	case Map:
		return w.within(w.BeginMap(key), func() error {
			for _, entry := range value {
				if err := w.Value(entry.Key, entry.Value); err != nil {
					return err
				}
			}
			return nil
		})
	case map[string]any:
		keys := make([]string, 0, len(value))
		for key := range value {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		return w.within(w.BeginMap(key), func() error {
			for _, key := range keys {
				if err := w.Value(key, value[key]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := argumentError("value", fmt.Sprintf("a snapshot can't hold a %T", value))
	if w.err == nil {
		w.err = err
	}
	return err
}

func (w *Writer) within(begun error, write func() error) error {
	if begun != nil {
		return begun
	}
	if err := write(); err != nil {
		return err
	}
	return w.End()
}
