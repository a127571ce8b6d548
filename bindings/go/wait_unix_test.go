//go:build !windows

package metrics_test

import "testing"

func TestWaitHasAFileDescriptor(t *testing.T) {
	recorder := newRecorder(t, nil)
	begun, err := recorder.Flush()
	must(t, err)
	defer begun.Close()
	fd, err := begun.FD()
	if err != nil || fd < 0 {
		t.Fatal(fd, err)
	}
}
