package main

import (
	"syscall"
	"time"
	"unsafe"

	"mvx.dev/metrics"
)

// What the runner asks of the system, where no two of them agree.

func threadID() int64 { return int64(syscall.Gettid()) }

type pollFD struct {
	fd              int32
	events, revents int16
}

// isSignalled says whether what a wait has for event loops tells within the time that the operation is over.
func isSignalled(wait *metrics.Wait, timeout time.Duration) (bool, error) {
	fd, err := wait.FD()
	if err != nil {
		return false, err
	}
	const readable = 1
	watched := pollFD{fd: int32(fd), events: readable}
	// Signals of Go's scheduler interrupt poll.
	for end := time.Now().Add(timeout); ; {
		left := time.Until(end)
		if left < 0 {
			left = 0
		}
		limit := syscall.NsecToTimespec(int64(left))
		ready, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&watched)), 1,
			uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
		if errno == syscall.EINTR && time.Now().Before(end) {
			continue
		}
		return errno == 0 && ready == 1 && watched.revents&readable != 0, nil
	}
}
