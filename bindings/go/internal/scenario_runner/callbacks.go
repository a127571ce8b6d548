package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync/atomic"

	"mvx.dev/metrics"
)

// Metrics, hooks, logs and completion callbacks that behave as the scenario declares.

// script is what a callback does at each of its calls.
type script struct {
	behaviours []any
	calls      int64
}

func (s *Scenario) next(script *script) (behaviour any, number int64) {
	s.lock.Lock()
	script.calls++
	number = script.calls
	s.lock.Unlock()
	left := number
	for i, behaviour := range script.behaviours {
		times, ok := get(behaviour, "times").(int64)
		if !ok {
			times = 1
		}
		if left <= times || i+1 == len(script.behaviours) {
			return behaviour, number
		}
		left -= times
	}
	return nil, number
}

func (s *Scenario) behave(behaviour any, where string) {
	if name, ok := get(behaviour, "gate").(string); ok {
		s.passGate(name)
	}
	if steps := get(behaviour, "steps"); steps != nil {
		s.playSteps(steps, where)
	}
}

// failure is the error with which the behaviour fails, nil where it doesn't.
func failure(behaviour any) error {
	if message, ok := get(behaviour, "fail").(string); ok {
		return errors.New(message)
	}
	return nil
}

// use is one registration of a callback, with a drop of its own.
type use struct {
	scenario *Scenario
	key      string
	metric   *metric
	drops    int
}

func (s *Scenario) addUse(key string, metric *metric) *use {
	added := &use{scenario: s, key: key, metric: metric}
	s.lock.Lock()
	s.uses = append(s.uses, added)
	s.lock.Unlock()
	return added
}

// Drop is called by the binding, of metrics because of its name.
func (u *use) Drop() {
	if u.metric != nil && atomic.LoadInt64(&u.metric.owner) != 0 {
		u.scenario.fail(u.key, "dropped while one of its functions runs")
	}
	u.scenario.lock.Lock()
	u.drops++
	drops := u.drops
	u.scenario.lock.Unlock()
	if drops > 1 {
		u.scenario.fail(u.key, "dropped %d times", drops)
	}
	u.scenario.note("%s.drop", u.key)
}

// metric is the state of a scripted metric. It has no lock: the library promises that none is needed, and `owner`
// checks that.
type metric struct {
	key, kind         string
	config            any
	handle, snapshot  script
	total             int64
	by                *Object
	values            []any
	last              any
	firstNS, lastNS   int64
	owner             int64 // the thread inside one of its functions
	depth             int
	eventTypes        []metrics.EventType
	eventTypesLearned bool
}

func (u *use) enter() bool {
	me := threadID()
	if !atomic.CompareAndSwapInt64(&u.metric.owner, 0, me) && atomic.LoadInt64(&u.metric.owner) != me {
		u.scenario.fail(u.key, "called from two threads at once")
		return false
	}
	u.metric.depth++
	return true
}

func (u *use) leave() {
	u.metric.depth--
	if u.metric.depth == 0 {
		atomic.StoreInt64(&u.metric.owner, 0)
	}
}

// HandleEvent is what the scenario says.
func (u *use) HandleEvent(seen *metrics.Event) (changed bool, err error) {
	if !u.enter() {
		return false, nil
	}
	defer u.leave()
	s, m := u.scenario, u.metric
	of := s.eventOf(seen.Type)
	if of == nil {
		s.fail(u.key, "got an event of a type that the scenario doesn't declare")
		return false, nil
	}
	if seen.TypeName() != of.name {
		s.fail(u.key, "the event's type name is %s", seen.TypeName())
	}
	s.note("%s.handle %s", u.key, of.show(seen.Payload))
	when := seen.Time().UnixNano()
	if m.firstNS == 0 || when < m.firstNS {
		m.firstNS = when
	}
	if when > m.lastNS {
		m.lastNS = when
	}
	behaviour, number := s.next(&m.handle)
	s.behave(behaviour, fmt.Sprintf("in call %d of %s.handle", number, u.key))
	if err := failure(behaviour); err != nil {
		return false, err
	}
	if isTrue(behaviour, "ignore") {
		return false, nil
	}
	m.take(of, seen.Payload)
	return true, nil
}

