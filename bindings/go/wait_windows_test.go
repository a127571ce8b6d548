package metrics_test

import (
	"syscall"
	"testing"
)

func TestWaitHasAnEvent(t *testing.T) {
	recorder := newRecorder(t, nil)
	begun, err := recorder.Flush()
	must(t, err)
	defer begun.Close()
	event, err := begun.Event()
	must(t, err)
	came, err := syscall.WaitForSingleObject(event, 20000)
	if came != syscall.WAIT_OBJECT_0 || err != nil {
		t.Fatal(came, err)
	}
}
