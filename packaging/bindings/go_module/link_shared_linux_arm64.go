//go:build mvx_shared && !mvx_pkgconfig && !mvx_cgo_env

package metrics

// With the build tag mvx_shared the program asks for libmvx_metrics.so.0. One that another language of the process loaded
// is taken; otherwise it is looked for beside the program, in this module, and where the system has its libraries.

// #cgo LDFLAGS: -L${SRCDIR}/lib/linux_arm64 -l:libmvx_metrics.so.0
// #cgo LDFLAGS: -Wl,-rpath,$ORIGIN -Wl,-rpath,${SRCDIR}/lib/linux_arm64
import "C"

import _ "mvx.dev/metrics/lib/linux_arm64"
