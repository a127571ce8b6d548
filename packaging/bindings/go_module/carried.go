// Package linux_amd64 has no code. It is there so that `go mod vendor` takes the library in this folder along.
package linux_amd64
