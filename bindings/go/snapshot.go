package metrics

// #include "shim.h"
import "C"

import (
	"encoding/json"
	"runtime"
	"sync"
)

// Entry is an entry of a Map.
type Entry struct {
	Key   string
	Value any
}

// Map is a map of a snapshot, in its order. A value is nil, bool, int64, uint64, float64, string, []any or Map.
type Map []Entry

// Get follows keys down through maps; nil where there is nothing.
func (m Map) Get(keys ...string) any {
	var value any = m
	for _, key := range keys {
		inner, _ := value.(Map)
		value = nil
		for _, entry := range inner {
			if entry.Key == key {
				value = entry.Value
				break
			}
		}
	}
	return value
}

// Int follows keys to a number that an int64 can hold; false where there is none.
func (m Map) Int(keys ...string) (int64, bool) {
	switch value := m.Get(keys...).(type) {
	case int64:
		return value, true
	case uint64:
		return int64(value), value <= 1<<63-1
	}
	return 0, false
}

// MarshalJSON writes the map in its order.
func (m Map) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, entry := range m {
		if i > 0 {
			out = append(out, ',')
		}
		key, err := json.Marshal(entry.Key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(entry.Value)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, key...), ':'), value...)
	}
	return append(out, '}'), nil
}

// Snapshot is the state of a recorder's metrics at one moment. It is a value of its own: it never changes, outlives its
// recorder, and may be read by any number of goroutines. Close frees it early; otherwise the garbage collector does.
type Snapshot struct {
	lock sync.RWMutex
	raw  *C.mvx_snapshot // nil once closed: reading then finds nothing
}

func newSnapshot(raw *C.mvx_snapshot) *Snapshot {
	snapshot := &Snapshot{raw: raw}
	runtime.SetFinalizer(snapshot, (*Snapshot).Close)
	return snapshot
}

// Close frees the snapshot; what was read from it stays. It may be called more than once.
func (s *Snapshot) Close() {
	s.lock.Lock()
	defer s.lock.Unlock()
	C.mvx_snapshot_free(s.raw)
	s.raw = nil
	runtime.SetFinalizer(s, nil)
}

// Names are the names of the metrics, in registration order.
func (s *Snapshot) Names() []string {
	s.lock.RLock()
	defer s.lock.RUnlock()
	names := make([]string, int(C.mvx_snapshot_len(s.raw)))
	for i := range names {
		names[i] = goText(C.mvx_snapshot_name_at(s.raw, C.size_t(i)))
	}
	return names
}

// Metrics is the whole snapshot: a Map from the name of each metric to its Map.
func (s *Snapshot) Metrics() Map {
	s.lock.RLock()
	defer s.lock.RUnlock()
	all := make(Map, int(C.mvx_snapshot_len(s.raw)))
	var entry C.mvx_go_entry
	for i := range all {
		C.mvx_go_snapshot_entry(s.raw, C.size_t(i), &entry)
		all[i] = Entry{goText(entry.key), valueOf(&entry)}
	}
	return all
}

// Metric is the state of one metric; nil where there is none of that name.
func (s *Snapshot) Metric(name string) Map {
	s.lock.RLock()
	defer s.lock.RUnlock()
	var entry C.mvx_go_entry
	for i := 0; i < int(C.mvx_snapshot_len(s.raw)); i++ {
		if goText(C.mvx_snapshot_name_at(s.raw, C.size_t(i))) == name {
			C.mvx_go_snapshot_entry(s.raw, C.size_t(i), &entry)
			state, _ := valueOf(&entry).(Map)
			return state
		}
	}
	return nil
}

func valueOf(entry *C.mvx_go_entry) any {
	switch entry.kind {
	case C.MVX_VALUE_BOOL:
		return entry.bits != 0
	case C.MVX_VALUE_I64:
		return int64(entry.bits)
	case C.MVX_VALUE_U64:
		return uint64(entry.bits)
	case C.MVX_VALUE_F64:
		return realOf(entry.bits)
	case C.MVX_VALUE_STR:
		return goText(entry.str)
	case C.MVX_VALUE_LIST:
		list := make([]any, int(entry.len))
		var item C.mvx_go_entry
		for i := range list {
			C.mvx_go_value_entry(entry.value, C.size_t(i), &item)
			list[i] = valueOf(&item)
		}
		return list
	case C.MVX_VALUE_MAP:
		state := make(Map, int(entry.len))
		var item C.mvx_go_entry
		for i := range state {
			C.mvx_go_value_entry(entry.value, C.size_t(i), &item)
			state[i] = Entry{goText(item.key), valueOf(&item)}
		}
		return state
	}
	return nil
}

// JSON is the snapshot as JSON: {"metric name":{...},...}, in registration order. NaN and infinities are the strings
// "NaN", "Infinity" and "-Infinity"; integers are written in full, however large.
func (s *Snapshot) JSON() (string, error) {
	s.lock.RLock()
	defer s.lock.RUnlock()
	var text *C.mvx_text
	var failure *C.mvx_error
	status := C.mvx_snapshot_to_json(s.raw, &text, &failure)
	return takeText(text), takeError(status, failure)
}

// OpenMetrics is the snapshot as OpenMetrics text.
func (s *Snapshot) OpenMetrics() (string, error) {
	s.lock.RLock()
	defer s.lock.RUnlock()
	var text *C.mvx_text
	var failure *C.mvx_error
	status := C.mvx_snapshot_to_openmetrics(s.raw, &text, &failure)
	return takeText(text), takeError(status, failure)
}
