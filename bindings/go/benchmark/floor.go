package main

/*
#include <stddef.h>
#include <stdint.h>

int32_t floor_2(uintptr_t recorder, uint32_t type, uint64_t a, uint64_t b, size_t len);
*/
import "C"

// floor is an empty call into C with the arguments of a recorded event of 16 bytes.
//
//go:noinline
func floor(recorder uintptr, eventType uint32, a, b uint64) int32 {
	return int32(C.floor_2(C.uintptr_t(recorder), C.uint32_t(eventType), C.uint64_t(a), C.uint64_t(b), 16))
}
