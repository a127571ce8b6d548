//go:build !mvx_cgo_env

package metrics

// By default cgo asks pkg-config where header and library are. With the build tag mvx_cgo_env it takes CGO_CFLAGS
// and CGO_LDFLAGS alone, for a library that is not installed.

// #cgo pkg-config: mvx_metrics
import "C"
