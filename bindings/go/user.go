package metrics

// #include "shim.h"
import "C"

import (
	"runtime/cgo"
	"sync"
	"sync/atomic"
)

// What Go registers with the library is kept in a cgo.Handle, until the library says that it drops it. Its user_data
// is the address of a few bytes of C's that hold the handle's number. Metrics are looked up by that address, too: the
// user_data of a metric that another language registered with the same recorder must not be taken for one of ours.

var (
	ownMetricsLock sync.RWMutex
	ownMetrics     = map[uintptr]Metric{}
)

// dropper is what the library can drop.
type dropper interface{ dropped() }

// liveUsers is atomic: how many the library has not dropped yet.
var liveUsers int64

func newUser(object dropper) *C.mvx_go_user {
	atomic.AddInt64(&liveUsers, 1)
	return C.mvx_go_user_new(C.uintptr_t(cgo.NewHandle(object)))
}

func metricAt(address C.uintptr_t) Metric {
	ownMetricsLock.RLock()
	defer ownMetricsLock.RUnlock()
	return ownMetrics[uintptr(address)]
}

//export mvxGoDrop
func mvxGoDrop(handle, address C.uintptr_t) {
	owned := cgo.Handle(handle)
	object, _ := owned.Value().(dropper)
	owned.Delete()
	atomic.AddInt64(&liveUsers, -1)
	ownMetricsLock.Lock()
	delete(ownMetrics, uintptr(address))
	ownMetricsLock.Unlock()
	if object != nil {
		object.dropped()
	}
}

// quietly runs what has no error to give: its panic must not unwind through C, and there is nobody to tell of it.
func quietly(callback func()) {
	if callback == nil {
		return
	}
	defer func() { _ = recover() }()
	callback()
}
