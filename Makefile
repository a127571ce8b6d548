# make demo     builds the library and shows its main job on real input
# make test     runs every test
# make bench    measures the library against its peers, and prints a table
# make bench-bindings  measures the bindings against the floor and against their peers
# make install  PREFIX=/usr/local [DESTDIR=]: library, headers for C and C++, pkg-config files and CMake package
# make header   writes include/mvx_metrics.h anew
# make docs     the documentation as a site, in build/docs/site; make test-docs tests it alone
#
# Packages, all into build/; make test-packages tries them, each in an empty folder:
# make dist     the tarball for Linux
# make deb      the Debian packages
# make windows  the DLL, with its import libraries; make test-windows tests it alone, under wine
# make release  all of them, and their checksums
#
# Longer runs of what `make test` does briefly, or leaves out:
# make test-aarch64       all C tests and scenarios for AArch64, under an emulator
# make test-reproducible  releases twice, in two folders, and compares the bytes
# make test-old-glibc     runs the library against the oldest glibc that it is for
# make model    the model checks, with more interleavings
# make valgrind all C tests under valgrind
# make storm    SECONDS=600: random calls with random handles, under the address sanitizer

PREFIX ?= /usr/local
DESTDIR ?=
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
SECONDS ?= 600

# Where rustup puts cargo, for a shell that was open before it came.
export PATH := $(HOME)/.cargo/bin:$(PATH)

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SONAME := libmvx_metrics.so.$(firstword $(subst ., ,$(VERSION)))

.PHONY: all lib demo test bench bench-bindings install header model valgrind storm clean setup-% docs dist deb windows release \
	test-docs test-packages test-windows test-aarch64 test-reproducible test-old-glibc

all: lib

setup-%:
	@.ci/setup $*

lib: setup-build
	cargo build --release --lib
	@ln -sf libmvx_metrics.so target/release/$(SONAME)

demo: setup-demo lib
	@$(MAKE) --no-print-directory -C examples demo

test: setup-test setup-docs setup-package setup-windows
	@tests/run

bench: setup-bench
	@benches/run

bench-bindings: setup-bench lib
	@benches/bindings

header: setup-build
	MVX_WRITE_HEADER=1 cargo check

docs: setup-docs
	@docs/build

test-docs: setup-test setup-docs
	@tests/run docs

dist: setup-package
	@packaging/dist x86_64

deb: setup-package
	@packaging/deb x86_64

windows: setup-windows
	@$(MAKE) --no-print-directory -C packaging/windows

release: setup-test setup-package setup-windows
	@packaging/release

test-packages: setup-test setup-package setup-windows
	@MVX_EXTENT=whole tests/run windows dist aarch64 deb packages rust

test-windows: setup-build setup-windows
	@$(MAKE) --no-print-directory -C packaging/windows test

test-aarch64: setup-test setup-package
	@packaging/tests/aarch64
	@packaging/tests/packages_aarch64

test-reproducible: setup-test setup-package setup-windows
	@packaging/reproducible

test-old-glibc: setup-package
	@packaging/tests/old_glibc

install: lib
	@LIB_DIR=target/release PREFIX=$(PREFIX) LIBDIR=$(LIBDIR) INCLUDEDIR=$(INCLUDEDIR) DESTDIR=$(DESTDIR) packaging/install

model: setup-test
	MVX_MODEL=full tests/model

valgrind: setup-test lib
	tests/c/run valgrind

storm: setup-test
	$(MAKE) -C tests/c asan-lib
	tests/c/run asan storm $(SECONDS)

clean:
	rm -rf target build
