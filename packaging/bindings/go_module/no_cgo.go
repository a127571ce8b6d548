//go:build !cgo

package metrics

// The library is called by cgo. The package below does not compile, and says what to do.
import _ "mvx.dev/metrics/lib/no_cgo"
