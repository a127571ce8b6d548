//go:build !cgo

// Package no_cgo stands for the library where a program is built without cgo.
package no_cgo

const _ bool = "mvx_metrics needs cgo: set CGO_ENABLED=1, and CC to a C compiler for the platform that you build for"
