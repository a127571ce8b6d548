//go:build mvx_cgo_env

package metrics

// #cgo LDFLAGS: -lmvx_metrics
import "C"
