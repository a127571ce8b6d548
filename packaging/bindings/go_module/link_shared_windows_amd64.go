//go:build mvx_shared && !mvx_pkgconfig && !mvx_cgo_env

package metrics

// With the build tag mvx_shared the program asks for mvx_metrics.dll. One that another language of the process loaded is
// taken; otherwise it is looked for beside the program and in the folders of PATH, for Windows has no way to name this one.

// #cgo LDFLAGS: ${SRCDIR}/lib/windows_amd64/mvx_metrics.dll
import "C"

import _ "mvx.dev/metrics/lib/windows_amd64"