func (m *metric) take(of *event, payload []byte) {
	m.total++
	if by, ok := get(m.config, "by").(string); ok {
		value := of.read(by, payload)
		key, isText := value.(string)
		if !isText {
			key = show(value)
		}
		count, _ := get(m.by, key).(int64)
		m.by.set(key, count+1)
	}
	var value any = of.key
	if field, ok := get(m.config, "field").(string); ok {
		value = of.read(field, payload)
	}
	m.values = append(m.values, value)
	m.last = value
}

// Snapshot is what the scenario says.
func (u *use) Snapshot(writer *metrics.Writer) error {
	if !u.enter() {
		return errors.New("entered twice")
	}
	defer u.leave()
	m := u.metric
	u.scenario.note("%s.snapshot", u.key)
	behaviour, number := u.scenario.next(&m.snapshot)
	u.scenario.behave(behaviour, fmt.Sprintf("in call %d of %s.snapshot", number, u.key))
	if err := failure(behaviour); err != nil {
		return err
	}
	switch m.kind {
	case "fixed":
		gives := get(m.config, "gives")
		for _, key := range keysOf(gives) {
			writeValue(writer, key, get(gives, key))
		}
	case "count":
		writer.Int("total", m.total)
		if get(m.config, "by") != nil {
			writeValue(writer, "by", m.by)
		}
	case "list":
		writeValue(writer, "values", m.values)
	default:
		writeValue(writer, "value", m.last)
	}
	return nil
}

// writeValue leaves errors to the writer, which makes the snapshot fail.
func writeValue(writer *metrics.Writer, key string, value any) {
	if text, ok := get(value, "$u64").(string); ok {
		natural, _ := strconv.ParseUint(text, 10, 64)
		writer.Uint(key, natural)
		return
	}
	if text, ok := get(value, "$f64").(string); ok {
		real, err := strconv.ParseFloat(text, 64)
		if err != nil {
			real = math.NaN()
		}
		writer.Float(key, real)
		return
	}
	switch value := value.(type) {
	case Null:
		writer.Null(key)
	case bool:
		writer.Bool(key, value)
	case int64:
		writer.Int(key, value)
	case float64:
		writer.Float(key, value)
	case string:
		writer.Text(key, value)
	case []any:
		writer.BeginList(key)
		for _, item := range value {
			writeValue(writer, "", item)
		}
		writer.End()
	case *Object:
		writer.BeginMap(key)
		for _, inner := range value.keys {
			writeValue(writer, inner, value.values[inner])
		}
		writer.End()
	}
}

func (c *Call) metricOptions(m *metric) (*metrics.MetricOptions, bool) {
	options := &metrics.MetricOptions{Commutative: isTrue(m.config, "commutative"), OneByOne: !isTrue(m.config, "batch")}
	for _, wanted := range listOf(get(m.config, "events")) {
		_, number, ok := c.event(wanted)
		if !ok {
			return nil, false
		}
		options.EventTypes = append(options.EventTypes, number)
	}
	return options, true
}

// hooks is a declaration of hooks; each use of it shares the scripts.
type hooks struct {
	config                       any
	starting, stopped, onChanged script
}

