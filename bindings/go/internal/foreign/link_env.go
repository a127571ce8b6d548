//go:build mvx_cgo_env

package foreign

// #cgo LDFLAGS: -lmvx_metrics
import "C"
