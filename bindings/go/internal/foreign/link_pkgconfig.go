//go:build !mvx_cgo_env

package foreign

// #cgo pkg-config: mvx_metrics
import "C"
