package main

import (
	"fmt"
	"path"
	"strings"
)

// Checking before playing: what is misspelt must not pass.

const (
	commonKeys    = "do expect background thread note"
	statsKeys     = "accepted dispatched dropped refused discarded pending pending_max pending_bytes quarantined_metrics lag_ns"
	errorKeys     = "status reason message message_contains details cause"
	behaviourKeys = "times gate steps fail pending ignore"
	runtimeKeys   = "name_space recorder_queue_max_size recorder_queue_max_bytes recorder_overflow_policy worker_threads " +
		"shutdown_timeout_ms thread_name_prefix log struct_size"
	recorderKeys = "entity_id name_space queue_max_size queue_max_bytes overflow_policy block_timeout_ms " +
		"metric_error_policy hooks log struct_size"
	specKeys = "name unit help kind flags events value_field filters group_by max_series bounds relative_error struct_size"
)

type checker struct {
	path  string
	wrong bool
}

func (c *checker) say(where, format string, arguments ...any) {
	c.wrong = true
	fmt.Printf("%s: %s: %s\n", c.path, where, fmt.Sprintf(format, arguments...))
}

// keys reports each key of an object that is not among the known ones.
func (c *checker) keys(where, what string, value any, known string) {
	for _, key := range keysOf(value) {
		if !hasWord(known, key) {
			c.say(where, "unknown %s '%s'", what, key)
		}
	}
}

func hasWord(words, word string) bool {
	for _, known := range strings.Fields(words) {
		if known == word {
			return true
		}
	}
	return false
}

// check looks through a whole scenario, also at steps that may never be reached.
func check(shown string, root any) bool {
	c := &checker{path: shown}
	c.keys("scenario", "key", root, "name shows covers needs own_process events metrics hooks logs steps")
	if get(root, "name") != path.Base(shown) {
		c.say("scenario", "the name is not that of the file: %s", show(get(root, "name")))
	}
	if textOr(get(root, "shows"), "") == "" {
		c.say("scenario", "missing 'shows'")
	}
	for _, key := range []string{"covers", "steps"} {
		if len(listOf(get(root, key))) == 0 {
			c.say("scenario", "missing '%s'", key)
		}
	}
	for _, need := range listOf(get(root, "needs")) {
		if !hasWord("raw fd fork", textOr(need, "")) {
			c.say("scenario", "unknown need %s", show(need))
		}
	}
	c.declarations("events", get(root, "events"), "fields timed release")
	c.declarations("metrics", get(root, "metrics"),
		"kind by field gives events batch commutative handle snapshot without struct_size")
	c.declarations("hooks", get(root, "hooks"), "on_starting on_stopped on_metric_changed struct_size")
	c.declarations("logs", get(root, "logs"), "policy max_level struct_size")
	c.steps("", get(root, "steps"))
	return !c.wrong
}

func (c *checker) declarations(what string, declared any, known string) {
	for _, name := range keysOf(declared) {
		declaration := get(declared, name)
		c.keys(what+" "+name, "key", declaration, known)
		for _, field := range listOf(get(declaration, "fields")) {
			c.keys(what+" "+name, "key of a field", field, "name kind size")
		}
		for _, function := range keysOf(declaration) {
			if function != "handle" && function != "snapshot" && !strings.HasPrefix(function, "on_") {
				continue
			}
			where := name + "." + function
			behaviours, ok := get(declaration, function).([]any)
			if !ok {
				c.say(where, "no list")
			}
			for _, behaviour := range behaviours {
				c.keys(where, "key", behaviour, behaviourKeys)
				c.steps(where+" ", get(behaviour, "steps"))
			}
		}
	}
}

func (c *checker) steps(within string, steps any) {
	if _, ok := steps.([]any); steps != nil && !ok {
		c.say(within, "'steps' is no list")
	}
	for i, step := range listOf(steps) {
		c.step(fmt.Sprintf("%sstep %d", within, i+1), step)
	}
}

func (c *checker) step(where string, step any) {
	name := textOr(get(step, "do"), "")
	operation, known := operations[name]
	if !known {
		c.say(where, "unknown operation '%s'", name)
		return
	}
	c.keys(where, "key", step, commonKeys+" "+operation.keys)
	expect := get(step, "expect")
	if _, ok := expect.(*Object); expect != nil && !ok {
		c.say(where, "the expectation is no object")
	}
	c.keys(where, "expectation", expect, "status "+operation.gives)
	c.failure(where, get(expect, "error"))
	c.stats(where, get(expect, "stats"))
	c.stats(where, get(step, "stats"))
	for _, row := range listOf(get(expect, "metrics")) {
		c.keys(where, "key of a metric", row, "name kind state object error")
		c.failure(where, get(row, "error"))
	}
	switch {
	case name == "runtime_create":
		c.keys(where, "option", get(step, "options"), runtimeKeys)
	case name == "recorder_create" || name == "runtime_create_recorder":
		c.keys(where, "option", get(step, "options"), recorderKeys)
	case name == "recorder_register_native_metric":
		c.keys(where, "key of a spec", get(step, "spec"), specKeys+" $null")
		for _, filter := range listOf(get(get(step, "spec"), "filters")) {
			c.keys(where, "key of a filter", filter, "field op value value_kind")
		}
	case name == "event_type_declare":
		for _, field := range listOf(get(step, "fields")) {
			c.keys(where, "key of a field", field, "name kind size offset")
		}
	}
	if nested := get(step, "step"); nested != nil {
		c.step(where+" race", nested)
	}
	c.steps(where+" ", get(step, "steps"))
}

func (c *checker) failure(where string, failure any) {
	c.keys(where, "key of an error", failure, errorKeys)
	if cause := get(failure, "cause"); cause != nil {
		c.failure(where, cause)
	}
}

func (c *checker) stats(where string, stats any) {
	c.keys(where, "count", stats, statsKeys)
	for _, key := range keysOf(stats) {
		c.keys(where, "bound", get(stats, key), "at_least at_most")
	}
}
