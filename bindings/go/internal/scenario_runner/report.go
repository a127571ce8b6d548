package main

import (
	"fmt"
	"regexp"
	"strings"
)

// Failures, and the comparison of what a step gave with what the scenario expects.

func (s *Scenario) fail(where, format string, arguments ...any) {
	s.lock.Lock()
	s.failed = true
	s.changed.Broadcast()
	s.lock.Unlock()
	fmt.Printf("%s: %s: %s\n", s.path, where, fmt.Sprintf(format, arguments...))
}

// broken fails the step; it gives nil, which is no result.
func (c *Call) broken(format string, arguments ...any) *Object {
	c.scenario.fail(c.where, format, arguments...)
	return nil
}

func (c *Call) differs(what string, expected, got any, why string) {
	if why != "" {
		why = " (" + why + ")"
	}
	c.scenario.fail(c.where, "%s: expected %s, got %s%s", what, show(expected), show(got), why)
}

func statsMatch(expected, got any) bool {
	for _, key := range keysOf(expected) {
		value := get(expected, key)
		actual, there := get(got, key).(int64)
		if !there {
			return false
		}
		if _, bounds := value.(*Object); !bounds {
			if !same(value, actual) {
				return false
			}
			continue
		}
		if least, ok := get(value, "at_least").(int64); ok && actual < least {
			return false
		}
		if most, ok := get(value, "at_most").(int64); ok && actual > most {
			return false
		}
	}
	return true
}

// errorDiffers says in what; empty where the error is as expected.
func errorDiffers(expected, got any) string {
	_, there := got.(*Object)
	if expected == (Null{}) {
		if there {
			return "there is an error"
		}
		return ""
	}
	if !there {
		return "there is no error"
	}
	for _, key := range keysOf(expected) {
		value, actual := get(expected, key), get(got, key)
		switch key {
		case "cause":
			if why := errorDiffers(value, actual); why != "" {
				return "cause: " + why
			}
		case "details":
			for _, detail := range keysOf(value) {
				if !same(get(value, detail), get(actual, detail)) {
					return "details." + detail + " differs"
				}
			}
		case "message_contains":
			if !strings.Contains(textOr(get(got, "message"), ""), textOr(value, "\x00")) {
				return "the message doesn't contain it"
			}
		default:
			if !same(value, actual) {
				return key + " differs"
			}
		}
	}
	return ""
}

// rowsMatch: each key that is expected must be there with that value.
func rowsMatch(expected, got any) bool {
	left, right := listOf(expected), listOf(got)
	if len(left) != len(right) {
		return false
	}
	for i, row := range left {
		for _, key := range keysOf(row) {
			value, actual := get(row, key), get(right[i], key)
			if key == "error" && errorDiffers(value, actual) != "" || key != "error" && !same(value, actual) {
				return false
			}
		}
	}
	return true
}

func textMatches(pattern, text any) bool {
	compiled, err := regexp.Compile(textOr(pattern, "["))
	shown, ok := text.(string)
	return err == nil && ok && compiled.MatchString(shown)
}

func textContains(parts, text any) bool {
	shown, ok := text.(string)
	for _, part := range listOf(parts) {
		if !ok || !strings.Contains(shown, textOr(part, "\x00")) {
			return false
		}
	}
	return true
}

func sameOrder(expected, got any) bool {
	left, right := keysOf(expected), keysOf(got)
	for i := range left {
		if i >= len(right) || left[i] != right[i] {
			return false
		}
	}
	return len(left) == len(right)
}

func (c *Call) compare(got *Object) {
	expect := get(c.step, "expect")
	status := get(got, "status")
	if get(expect, "status") == nil && get(expect, "statuses") == nil && status != nil && status != "OK" {
		c.differs("status", "OK", status, "")
		if shown := get(got, "error"); shown != nil {
			c.scenario.fail(c.where, "the error is %s", show(shown))
		}
	}
	for _, key := range keysOf(expect) {
		value, there := get(expect, key), get(got, key)
		ok, why := true, ""
		switch key {
		case "error":
			why = errorDiffers(value, there)
			ok = why == ""
		case "stats":
			ok = statsMatch(value, there)
		case "metrics":
			ok = rowsMatch(value, there)
		case "matches":
			there = get(got, "text")
			ok = textMatches(value, there)
		case "contains":
			there = get(got, "text")
			ok = textContains(value, there)
		case "snapshot":
			if ok = same(value, there); ok && !sameOrder(value, there) {
				ok, why = false, "in another order"
			}
		default:
			ok = same(value, there)
		}
		if !ok {
			c.differs(key, value, there, why)
		}
	}
}
