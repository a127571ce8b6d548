package main

import (
	"runtime"
	"sync"
	"time"
)

// Steps of the scenario itself: gates, waiting for a condition, the journal, races.

func openGate(call *Call) *Object {
	name, ok := get(call.step, "gate").(string)
	if !ok {
		return call.broken("the step needs 'gate'")
	}
	call.scenario.openGate(name)
	return newObject()
}

// condition looks once; seen is what there was, for the report, and nil where the step can't be played.
func (c *Call) condition() (holds bool, seen any) {
	step := c.step
	observe := func(name string) *Object { return operations[name].run(&Call{c.scenario, step, c.where}) }
	switch {
	case get(step, "state") != nil:
		name := "recorder_state"
		if get(step, "runtime") != nil {
			name = "runtime_state"
		}
		if got := observe(name); got != nil {
			return same(get(step, "state"), get(got, "state")), got
		}
		return false, nil
	case get(step, "stats") != nil:
		if got := observe("recorder_stats"); got != nil {
			return statsMatch(get(step, "stats"), get(got, "stats")), got
		}
		return false, nil
	case get(step, "gate") != nil:
		least, ok := c.integer(step, "reached", 1)
		reached := c.scenario.gateReached(textOr(get(step, "gate"), ""))
		return ok && reached >= least, reached
	case get(step, "calls") != nil:
		least, ok := c.integer(step, "count", 1)
		entries := c.scenario.entries(get(step, "calls"))
		return ok && int64(len(entries)) >= least, entries
	case get(step, "completion") != nil:
		c.scenario.lock.Lock()
		defer c.scenario.lock.Unlock()
		known := c.scenario.objects[objectKey{ofCompletion, textOr(get(step, "completion"), "")}]
		live := known != nil && known.live
		return live, live
	}
	c.broken("the step names no condition")
	return false, nil
}

func waitUntil(call *Call) *Object {
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		holds, seen := call.condition()
		if holds {
			return newObject()
		}
		if seen == nil {
			return nil
		}
		if time.Now().After(end) {
			return call.broken("it did not come; there is %s", show(seen))
		}
		call.scenario.lock.Lock()
		failed := call.scenario.failed
		call.scenario.lock.Unlock()
		if failed {
			return nil
		}
	}
}

func calls(call *Call) *Object {
	entries := call.scenario.entries(get(call.step, "of"))
	return newObject("calls", entries, "count", int64(len(entries)))
}

func (c *Call) job() *job {
	name := textOr(get(c.step, "job"), "")
	c.scenario.lock.Lock()
	known := c.scenario.jobs[name]
	c.scenario.lock.Unlock()
	if known == nil {
		c.broken("there is no job '%s'", name)
	}
	return known
}

func joinStep(call *Call) *Object {
	job := call.job()
	if job == nil {
		return nil
	}
	if job.joined {
		return call.broken("the job was joined before")
	}
	<-job.done
	job.joined = true
	return newObject()
}

func jobStep(call *Call) *Object {
	job := call.job()
	if job == nil {
		return nil
	}
	select {
	case <-job.done:
		return newObject("done", true)
	default:
		return newObject("done", false)
	}
}

func pause(call *Call) *Object {
	count, ok := call.integer(call.step, "ms", 0)
	if !ok {
		return nil
	}
	time.Sleep(milliseconds(count))
	return newObject()
}

func race(call *Call) *Object {
	threads, ok := call.integer(call.step, "threads", 2)
	if !ok || threads < 1 || threads > 64 {
		return call.broken("a race has 1 to 64 threads")
	}
	start := make(chan struct{})
	results := make([]*Object, threads)
	var ready, done sync.WaitGroup
	for i := range results {
		i := i
		ready.Add(1)
		done.Add(1)
		go func() {
			runtime.LockOSThread()
			defer done.Done()
			ready.Done()
			<-start
			results[i] = (&Call{call.scenario, get(call.step, "step"), call.where}).playBare()
		}()
	}
	ready.Wait()
	close(start)
	done.Wait()
	statuses := newObject()
	for _, got := range results {
		if got == nil {
			return nil
		}
		if many := get(got, "statuses"); many != nil {
			for _, status := range keysOf(many) {
				count, _ := get(many, status).(int64)
				countStatus(statuses, status, count)
			}
		} else if status, ok := get(got, "status").(string); ok {
			countStatus(statuses, status, 1)
		}
	}
	return newObject("statuses", statuses)
}

func mark(call *Call) *Object {
	call.scenario.lock.Lock()
	defer call.scenario.lock.Unlock()
	call.scenario.marks[textOr(get(call.step, "as"), "")] = time.Now().UnixNano()
	return newObject()
}

func eventTimes(call *Call) *Object {
	call.scenario.lock.Lock()
	after, ok1 := call.scenario.marks[textOr(get(call.step, "after"), "?")]
	before, ok2 := call.scenario.marks[textOr(get(call.step, "before"), "?")]
	call.scenario.lock.Unlock()
	metric := call.scenario.metrics[textOr(get(call.step, "metric"), "")]
	tolerance, ok3 := call.integer(call.step, "tolerance_ms", 0)
	if !ok1 || !ok2 || !ok3 || metric == nil {
		return call.broken("the step needs 'metric', 'after' and 'before'")
	}
	tolerance = milliseconds(tolerance).Nanoseconds()
	return newObject("within", metric.firstNS+tolerance >= after && metric.lastNS <= before+tolerance)
}

func inFork(call *Call) *Object {
	return call.broken("a Go program can't fork")
}
