package main

import (
	"syscall"
	"time"

	"mvx.dev/metrics"
)

// What the runner asks of the system, where no two of them agree.

var currentThread = syscall.NewLazyDLL("kernel32.dll").NewProc("GetCurrentThreadId")

func threadID() int64 {
	id, _, _ := currentThread.Call()
	return int64(id)
}

// isSignalled says whether what a wait has for event loops tells within the time that the operation is over.
func isSignalled(wait *metrics.Wait, timeout time.Duration) (bool, error) {
	event, err := wait.Event()
	if err != nil {
		return false, err
	}
	came, err := syscall.WaitForSingleObject(event, uint32(timeout.Milliseconds()))
	return err == nil && came == syscall.WAIT_OBJECT_0, nil
}
