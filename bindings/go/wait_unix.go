//go:build !windows

package metrics

// #include "shim.h"
import "C"

// FD is a file descriptor that becomes readable when the operation is over, for poll and event loops. It is good until
// Close. Don't read from it and don't close it.
func (w *Wait) FD() (int, error) {
	fd := C.int(-1)
	status := C.mvx_go_wait_fd(w.handle, &fd)
	return int(fd), plainError(status)
}
