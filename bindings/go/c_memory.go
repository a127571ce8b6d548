package metrics

// #include <stdlib.h>
// #include "shim.h"
import "C"

import "unsafe"

// arena holds the arguments of one call in C's memory: structs that point to texts and arrays must not point to
// Go's.
type arena struct{ blocks []unsafe.Pointer }

func (a *arena) alloc(size uintptr) unsafe.Pointer {
	block := C.calloc(1, C.size_t(size+1))
	a.blocks = append(a.blocks, block)
	return block
}

func (a *arena) str(text string) C.mvx_str {
	if text == "" {
		return C.mvx_str{}
	}
	data := a.alloc(uintptr(len(text)))
	copy(unsafe.Slice((*byte)(data), len(text)), text)
	return C.mvx_str{data: (*C.char)(data), len: C.size_t(len(text))}
}

func (a *arena) eventTypes(types []EventType) *C.mvx_event_type {
	if len(types) == 0 {
		return nil
	}
	array := (*C.mvx_event_type)(a.alloc(uintptr(len(types)) * unsafe.Sizeof(C.mvx_event_type(0))))
	for i, eventType := range types {
		unsafe.Slice(array, len(types))[i] = C.mvx_event_type(eventType)
	}
	return array
}

func (a *arena) free() {
	for _, block := range a.blocks {
		C.free(block)
	}
	a.blocks = nil
}

// textPointer is the memory of a text, for a call that copies it.
func textPointer(text string) (*C.char, C.size_t) {
	if text == "" {
		return nil, 0
	}
	// A string begins with the pointer to its bytes; unsafe.StringData came only with Go 1.20.
	return *(**C.char)(unsafe.Pointer(&text)), C.size_t(len(text))
}

func goText(text C.mvx_str) string {
	if text.len == 0 {
		return ""
	}
	return string(unsafe.Slice((*byte)(unsafe.Pointer(text.data)), int(text.len)))
}