func (c *Call) hooks(name any) (*metrics.Hooks, bool) {
	key := textOr(name, "")
	found := c.scenario.hooks[key]
	if found == nil {
		c.broken("unknown hooks %s", show(name))
		return nil, false
	}
	use := c.scenario.addUse(key, nil)
	made := &metrics.Hooks{Drop: use.Drop}
	if get(found.config, "on_starting") != nil {
		made.OnStarting = func(completion *metrics.Completion) error {
			use.scenario.note("%s.on_starting", key)
			return use.runHook(&found.starting, "on_starting", completion)
		}
	}
	if get(found.config, "on_stopped") != nil {
		made.OnStopped = func(completion *metrics.Completion) error {
			use.scenario.note("%s.on_stopped", key)
			return use.runHook(&found.stopped, "on_stopped", completion)
		}
	}
	if get(found.config, "on_metric_changed") != nil {
		made.OnMetricChanged = func(name string, changed metrics.Metric, seen *metrics.Event,
			completion *metrics.Completion) error {
			shown := "(unknown)"
			if of := use.scenario.eventOf(seen.Type); of != nil {
				shown = of.show(seen.Payload)
			}
			use.scenario.note("%s.on_metric_changed %s %s %s", key, name, objectName(changed, "-"), shown)
			return use.runHook(&found.onChanged, "on_metric_changed", completion)
		}
	}
	return made, true
}

func objectName(of metrics.Metric, otherwise string) string {
	if of == nil {
		return otherwise
	}
	if use, ok := of.(*use); ok {
		return use.key
	}
	return "(unknown)"
}

func (u *use) runHook(script *script, function string, completion *metrics.Completion) error {
	behaviour, number := u.scenario.next(script)
	where := fmt.Sprintf("in call %d of %s.%s", number, u.key, function)
	token, pending := get(behaviour, "pending").(string)
	u.scenario.lock.Lock()
	pending = pending && !u.scenario.cleaning
	u.scenario.lock.Unlock()
	call := &Call{u.scenario, behaviour, where}
	if pending && !call.bind(ofCompletion, token, completion) {
		return nil
	}
	u.scenario.behave(behaviour, where)
	if err := failure(behaviour); err != nil {
		return err
	}
	u.scenario.lock.Lock()
	pending = pending && !u.scenario.cleaning
	u.scenario.lock.Unlock()
	if pending {
		return metrics.Pending
	}
	return nil
}

func (c *Call) log(name any) (*metrics.Log, bool) {
	key := textOr(name, "")
	config := get(get(c.scenario.root, "logs"), key)
	if config == nil {
		c.broken("unknown log %s", show(name))
		return nil, false
	}
	made := &metrics.Log{}
	if policy := get(config, "policy"); policy != nil {
		number, ok := c.constant(logPolicies, policy)
		if !ok {
			return nil, false
		}
		made.Policy = metrics.LogPolicy(number)
	}
	if level := get(config, "max_level"); level != nil {
		number, ok := c.constant(logLevels, level)
		if !ok {
			return nil, false
		}
		made.MaxLevel = metrics.LogLevel(int32(number))
	}
	use := c.scenario.addUse(key, nil)
	made.Drop = use.Drop
	made.Write = func(record metrics.LogRecord) {
		use.scenario.note("%s.log %s %s", key, record.Event, record.EntityID)
	}
	return made, true
}

func (s *Scenario) makeCallbacks() bool {
	for _, key := range keysOf(get(s.root, "metrics")) {
		config := get(get(s.root, "metrics"), key)
		kind := textOr(get(config, "kind"), "")
		if !hasWord("count last list fixed", kind) {
			s.fail("metrics", "metric '%s' is of an unknown kind", key)
			return false
		}
		s.metrics[key] = &metric{
			key: key, kind: kind, config: config, by: newObject(), values: []any{}, last: Null{},
			handle:   script{behaviours: listOf(get(config, "handle"))},
			snapshot: script{behaviours: listOf(get(config, "snapshot"))},
		}
	}
	for _, key := range keysOf(get(s.root, "hooks")) {
		config := get(get(s.root, "hooks"), key)
		s.hooks[key] = &hooks{
			config:    config,
			starting:  script{behaviours: listOf(get(config, "on_starting"))},
			stopped:   script{behaviours: listOf(get(config, "on_stopped"))},
			onChanged: script{behaviours: listOf(get(config, "on_metric_changed"))},
		}
	}
	return true
}
