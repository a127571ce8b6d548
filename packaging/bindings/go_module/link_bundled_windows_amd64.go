//go:build !mvx_shared && !mvx_pkgconfig && !mvx_cgo_env

package metrics

// By default the library becomes part of the program, which is then one file that runs wherever it is copied to. A
// process in which another language records, too, has to have the library once: see link_shared_windows_amd64.go.

// What a panic in the library needs of the compiler becomes part of the program as well: it would else be a DLL of MinGW.

// #cgo LDFLAGS: ${SRCDIR}/lib/windows_amd64/libmvx_metrics.a -lntdll -static-libgcc
import "C"

// So that `go mod vendor` takes the library along.
import _ "mvx.dev/metrics/lib/windows_amd64"
