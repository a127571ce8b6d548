/* All tests as one source file: reading the standard library for each would take longer than the tests do. */
#include "test_callbacks.cpp"
#include "test_events.cpp"
#include "test_handles.cpp"
