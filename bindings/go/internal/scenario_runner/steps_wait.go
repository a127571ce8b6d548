package main

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"mvx.dev/metrics"
)

// Steps on waits and on the tokens of pending hooks.

func onWait(run func(call *Call, wait *metrics.Wait) *Object) func(*Call) *Object {
	return func(call *Call) *Object {
		wait, ok := call.wait()
		if !ok {
			return nil
		}
		return run(call, wait)
	}
}

func waitBlock(call *Call, wait *metrics.Wait) *Object {
	timeout, ok := call.integer(call.step, "timeout_ms", patience.Milliseconds())
	if !ok {
		return nil
	}
	return plain(wait.Block(milliseconds(timeout)))
}

func waitResult(call *Call, wait *metrics.Wait) *Object {
	operation, err := wait.Result()
	got := call.result(err)
	if operation != 0 {
		got.set("operation", operationNames.of(uint32(operation)))
	}
	return got
}

func waitOnComplete(call *Call, wait *metrics.Wait) *Object {
	name, ok := get(call.step, "callback").(string)
	if !ok {
		use := call.scenario.addUse("(no callback)", nil)
		got := plain(wait.OnComplete(nil, use.Drop))
		got.set("called", false)
		return got
	}
	s := call.scenario
	use := s.addUse(name, nil)
	steps := get(call.step, "steps")
	var thread int64 // atomic: on which thread it was called
	// So that "this thread" means something.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := wait.OnComplete(func(operation metrics.Operation, err error) {
		s.note("%s.complete %s %s", name, operationNames.of(uint32(operation)), statusOf(err))
		if steps != nil {
			s.playSteps(steps, fmt.Sprintf("in %s.complete", name))
		}
		atomic.StoreInt64(&thread, threadID())
	}, use.Drop)
	got := plain(err)
	got.set("called", atomic.LoadInt64(&thread) == threadID())
	return got
}

func waitFD(call *Call, wait *metrics.Wait) *Object {
	timeout, ok := call.integer(call.step, "timeout_ms", 0)
	if !ok {
		return nil
	}
	signalled, err := isSignalled(wait, milliseconds(timeout))
	got := plain(err)
	if err == nil {
		got.set("readable", signalled)
	}
	return got
}

func waitFree(call *Call, wait *metrics.Wait) *Object {
	call.freed(ofWait, "wait")
	wait.Close()
	return newObject()
}

func completionDone(call *Call) *Object {
	number, raw := call.number("completion")
	completion := metrics.CompletionFromHandle(number)
	if !raw {
		named, ok := call.object(ofCompletion, "completion").(*metrics.Completion)
		if !ok {
			return nil
		}
		completion = named
	}
	var failure error
	if get(call.step, "fail") != nil {
		message, ok := call.text(get(call.step, "fail"))
		if !ok {
			return nil
		}
		if message != "" {
			failure = errors.New(message)
		}
	}
	call.freed(ofCompletion, "completion")
	return plain(completion.Done(failure))
}
