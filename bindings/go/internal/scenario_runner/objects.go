package main

import (
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"mvx.dev/metrics"
)

// What steps take (handles, texts, names of constants) and what they give.

type kind int

const (
	ofRuntime kind = iota
	ofRecorder
	ofWait
	ofSnapshot
	ofCompletion
)

type objectKey struct {
	kind kind
	name string
}

// object is a handle or snapshot under a scenario's name for it. A freed one stays, so that a step can use it again.
type object struct {
	value any
	live  bool
}

func (c *Call) bind(kind kind, name string, value any) bool {
	s := c.scenario
	s.lock.Lock()
	known := s.objects[objectKey{kind, name}]
	taken := known != nil && known.live
	if !taken {
		s.objects[objectKey{kind, name}] = &object{value, true}
		s.changed.Broadcast()
	}
	s.lock.Unlock()
	if taken {
		c.broken("the name '%s' is taken", name)
	}
	return !taken
}

func (c *Call) freed(kind kind, key string) {
	name, ok := get(c.step, key).(string)
	if !ok {
		return
	}
	c.scenario.lock.Lock()
	defer c.scenario.lock.Unlock()
	if known := c.scenario.objects[objectKey{kind, name}]; known != nil {
		known.live = false
	}
}

// number is the handle that a step names in a raw way; false where it names an object of the right kind.
func (c *Call) number(key string) (uintptr, bool) {
	reference := get(c.step, key)
	if get(reference, "$null") != nil {
		return 0, true
	}
	if made, ok := get(reference, "$made_up").(int64); ok {
		return uintptr(made), true
	}
	for word, kind := range map[string]kind{"$runtime": ofRuntime, "$recorder": ofRecorder, "$wait": ofWait} {
		if name, ok := get(reference, word).(string); ok {
			switch other := c.named(kind, name).(type) {
			case *metrics.Runtime:
				return other.Handle(), true
			case *metrics.Recorder:
				return other.Handle(), true
			case *metrics.Wait:
				return other.Handle(), true
			}
		}
	}
	return 0, false
}

func (c *Call) named(kind kind, name string) any {
	c.scenario.lock.Lock()
	known := c.scenario.objects[objectKey{kind, name}]
	c.scenario.lock.Unlock()
	if known == nil {
		c.broken("there is no '%s'", name)
		return nil
	}
	return known.value
}

func (c *Call) object(kind kind, key string) any {
	name, ok := get(c.step, key).(string)
	if !ok {
		c.broken("the step needs '%s'", key)
		return nil
	}
	return c.named(kind, name)
}

func (c *Call) runtime() (*metrics.Runtime, bool) {
	if number, raw := c.number("runtime"); raw {
		return metrics.RuntimeFromHandle(number), true
	}
	runtime, ok := c.object(ofRuntime, "runtime").(*metrics.Runtime)
	return runtime, ok
}

func (c *Call) recorder() (*metrics.Recorder, bool) {
	if number, raw := c.number("recorder"); raw {
		return metrics.RecorderFromHandle(number), true
	}
	recorder, ok := c.object(ofRecorder, "recorder").(*metrics.Recorder)
	return recorder, ok
}

func (c *Call) wait() (*metrics.Wait, bool) {
	if number, raw := c.number("wait"); raw {
		return metrics.WaitFromHandle(number), true
	}
	wait, ok := c.object(ofWait, "wait").(*metrics.Wait)
	return wait, ok
}

// give binds what a call made under the step's name for it; without a name it is closed at once.
func (c *Call) give(key string, kind kind, made interface{ Close() }) {
	name, named := get(c.step, key).(string)
	if !named || !c.bind(kind, name, made) {
		made.Close()
	}
}

// text is what a step gives as a text: a string, or {"$repeat", "times"}, or {"$hex"}.
func (c *Call) text(value any) (string, bool) {
	switch {
	case value == nil:
		return "", true
	case get(value, "$repeat") != nil:
		times, _ := get(value, "times").(int64)
		return strings.Repeat(textOr(get(value, "$repeat"), ""), int(times)), true
	case get(value, "$hex") != nil:
		bytes, err := hex.DecodeString(strings.ReplaceAll(textOr(get(value, "$hex"), "?"), " ", ""))
		if err != nil {
			c.broken("%v", err)
		}
		return string(bytes), err == nil
	}
	text, ok := value.(string)
	if !ok {
		c.broken("this is no text: %s", show(value))
	}
	return text, ok
}

func (c *Call) integer(from any, key string, otherwise int64) (int64, bool) {
	value := get(from, key)
	if value == nil {
		return otherwise, true
	}
	integer, ok := value.(int64)
	if !ok {
		c.broken("'%s' must be an integer", key)
	}
	return integer, ok
}

func isTrue(from any, key string) bool { return get(from, key) == true }

func milliseconds(count int64) time.Duration { return time.Duration(count) * time.Millisecond }

// names are the constants of a kind.
type names map[string]uint32

func (c *Call) constant(known names, value any) (uint32, bool) {
	if number, ok := value.(int64); ok {
		return uint32(number), true
	}
	number, ok := known[textOr(value, "")]
	if !ok {
		c.broken("unknown constant %s", show(value))
	}
	return number, ok
}

