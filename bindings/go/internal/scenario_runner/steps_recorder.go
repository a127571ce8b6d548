package main

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"

	"mvx.dev/metrics"
)

// Steps on recorders, events and snapshots.

func (c *Call) recorderOptions() (*metrics.RecorderOptions, bool) {
	given := get(c.step, "options")
	if given == nil {
		return nil, true
	}
	options := &metrics.RecorderOptions{}
	entityID, ok1 := c.text(get(given, "entity_id"))
	namespace, ok2 := c.text(get(given, "name_space"))
	size, ok3 := c.integer(given, "queue_max_size", 0)
	bytes, ok4 := c.integer(given, "queue_max_bytes", 0)
	block, ok5 := c.integer(given, "block_timeout_ms", 0)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 {
		return nil, false
	}
	if policy := get(given, "overflow_policy"); policy != nil {
		number, ok := c.constant(overflowPolicies, policy)
		if !ok {
			return nil, false
		}
		options.OverflowPolicy = metrics.OverflowPolicy(number)
	}
	if policy := get(given, "metric_error_policy"); policy != nil {
		number, ok := c.constant(metricErrorPolicies, policy)
		if !ok {
			return nil, false
		}
		options.MetricErrorPolicy = metrics.MetricErrorPolicy(number)
	}
	if name := get(given, "hooks"); name != nil {
		made, ok := c.hooks(name)
		if !ok {
			return nil, false
		}
		options.Hooks = made
	}
	if name := get(given, "log"); name != nil {
		made, ok := c.log(name)
		if !ok {
			return nil, false
		}
		options.Log = made
	}
	options.EntityID, options.Namespace = entityID, namespace
	options.QueueMaxSize, options.QueueMaxBytes = size, bytes
	options.BlockTimeout = milliseconds(block)
	return options, true
}

func recorderCreate(call *Call) *Object {
	var runtime *metrics.Runtime
	if get(call.step, "runtime") != nil {
		given, ok := call.runtime()
		if !ok {
			return nil
		}
		runtime = given
	} else {
		atomic.StoreInt32(&call.scenario.defaultRuntimeUsed, 1)
	}
	options, ok := call.recorderOptions()
	if !ok {
		return nil
	}
	recorder, err := metrics.NewRecorder(runtime, options)
	return call.giveRecorder(recorder, err)
}

// onRecorder is a step on a recorder that must be there.
func onRecorder(run func(call *Call, recorder *metrics.Recorder) *Object) func(*Call) *Object {
	return func(call *Call) *Object {
		recorder, ok := call.recorder()
		if !ok {
			return nil
		}
		return run(call, recorder)
	}
}

func recorderClone(call *Call, recorder *metrics.Recorder) *Object {
	clone, err := recorder.Clone()
	if err == nil {
		call.give("as", ofRecorder, clone)
	}
	return plain(err)
}

// operate is start, stop and flush: with `block` the step's result is that of the operation.
func operate(begin func(*metrics.Recorder) (*metrics.Wait, error), beginNoWait func(*metrics.Recorder) error) func(*Call) *Object {
	return onRecorder(func(call *Call, recorder *metrics.Recorder) *Object {
		block := isTrue(call.step, "block")
		if !block && get(call.step, "wait") == nil {
			return call.result(beginNoWait(recorder))
		}
		wait, err := begin(recorder)
		got := call.result(err)
		if err != nil {
			return got
		}
		if !block {
			call.give("wait", ofWait, wait)
			return got
		}
		defer wait.Close()
		bounded, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		waited := wait.Wait(bounded)
		_, err = wait.Result()
		if statusOf(err) == "NOT_READY" {
			return call.broken("waiting for the operation gave %v", waited)
		}
		if statusOf(err) != statusOf(waited) {
			return call.broken("Wait gave %v, the result is %v", waited, err)
		}
		return call.result(err)
	})
}

func recorderState(call *Call, recorder *metrics.Recorder) *Object {
	state, err := recorder.State()
	got := plain(err)
	if err == nil {
		got.set("state", recorderStates.of(uint32(state)))
	}
	return got
}

func recorderLastError(call *Call, recorder *metrics.Recorder) *Object {
	kept, err := recorder.LastError()
	got := plain(err)
	got.set("error", errorJSON(kept))
	return got
}

