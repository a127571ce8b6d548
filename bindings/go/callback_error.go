package metrics

// #include "shim.h"
import "C"

import "fmt"

// guarded runs a callback of the user; its panic becomes an error, for none may unwind through C.
func guarded(callback func() error) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v", reason)
		}
	}()
	return callback()
}

// say hands a callback's error to the library, as the cause of the error that follows.
func say(to *C.mvx_callback_error, err error) {
	text, size := textPointer(err.Error())
	if size == 0 {
		return // the library finds words of its own
	}
	C.mvx_go_callback_error_set(to, text, size)
}