func (n names) of(value uint32) string {
	for name, number := range n {
		if number == value {
			return name
		}
	}
	return "(a number without a name)"
}

var (
	recorderStates = names{
		"VIRGIN": uint32(metrics.RecorderVirgin), "STARTING": uint32(metrics.RecorderStarting),
		"RUNNING": uint32(metrics.RecorderRunning), "STOPPING": uint32(metrics.RecorderStopping),
		"STOPPED": uint32(metrics.RecorderStopped), "FAILURE": uint32(metrics.RecorderFailure),
		"CANCELLED": uint32(metrics.RecorderCancelled),
	}
	runtimeStates = names{
		"VIRGIN": uint32(metrics.RuntimeVirgin), "STARTING": uint32(metrics.RuntimeStarting),
		"RUNNING": uint32(metrics.RuntimeRunning), "STOPPING": uint32(metrics.RuntimeStopping),
		"CLOSED": uint32(metrics.RuntimeClosed), "FAILURE": uint32(metrics.RuntimeFailure),
	}
	overflowPolicies = names{
		"DROP": uint32(metrics.OverflowDrop), "RAISE_ERROR": uint32(metrics.OverflowRaiseError),
		"BLOCK": uint32(metrics.OverflowBlock),
	}
	metricErrorPolicies = names{
		"FAIL_RECORDER": uint32(metrics.FailRecorder), "QUARANTINE_METRIC": uint32(metrics.QuarantineMetric),
	}
	snapshotModes = names{"CONSISTENT": uint32(metrics.Consistent), "RELAXED": uint32(metrics.Relaxed)}
	metricKinds   = names{
		"VTABLE": uint32(metrics.KindVtable), "COUNTER": uint32(metrics.KindCounter),
		"UP_DOWN_COUNTER": uint32(metrics.KindUpDownCounter), "GAUGE": uint32(metrics.KindGauge),
		"HISTOGRAM":             uint32(metrics.KindHistogram),
		"EXPONENTIAL_HISTOGRAM": uint32(metrics.KindExponentialHistogram),
		"QUANTILE_SKETCH":       uint32(metrics.KindQuantileSketch), "DISTINCT_COUNT": uint32(metrics.KindDistinctCount),
	}
	metricStates   = names{"ACTIVE": uint32(metrics.MetricActive), "QUARANTINED": uint32(metrics.MetricQuarantined)}
	operationNames = names{
		"START": uint32(metrics.OperationStart), "STOP": uint32(metrics.OperationStop),
		"FLUSH": uint32(metrics.OperationFlush), "SHUTDOWN": uint32(metrics.OperationShutdown),
	}
	fieldKinds = names{
		"I8": uint32(metrics.FieldI8), "I16": uint32(metrics.FieldI16), "I32": uint32(metrics.FieldI32),
		"I64": uint32(metrics.FieldI64), "U8": uint32(metrics.FieldU8), "U16": uint32(metrics.FieldU16),
		"U32": uint32(metrics.FieldU32), "U64": uint32(metrics.FieldU64), "F32": uint32(metrics.FieldF32),
		"F64": uint32(metrics.FieldF64), "BOOL": uint32(metrics.FieldBool), "SYMBOL": uint32(metrics.FieldSymbol),
		"TEXT": uint32(metrics.FieldText),
	}
	filterOps = names{
		"EQ": uint32(metrics.Equal), "NE": uint32(metrics.NotEqual), "LT": uint32(metrics.Less),
		"LE": uint32(metrics.LessOrEqual), "GT": uint32(metrics.Greater), "GE": uint32(metrics.GreaterOrEqual),
	}
	logPolicies = names{
		"SILENT": uint32(metrics.LogSilent), "NORMAL": uint32(metrics.LogNormal),
		"INSPECTION": uint32(metrics.LogInspection),
	}
	logLevels = names{
		"ERROR": uint32(metrics.LogError), "WARN": uint32(metrics.LogWarn), "INFO": uint32(metrics.LogInfo),
		"DEBUG": uint32(metrics.LogDebug), "TRACE": uint32(metrics.LogTrace),
	}
)

func statusOf(err error) string {
	if err == nil {
		return "OK"
	}
	var known *metrics.Error
	if errors.As(err, &known) {
		return known.Status.String()
	}
	return "(" + err.Error() + ")"
}

// plain is the result of a call whose error is no more than a status.
func plain(err error) *Object { return newObject("status", statusOf(err)) }

// result is the result of a call that gives an error.
func (c *Call) result(err error) *Object {
	got := plain(err)
	var known *metrics.Error
	if err != nil && !errors.As(err, &known) {
		return c.broken("an error of an unknown type: %v", err)
	}
	if known != nil && (known.Status == metrics.OK || known.Reason == "" || known.Message == "") {
		c.broken("the error has no status, no reason or no message")
	}
	got.set("error", errorJSON(known))
	return got
}

func errorJSON(err *metrics.Error) any {
	if err == nil {
		return Null{}
	}
	details, problem := parse([]byte(err.DetailsJSON))
	if problem != nil {
		details = "(no JSON)"
	}
	return newObject("status", err.Status.String(), "reason", string(err.Reason), "message", err.Message,
		"details", details, "cause", errorJSON(err.Cause))
}
