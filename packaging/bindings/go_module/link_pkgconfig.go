//go:build !mvx_cgo_env && (mvx_pkgconfig || !(linux && amd64))

package metrics

// With the build tag mvx_pkgconfig, and on platforms for which this module carries no library, the installed library is
// taken: pkg-config says where it is.

// #cgo pkg-config: mvx_metrics
import "C"
