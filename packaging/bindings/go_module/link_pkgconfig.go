//go:build mvx_pkgconfig && !mvx_cgo_env

package metrics

// With the build tag mvx_pkgconfig the installed library is taken: pkg-config says where it is.

// #cgo pkg-config: mvx_metrics
import "C"