func textGetter(getter func(*metrics.Recorder) (string, error)) func(*Call) *Object {
	return onRecorder(func(call *Call, recorder *metrics.Recorder) *Object {
		text, err := getter(recorder)
		got := plain(err)
		if err == nil {
			got.set("text", text)
		}
		return got
	})
}

func recorderStats(call *Call, recorder *metrics.Recorder) *Object {
	stats, err := recorder.Stats()
	got := plain(err)
	if err != nil {
		return got
	}
	if stats.Accepted != stats.Dispatched+stats.Discarded+stats.Pending {
		call.broken("accepted isn't dispatched + discarded + pending: %+v", stats)
	}
	got.set("stats", newObject("accepted", int64(stats.Accepted), "dispatched", int64(stats.Dispatched),
		"dropped", int64(stats.Dropped), "refused", int64(stats.Refused), "discarded", int64(stats.Discarded),
		"pending", int64(stats.Pending), "pending_max", int64(stats.PendingMax),
		"pending_bytes", int64(stats.PendingBytes), "quarantined_metrics", int64(stats.QuarantinedMetrics),
		"lag_ns", stats.Lag.Nanoseconds()))
	return got
}

func recorderFree(call *Call, recorder *metrics.Recorder) *Object {
	call.freed(ofRecorder, "recorder")
	recorder.Close()
	return newObject()
}

// ---- metrics ----

func recorderRegisterMetric(call *Call, recorder *metrics.Recorder) *Object {
	key := textOr(get(call.step, "metric"), "")
	scripted := call.scenario.metrics[key]
	if scripted == nil {
		return call.broken("unknown metric '%s'", key)
	}
	options, ok := call.metricOptions(scripted)
	if !ok {
		return nil
	}
	name := key
	if given := get(call.step, "name"); given != nil {
		if name, ok = call.text(given); !ok {
			return nil
		}
	}
	return call.result(recorder.RegisterMetric(name, call.scenario.addUse(key, scripted), options))
}

func recorderRegisterNativeMetric(call *Call, recorder *metrics.Recorder) *Object {
	metric, ok := call.nativeMetric(get(call.step, "spec"))
	if !ok {
		return nil
	}
	return call.result(recorder.RegisterNativeMetric(metric))
}

func (c *Call) nativeMetric(spec any) (metric metrics.NativeMetric, ok bool) {
	kind, ok := c.constant(metricKinds, get(spec, "kind"))
	if !ok {
		return metric, false
	}
	metric.Kind = metrics.MetricKind(kind)
	for key, into := range map[string]*string{
		"name": &metric.Name, "unit": &metric.Unit, "help": &metric.Help, "value_field": &metric.ValueField,
	} {
		if *into, ok = c.text(get(spec, key)); !ok {
			return metric, false
		}
	}
	flags, ok1 := c.integer(spec, "flags", 0)
	series, ok2 := c.integer(spec, "max_series", 0)
	metric.Flags, metric.MaxSeries = uint32(flags), series
	for _, name := range listOf(get(spec, "events")) {
		_, number, ok := c.event(name)
		if !ok {
			return metric, false
		}
		metric.EventTypes = append(metric.EventTypes, number)
	}
	for _, condition := range listOf(get(spec, "filters")) {
		field, ok1 := c.text(get(condition, "field"))
		op, ok2 := c.constant(filterOps, get(condition, "op"))
		value, ok3 := c.filterValue(condition)
		if !ok1 || !ok2 || !ok3 {
			return metric, false
		}
		metric.Filters = append(metric.Filters, metrics.Filter{Field: field, Op: metrics.FilterOp(op), Value: value})
	}
	for _, field := range listOf(get(spec, "group_by")) {
		name, ok := c.text(field)
		if !ok {
			return metric, false
		}
		metric.GroupBy = append(metric.GroupBy, name)
	}
	for _, bound := range listOf(get(spec, "bounds")) {
		_, real, _ := numberValue(bound)
		metric.Bounds = append(metric.Bounds, real)
	}
	if wanted := get(spec, "relative_error"); wanted != nil {
		_, metric.RelativeError, _ = numberValue(wanted)
	}
	return metric, ok1 && ok2
}

