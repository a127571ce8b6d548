//go:build !mvx_shared && !mvx_pkgconfig && !mvx_cgo_env

package metrics

// By default the library becomes part of the program, which is then one file that runs wherever it is copied to. A
// process in which another language records, too, has to have the library once: see link_shared_linux_amd64.go.

// #cgo LDFLAGS: ${SRCDIR}/lib/linux_amd64/libmvx_metrics.a -lm -ldl -pthread
import "C"

// So that `go mod vendor` takes the library along.
import _ "mvx.dev/metrics/lib/linux_amd64"
