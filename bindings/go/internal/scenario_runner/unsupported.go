package main

import "sort"

// What a Go surface has no way to say: a step that needs it is left out, and counted aloud. All else of its scenario is
// played, unless the whole hangs on it.
var unsayable = map[string]string{
	"null_out":    "NULL as an out-parameter",
	"struct_size": "the size of a struct",
}

func needs(root any, word string) bool {
	for _, need := range listOf(get(root, "needs")) {
		if need == word {
			return true
		}
	}
	return false
}

// unsupported says why a scenario can't be played; empty where it can.
func unsupported(root any) string {
	if needs(root, "fork") {
		return "fork"
	}
	// Such a scenario counts calls that would be left out.
	for _, name := range keysOf(get(root, "metrics")) {
		if get(get(get(root, "metrics"), name), "without") != nil {
			return "a table of functions with gaps"
		}
	}
	return ""
}

// leavesOut says why a step can't be played; empty where it can. Only scenarios that need raw calls have such steps.
func (c *Call) leavesOut() string {
	if !needs(c.scenario.root, "raw") {
		return ""
	}
	found := map[string]bool{}
	look("", c.step, found)
	if get(c.step, "do") == "runtime_shutdown_async" && get(c.step, "wait") == nil {
		found[unsayable["null_out"]] = true
	}
	// What the step names counts as well.
	for section, name := range map[string]any{
		"metrics": get(c.step, "metric"), "hooks": get(get(c.step, "options"), "hooks"),
		"logs": get(get(c.step, "options"), "log"),
	} {
		if name, ok := name.(string); ok {
			look("", get(get(c.scenario.root, section), name), found)
		}
	}
	var reasons []string
	for reason := range found {
		reasons = append(reasons, reason)
	}
	sort.Strings(reasons)
	if len(reasons) == 0 {
		return ""
	}
	return reasons[0]
}

func look(within string, value any, found map[string]bool) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			look(within, item, found)
		}
	case *Object:
		for _, key := range value.keys {
			if reason, ok := unsayable[key]; ok {
				found[reason] = true
			}
			if _, number := value.values[key].(int64); number && key == "value_kind" {
				found["a value of no kind"] = true
			}
			// As a handle NULL is a number like others; in place of anything else there is no such thing.
			if key == "$null" && !hasWord("runtime recorder wait completion callback", within) {
				found["NULL in place of a value"] = true
			}
			look(key, value.values[key], found)
		}
	}
}