// filterValue makes a value of Go's type for the kind that the scenario names.
func (c *Call) filterValue(condition any) (any, bool) {
	value := get(condition, "value")
	kind := get(condition, "value_kind")
	if kind == nil {
		return value, true // an integer is an int64 here, as the page says
	}
	natural, real, ok := numberValue(value)
	switch {
	case kind == "BOOL" && ok:
		return natural != 0, true
	case kind == "I64" && ok:
		return int64(natural), true
	case kind == "U64" && ok:
		return natural, true
	case kind == "F64" && ok:
		return real, true
	case kind == "STR":
		text, isText := value.(string)
		return text, isText
	}
	c.broken("a filter's value of kind %s: %s", show(kind), show(value))
	return nil, false
}

func recorderIterMetrics(call *Call, recorder *metrics.Recorder) *Object {
	stopAfter, ok := call.integer(call.step, "stop_after", 0)
	if !ok {
		return nil
	}
	rows := []any{}
	err := recorder.IterMetrics(func(info metrics.MetricInfo) bool {
		var name any = Null{}
		if info.Metric != nil {
			name = objectName(info.Metric, "-")
		}
		rows = append(rows, newObject("name", info.Name, "kind", metricKinds.of(uint32(info.Kind)),
			"state", metricStates.of(uint32(info.State)), "object", name, "error", errorJSON(info.Err)))
		return stopAfter == 0 || int64(len(rows)) < stopAfter
	})
	got := call.result(err)
	got.set("metrics", rows)
	return got
}

// ---- events ----

// resultOfMany is the common status of many calls, or how often each occurred.
func resultOfMany(statuses *Object) *Object {
	status := "OK"
	if len(statuses.keys) == 1 {
		status = statuses.keys[0]
	} else if len(statuses.keys) > 1 {
		status = "MIXED"
	}
	return newObject("status", status, "statuses", statuses)
}

func countStatus(statuses *Object, status string, by int64) {
	so, _ := get(statuses, status).(int64)
	statuses.set(status, so+by)
}

func recorderRegisterEvent(call *Call, recorder *metrics.Recorder) *Object {
	times, ok := call.integer(call.step, "times", 1)
	of, number, known := call.event(get(call.step, "event"))
	if !ok || !known {
		return nil
	}
	payloads, many := get(call.step, "payloads").([]any)
	if !many {
		payloads = []any{get(call.step, "payload")}
	}
	statuses := newObject()
	for _, given := range payloads {
		payload, ok := call.payload(of, given)
		if !ok {
			return nil
		}
		for i := int64(0); i < times; i++ {
			countStatus(statuses, statusOf(recorder.RegisterEvent(number, payload)), 1)
		}
	}
	return resultOfMany(statuses)
}

func recorderRegisterEvents(call *Call, recorder *metrics.Recorder) *Object {
	of, number, ok := call.event(get(call.step, "event"))
	if !ok {
		return nil
	}
	given := listOf(get(call.step, "payloads"))
	size := 0
	if of != nil {
		size = of.size
	}
	var all []byte
	for _, one := range given {
		payload, ok := call.payload(of, one)
		if !ok {
			return nil
		}
		size = len(payload)
		all = append(all, payload...)
	}
	accepted, err := recorder.RegisterEvents(number, all, size, len(given))
	got := plain(err)
	got.set("accepted", int64(accepted))
	return got
}

func eventTypeDeclare(call *Call) *Object {
	name, ok := call.text(get(call.step, "name"))
	if key, named := get(call.step, "event").(string); named {
		if call.scenario.events[key] == nil {
			return call.broken("unknown event '%s'", key)
		}
		name = call.scenario.events[key].name
	}
	fields, _, ok2 := call.fields(get(call.step, "fields"), isTrue(call.step, "natural"))
	flags, ok3 := call.integer(call.step, "flags", 0)
	if !ok || !ok2 || !ok3 {
		return nil
	}
	number, err := metrics.DeclareEventType(name, fields, &metrics.EventTypeOptions{Flags: metrics.EventTypeFlags(flags)})
	got := call.result(err)
	if like, named := get(call.step, "like").(string); named && err == nil {
		other := call.scenario.events[like]
		got.set("same", other != nil && other.number == number)
	}
	return got
}

func eventTypeName(call *Call) *Object {
	_, number, ok := call.event(get(call.step, "event"))
	if !ok {
		return nil
	}
	name, err := number.Name()
	got := plain(err)
	if err == nil {
		got.set("text", name)
	}
	return got
}

