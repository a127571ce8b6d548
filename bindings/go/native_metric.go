package metrics

// #include "shim.h"
import "C"

import (
	"fmt"
	"math"
	"unsafe"
)

// FilterOp is the comparison of a filter.
type FilterOp uint32

const (
	Equal          FilterOp = C.MVX_FILTER_EQ
	NotEqual       FilterOp = C.MVX_FILTER_NE
	Less           FilterOp = C.MVX_FILTER_LT
	LessOrEqual    FilterOp = C.MVX_FILTER_LE
	Greater        FilterOp = C.MVX_FILTER_GT
	GreaterOrEqual FilterOp = C.MVX_FILTER_GE
)

// Filter is a condition on a field of an event.
type Filter struct {
	Field string // the name of a declared field
	Op    FilterOp
	// Value is a bool, an integer, a floating point number, or a string, for symbols and texts.
	Value any
}

// NativeMetric declares a metric that needs no callback.
//
// Its snapshot is {"value": 3}; with GroupBy it is {"series": [{"labels": {"route": "/", "code": "200"}, "value": 3},
// ...], "overflow_events": 0}, with the series in the order of their first appearance. Labels are always texts.
type NativeMetric struct {
	Name          string
	Unit          string // what the values are measured in, such as "bytes"
	Help          string // a sentence for people
	Kind          MetricKind
	Flags         uint32      // 0: there are no flags yet
	EventTypes    []EventType // that the metric looks at; at least one
	ValueField    string      // the field that is the value; empty: each event is worth 1
	Filters       []Filter    // an event for which not all of them hold is ignored
	GroupBy       []string    // fields; each combination of their values gets a series of its own
	MaxSeries     int64       // further groups share one overflow series; 0: 2,000
	Bounds        []float64   // of a histogram, ascending
	RelativeError float64     // of a quantile sketch, the greatest
}

// RegisterNativeMetric registers a native metric under the name in its declaration; otherwise as RegisterMetric. A kind
// that this version of the library does not offer is Unsupported.
func (r *Recorder) RegisterNativeMetric(metric NativeMetric) error {
	var memory arena
	defer memory.free()
	raw := (*C.mvx_metric_spec)(memory.alloc(C.sizeof_mvx_metric_spec))
	raw.struct_size = C.sizeof_mvx_metric_spec
	raw.name = memory.str(metric.Name)
	raw.unit = memory.str(metric.Unit)
	raw.help = memory.str(metric.Help)
	raw.kind = C.uint32_t(metric.Kind)
	raw.flags = C.uint32_t(metric.Flags)
	raw.event_types = memory.eventTypes(metric.EventTypes)
	raw.event_type_count = C.size_t(len(metric.EventTypes))
	raw.value_field = memory.str(metric.ValueField)
	raw.max_series = C.int64_t(metric.MaxSeries)
	raw.relative_error = C.double(metric.RelativeError)
	if count := len(metric.Filters); count > 0 {
		raw.filters = (*C.mvx_filter)(memory.alloc(uintptr(count) * C.sizeof_mvx_filter))
		raw.filter_count = C.size_t(count)
		for i, filter := range metric.Filters {
			if err := memory.filter(&unsafe.Slice(raw.filters, count)[i], filter); err != nil {
				return err
			}
		}
	}
	if count := len(metric.GroupBy); count > 0 {
		raw.group_by = (*C.mvx_str)(memory.alloc(uintptr(count) * C.sizeof_mvx_str))
		raw.group_by_count = C.size_t(count)
		for i, field := range metric.GroupBy {
			unsafe.Slice(raw.group_by, count)[i] = memory.str(field)
		}
	}
	if count := len(metric.Bounds); count > 0 {
		raw.bounds = (*C.double)(memory.alloc(uintptr(count) * C.sizeof_double))
		raw.bound_count = C.size_t(count)
		for i, bound := range metric.Bounds {
			unsafe.Slice(raw.bounds, count)[i] = C.double(bound)
		}
	}
	var failure *C.mvx_error
	status := C.mvx_go_recorder_register_native_metric(r.raw(), raw, &failure)
	return takeError(status, failure)
}

func (a *arena) filter(raw *C.mvx_filter, filter Filter) error {
	raw.field = a.str(filter.Field)
	raw.op = C.uint32_t(filter.Op)
	raw.value_kind = C.MVX_VALUE_I64
	switch value := filter.Value.(type) {
	case bool:
		raw.value_kind = C.MVX_VALUE_BOOL
		if value {
			raw.i64 = 1
		}
	case int:
		raw.i64 = C.int64_t(value)
	case int32:
		raw.i64 = C.int64_t(value)
	case int64:
		raw.i64 = C.int64_t(value)
	case uint:
		raw.value_kind, raw.u64 = C.MVX_VALUE_U64, C.uint64_t(value)
	case uint32:
		raw.value_kind, raw.u64 = C.MVX_VALUE_U64, C.uint64_t(value)
	case uint64:
		raw.value_kind, raw.u64 = C.MVX_VALUE_U64, C.uint64_t(value)
	case float32:
		raw.value_kind, raw.f64 = C.MVX_VALUE_F64, C.double(value)
	case float64:
		raw.value_kind, raw.f64 = C.MVX_VALUE_F64, C.double(value)
	case string:
		raw.value_kind, raw.str = C.MVX_VALUE_STR, a.str(value)
	default:
		return argumentError("filters", fmt.Sprintf("a filter on %q can't compare with a %T", filter.Field, filter.Value))
	}
	return nil
}

// realOf undoes math.Float64bits for values that came through C.
func realOf(bits C.uint64_t) float64 { return math.Float64frombits(uint64(bits)) }
