package main

import (
	"sync/atomic"

	"mvx.dev/metrics"
)

// Steps on runtimes.

func runtimeCreate(call *Call) *Object {
	var options *metrics.RuntimeOptions
	if given := get(call.step, "options"); given != nil {
		made, ok := call.runtimeOptions(given)
		if !ok {
			return nil
		}
		options = made
	}
	runtime, err := metrics.NewRuntime(options)
	got := call.result(err)
	if err == nil {
		call.give("as", ofRuntime, runtime)
	}
	return got
}

func (c *Call) runtimeOptions(given any) (*metrics.RuntimeOptions, bool) {
	options := &metrics.RuntimeOptions{}
	namespace, ok1 := c.text(get(given, "name_space"))
	prefix, ok2 := c.text(get(given, "thread_name_prefix"))
	size, ok3 := c.integer(given, "recorder_queue_max_size", 0)
	bytes, ok4 := c.integer(given, "recorder_queue_max_bytes", 0)
	threads, ok5 := c.integer(given, "worker_threads", 0)
	timeout, ok6 := c.integer(given, "shutdown_timeout_ms", 0)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || !ok6 {
		return nil, false
	}
	if policy := get(given, "recorder_overflow_policy"); policy != nil {
		number, ok := c.constant(overflowPolicies, policy)
		if !ok {
			return nil, false
		}
		options.RecorderOverflowPolicy = metrics.OverflowPolicy(number)
	}
	if log := get(given, "log"); log != nil {
		made, ok := c.log(log)
		if !ok {
			return nil, false
		}
		options.Log = made
	}
	options.Namespace, options.ThreadNamePrefix = namespace, prefix
	options.RecorderQueueMaxSize, options.RecorderQueueMaxBytes = size, bytes
	options.WorkerThreads = uint32(threads)
	options.ShutdownTimeout = milliseconds(timeout)
	return options, true
}

func runtimeDefault(call *Call) *Object {
	atomic.StoreInt32(&call.scenario.defaultRuntimeUsed, 1)
	runtime, err := metrics.DefaultRuntime()
	got := call.result(err)
	if err == nil {
		call.give("as", ofRuntime, runtime)
	}
	return got
}

// onRuntime is a step on a runtime that must be there.
func onRuntime(run func(call *Call, runtime *metrics.Runtime) *Object) func(*Call) *Object {
	return func(call *Call) *Object {
		runtime, ok := call.runtime()
		if !ok {
			return nil
		}
		return run(call, runtime)
	}
}

// onNamed is a step on a runtime and the id of a recorder.
func onNamed(run func(call *Call, runtime *metrics.Runtime, id string) *Object) func(*Call) *Object {
	return onRuntime(func(call *Call, runtime *metrics.Runtime) *Object {
		id, ok := call.text(get(call.step, "id"))
		if !ok {
			return nil
		}
		return run(call, runtime, id)
	})
}

func runtimeClone(call *Call, runtime *metrics.Runtime) *Object {
	clone, err := runtime.Clone()
	if err == nil {
		call.give("as", ofRuntime, clone)
	}
	return plain(err)
}

func runtimeShutdownAsync(call *Call, runtime *metrics.Runtime) *Object {
	wait, err := runtime.ShutdownAsync()
	got := call.result(err)
	if err == nil {
		call.give("wait", ofWait, wait)
	}
	return got
}

func runtimeState(call *Call, runtime *metrics.Runtime) *Object {
	state, err := runtime.State()
	got := plain(err)
	if err == nil {
		got.set("state", runtimeStates.of(uint32(state)))
	}
	return got
}

func runtimeLastError(call *Call, runtime *metrics.Runtime) *Object {
	kept, err := runtime.LastError()
	got := plain(err)
	got.set("error", errorJSON(kept))
	return got
}

func runtimeCreateRecorder(call *Call, runtime *metrics.Runtime, id string) *Object {
	options, ok := call.recorderOptions()
	if !ok {
		return nil
	}
	recorder, err := runtime.CreateRecorder(id, options)
	return call.giveRecorder(recorder, err)
}

func (c *Call) giveRecorder(recorder *metrics.Recorder, err error) *Object {
	got := c.result(err)
	if recorder != nil {
		c.give("as", ofRecorder, recorder)
	}
	return got
}

func runtimeGetRecorder(call *Call, runtime *metrics.Runtime, id string) *Object {
	recorder, err := runtime.GetRecorder(id)
	return call.giveRecorder(recorder, err)
}

func runtimeTryGetRecorder(call *Call, runtime *metrics.Runtime, id string) *Object {
	recorder, err := runtime.TryGetRecorder(id)
	got := call.giveRecorder(recorder, err)
	got.set("found", recorder != nil)
	return got
}

func runtimeListRecorderIDs(call *Call, runtime *metrics.Runtime) *Object {
	ids, err := runtime.ListRecorderIDs()
	got := call.result(err)
	if err == nil {
		list := []any{}
		for _, id := range ids {
			list = append(list, id)
		}
		got.set("ids", list)
	}
	return got
}

func runtimeStopAndRemoveRecorder(call *Call, runtime *metrics.Runtime, id string) *Object {
	recorder, err := runtime.StopAndRemoveRecorder(id)
	return call.giveRecorder(recorder, err)
}
