package metrics

import "sync/atomic"

// LiveUsers is how many objects the library still holds; the tests see that it gives them all back.
func LiveUsers() int64 { return atomic.LoadInt64(&liveUsers) }

// OwnMetrics is how many metrics are known by their addresses.
func OwnMetrics() int {
	ownMetricsLock.RLock()
	defer ownMetricsLock.RUnlock()
	return len(ownMetrics)
}