func intern(call *Call) *Object {
	text, ok := call.text(get(call.step, "text"))
	times, ok2 := call.integer(call.step, "times", 0)
	if !ok || !ok2 {
		return nil
	}
	statuses := newObject()
	var symbol metrics.Symbol
	if times == 0 {
		var err error
		symbol, err = metrics.Intern(text)
		countStatus(statuses, statusOf(err), 1)
	}
	for i := int64(0); i < times; i++ {
		_, err := metrics.Intern(fmt.Sprint(text, i))
		countStatus(statuses, statusOf(err), 1)
	}
	got := resultOfMany(statuses)
	if symbol != 0 {
		if back, err := symbol.Text(); err == nil {
			got.set("text", back)
		}
	}
	if get(call.step, "like") != nil {
		like, ok := call.text(get(call.step, "like"))
		other, err := metrics.Intern(like)
		got.set("same", ok && err == nil && other == symbol)
	}
	return got
}

// ---- snapshots ----

// jsonOf is what JSON makes of a value of a snapshot.
func jsonOf(value any) any {
	switch value := value.(type) {
	case nil:
		return Null{}
	case uint64:
		if value <= math.MaxInt64 {
			return int64(value)
		}
		return float64(value)
	case float64:
		switch {
		case math.IsNaN(value):
			return "NaN"
		case math.IsInf(value, 1):
			return "Infinity"
		case math.IsInf(value, -1):
			return "-Infinity"
		}
		return value
	case []any:
		list := []any{}
		for _, item := range value {
			list = append(list, jsonOf(item))
		}
		return list
	case metrics.Map:
		object := newObject()
		for _, entry := range value {
			object.set(entry.Key, jsonOf(entry.Value))
		}
		return object
	}
	return value // bool, int64, string
}

// showSnapshot reads a snapshot in both ways that the library offers; they must agree.
func (c *Call) showSnapshot(got *Object, snapshot *metrics.Snapshot) {
	values := jsonOf(snapshot.Metrics())
	order := []any{}
	for _, name := range snapshot.Names() {
		order = append(order, name)
		if !same(get(values, name), jsonOf(snapshot.Metric(name))) {
			c.broken("metric '%s' differs when it is read alone", name)
		}
	}
	text, err := snapshot.JSON()
	if err != nil {
		c.broken("the snapshot's JSON can't be had: %v", err)
	}
	parsed, err := parse([]byte(text))
	if err != nil || !same(parsed, values) || !sameOrder(parsed, values) {
		c.broken("the snapshot's values are %s, its JSON is %s (%v)", show(values), text, err)
	}
	got.set("text", text)
	got.set("snapshot", values)
	got.set("order", order)
}

func recorderSnapshot(call *Call, recorder *metrics.Recorder) *Object {
	timeout, ok := call.integer(call.step, "timeout_ms", patience.Milliseconds())
	mode := uint32(metrics.Consistent)
	if given := get(call.step, "mode"); given != nil {
		number, known := call.constant(snapshotModes, given)
		mode, ok = number, ok && known
	}
	if !ok {
		return nil
	}
	ctx := context.Background()
	if timeout >= 0 {
		bounded, cancel := context.WithTimeout(ctx, milliseconds(timeout))
		defer cancel()
		ctx = bounded
	}
	snapshot, err := recorder.Snapshot(ctx, metrics.SnapshotMode(mode))
	got := call.result(err)
	if err == nil {
		call.showSnapshot(got, snapshot)
		call.give("as", ofSnapshot, snapshot)
	}
	return got
}

func onSnapshot(run func(call *Call, snapshot *metrics.Snapshot) *Object) func(*Call) *Object {
	return func(call *Call) *Object {
		snapshot, ok := call.object(ofSnapshot, "snapshot").(*metrics.Snapshot)
		if !ok {
			return nil
		}
		return run(call, snapshot)
	}
}

func snapshotRead(call *Call, snapshot *metrics.Snapshot) *Object {
	got := plain(nil)
	call.showSnapshot(got, snapshot)
	return got
}

func snapshotToOpenMetrics(call *Call, snapshot *metrics.Snapshot) *Object {
	text, err := snapshot.OpenMetrics()
	got := call.result(err)
	if err == nil {
		got.set("text", text)
	}
	return got
}

func snapshotFree(call *Call, snapshot *metrics.Snapshot) *Object {
	call.freed(ofSnapshot, "snapshot")
	snapshot.Close()
	return newObject()
}
