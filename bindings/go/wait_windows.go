package metrics

// #include "shim.h"
import "C"

import "syscall"

// Event is an event of Windows that is signalled when the operation is over, for WaitForMultipleObjects and event loops. It
// is good until Close. Don't reset it and don't close it.
func (w *Wait) Event() (syscall.Handle, error) {
	event := C.uintptr_t(syscall.InvalidHandle)
	status := C.mvx_go_wait_handle(w.handle, &event)
	return syscall.Handle(event), plainError(status)
}
