# make demo       install what the machine lacks, build, and restore a photograph into demo/
# make test       all tests that take minutes
# make test-long  tests that take longer
#
# Others: build, lib (the C library), gstreamer (the GStreamer element), install (PREFIX=), setup,
# setup-test, lint, race, bench, bench-peers (comparison with ONNX Runtime), bench-quality
# (comparison of denoising with OpenCV, GraphicsMagick and G'MIC), bench-scale (pictures of growing
# size), dist (release archives and Debian packages), cross (builds for other machines), fuzz (more
# than thirteen million executions), pictures (for the docs), clean.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION)
# Ends a test that hangs. No test takes that long, even on slow machines.
TIMEOUT ?= 3h
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib

.PHONY: all build lib gstreamer install setup setup-test demo lint test test-long race bench \
	bench-quality bench-peers bench-scale pictures dist cross fuzz clean

all: build

build:
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/restore ./cmd/trainhost

lib: setup
	@GO='$(GO)' VERSION='$(VERSION)' scripts/lib.sh build bin

gstreamer: lib
	@VERSION='$(VERSION)' scripts/gstreamer.sh build bin

# make install PREFIX=/usr/local [DESTDIR=...] [LIBDIR=...]: the command, and the C library with its
# header, vfm.pc and CMake configuration. Also the GStreamer element, if its development files are
# installed.
install: build lib
	@install -D -m 755 bin/restore '$(DESTDIR)$(PREFIX)/bin/restore'
	@GO='$(GO)' VERSION='$(VERSION)' PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' DESTDIR='$(DESTDIR)' \
		scripts/lib.sh install bin
	@if scripts/gstreamer.sh available; then \
		VERSION='$(VERSION)' scripts/gstreamer.sh build bin && \
		PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' DESTDIR='$(DESTDIR)' \
			scripts/gstreamer.sh install bin; \
	fi

setup:
	@scripts/setup.sh

setup-test:
	@scripts/setup.sh test

demo: setup build
	@scripts/demo.sh

lint:
	@unformatted=$$(gofmt -l .); \
	if [ -n "$$unformatted" ]; then \
		echo "not formatted (run gofmt -w):"; echo "$$unformatted"; exit 1; \
	fi
	$(GO) vet ./...
	$(GO) vet -tags vulkango ./gpu/...

# After all tests: the GPU tests with the other Vulkan binding, the kernels on subgroups of 4
# (lavapipe takes the width from the variable), the portable kernels on a second driver, and those
# for cooperative matrices on a newer Mesa. The last two are skipped if the drivers cannot be
# fetched.
test: setup-test lint
	$(GO) test -timeout $(TIMEOUT) ./...
	$(GO) test -timeout $(TIMEOUT) -tags vulkango ./gpu/...
	VFM_SEPARATE_MEMORY=1 $(GO) test -short -timeout $(TIMEOUT) -count=1 ./gpu/ ./internal/engine/ \
		./netdef/compile/ ./restore/ ./restore/motionblur/ ./trainhost/ ./trainhost/latent/ \
		./cmd/restore/ ./cmd/libvfm/
	VFM_MINIMAL_LIMITS=1 $(GO) test -short -timeout $(TIMEOUT) -count=1 -run 'TestOps|TestRestore|TestRows' \
		./netdef/compile/ ./restore/
	VFM_MINIMAL_LIMITS=1 $(GO) test -short -timeout $(TIMEOUT) -count=1 ./cmd/restore/ ./cmd/libvfm/
	LP_NATIVE_VECTOR_WIDTH=128 $(GO) test -timeout $(TIMEOUT) -count=1 -run TestOps ./netdef/compile/
	@driver=$$(scripts/second-driver.sh); \
	if [ -z "$$driver" ]; then \
		echo "no second driver: SwiftShader could not be fetched"; exit 0; \
	fi; \
	echo "again on SwiftShader:"; \
	VK_DRIVER_FILES=$$driver $(GO) test -short -timeout $(TIMEOUT) -count=1 ./gpu/ ./netdef/compile/
	@scripts/new-mesa.sh

# The tests of packages that check $VFM_TEST_LONG; see docs/ARCHITECTURE.md, "Tests".
test-long: setup-test
	VFM_TEST_LONG=1 $(GO) test -timeout 12h -count=1 ./gpu/ ./netdef/compile/ ./restore/ \
		./restore/motionblur/ ./restore/motionblur/reference/ ./trainhost/... ./cmd/...

race: setup-test
	$(GO) test -race -short -timeout $(TIMEOUT) ./internal/engine/ ./restore/... ./cmd/libvfm/

bench: setup build
	bin/restore bench

bench-quality: setup build
	@scripts/bench-quality.sh

bench-peers: setup
	@scripts/bench-peers.sh

bench-scale: setup build
	$(GO) run ./internal/tools/scale -svg docs/pictures/scale.svg

pictures: build
	@scripts/pictures.sh

dist: setup
	@scripts/dist.sh

cross: setup
	@scripts/cross.sh

fuzz:
	@scripts/fuzz.sh

clean:
	rm -rf bin demo dist
