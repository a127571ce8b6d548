# make demo     builds the library and shows its main job on real input
# make test     runs every test
# make bench    measures the library against its peers, and prints a table
# make bench-bindings  measures the bindings against the floor and against their peers
# make install  PREFIX=/usr/local [DESTDIR=]: library, header and pkg-config file
# make header   writes include/mvx_metrics.h anew
# make docs     the documentation as a site, in build/docs/site; make test-docs runs its samples and looks at its pages
#
# Packages, all into build/; each is tried in an empty folder by make test-packages:
# make dist     the tarball for Linux
# make deb      the Debian packages
# make windows  the DLL, with its import library; make test-windows runs the tests under wine
# make release  all of them, and their checksums
# make test-aarch64, make test-reproducible, make test-old-glibc
#
# Longer runs of what `make test` does briefly:
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
BUILT := target/release/libmvx_metrics.so

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

test: setup-test
	@tests/run

bench: setup-bench
	@benches/run

bench-bindings: setup-bench lib
	@benches/bindings

header: setup-build
	MVX_WRITE_HEADER=1 cargo check

docs: setup-docs
	@docs/build

test-docs: setup-test setup-docs lib
	@tests/docs/run

dist: setup-package
	@packaging/dist x86_64

deb: setup-package
	@packaging/deb x86_64

windows: setup-windows
	@$(MAKE) --no-print-directory -C packaging/windows

release: setup-test setup-package setup-windows
	@packaging/release

test-packages: setup-test setup-package lib
	@packaging/tests/dist
	@packaging/tests/deb
	@packaging/rust/check
	@packaging/bindings/run

test-windows: setup-windows
	@$(MAKE) --no-print-directory -C packaging/windows test

test-aarch64: setup-test setup-package
	@packaging/tests/aarch64

test-reproducible: setup-package
	@packaging/reproducible x86_64

test-old-glibc: setup-package
	@packaging/tests/old_glibc

install: lib
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)
	install -m 755 $(BUILT) $(DESTDIR)$(LIBDIR)/libmvx_metrics.so.$(VERSION)
	ln -sf libmvx_metrics.so.$(VERSION) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libmvx_metrics.so
	install -m 644 include/mvx_metrics.h $(DESTDIR)$(INCLUDEDIR)/mvx_metrics.h
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	    -e 's|@VERSION@|$(VERSION)|' include/mvx_metrics.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/mvx_metrics.pc
	chmod 644 $(DESTDIR)$(LIBDIR)/pkgconfig/mvx_metrics.pc

model: setup-test
	MVX_MODEL=full tests/model

valgrind: setup-test lib
	tests/c/run valgrind

storm: setup-test
	$(MAKE) -C tests/c asan-lib
	tests/c/run asan storm $(SECONDS)

clean:
	rm -rf target build
