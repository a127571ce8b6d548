# The platforms whose native code a packed jar carries, and of each: the compiler, the library, what builds the library.
# This list is the only one: Makefile, packaging and tests read it. Adding one needs a JVM to try it with, too.
ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))../..)
PACKED_PLATFORMS := linux-x86_64 linux-aarch64 windows-x86_64

CC_linux-x86_64       ?= x86_64-linux-gnu-gcc
LIBRARY_linux-x86_64  ?= $(ROOT)/build/packaging/lib/x86_64/libmvx_metrics.so
BUILDER_linux-x86_64  ?= packaging/library x86_64

CC_linux-aarch64      ?= aarch64-linux-gnu-gcc
LIBRARY_linux-aarch64 ?= $(ROOT)/build/packaging/lib/aarch64/libmvx_metrics.so
BUILDER_linux-aarch64 ?= packaging/library aarch64

CC_windows-x86_64      ?= x86_64-w64-mingw32-gcc-win32
LIBRARY_windows-x86_64 ?= $(ROOT)/build/windows/mvx_metrics.dll
BUILDER_windows-x86_64 ?= make windows
