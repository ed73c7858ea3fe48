# mote: HTTP/2 and gRPC without a heap. `make help` lists the targets.
#
# `make` needs a C compiler and make, nothing else. The other targets install what they need from
# Debian's packages (tests/setup.sh), or say what is missing.

CC ?= cc
AR ?= ar
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
DURATION ?= 10
VERSION := $(shell sed -nE 's/^.define MOTE_VERSION_(MAJOR|MINOR|PATCH) ([0-9]+)$$/\2/p' hpack/version.h | paste -sd .)
# 1: TLS by mbedTLS, where its headers are; 0: without.
ifeq ($(origin TLS),undefined)
TLS := $(shell $(CC) -include mbedtls/ssl.h -E -x c /dev/null >/dev/null 2>&1 && echo 1 || echo 0)
endif
WITH_TLS := $(if $(filter 1,$(TLS)),1,0)
# V=1 shows the commands; without, each is a word and a file: `$(call say,CC,$@)` begins a recipe. -s shows nothing.
say = $(if $(filter 1,$(V))$(findstring s,$(firstword -$(MAKEFLAGS))),$(if $(filter 1,$(V)),,@),@printf '  %-5s %s\n' '$1' '$2'; )
# A recipe that has more to build than itself does so on all processors, unless it was told how many.
J = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1))
# 1: SQLite's header is there, and the collector is built; 0: it is not.
ifeq ($(origin SQLITE),undefined)
SQLITE := $(shell $(CC) -include sqlite3.h -E -x c /dev/null >/dev/null 2>&1 && echo 1 || echo 0)
endif

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wredundant-decls -Werror
MOTE_CFLAGS := -std=c11 $(WARNINGS) -MMD -MP

# ---- the sources: one list; scripts ask for it by `make -s print-CORE`

HPACK := $(sort $(wildcard hpack/*.c))
H2 := $(sort $(wildcard h2/*.c))
GRPC := $(sort $(wildcard grpc/*.c))
CHANNEL := $(sort $(wildcard grpc/channel/*.c))
CODEC := $(sort $(wildcard grpc/codec/*.c))
WEB_SOURCES := $(sort $(wildcard grpc/web/*.c))
SERVICES := $(sort $(wildcard grpc/services/*.c))
PB := $(sort $(wildcard pb/*.c))
JSON := $(sort $(wildcard pb/json/*.c))
CORE := $(HPACK) $(H2) $(GRPC) $(CHANNEL) $(CODEC) $(WEB_SOURCES) $(SERVICES) $(PB) $(JSON)
POSIX := $(filter-out port/posix/tls.c,$(sort $(wildcard port/posix/*.c)))
# Lines and modems: no I/O of their own, for boards and hosts.
LINES := port/serial/serial.c $(sort $(wildcard port/serial/modem/*.c))
PLUGIN := $(sort $(wildcard pb/plugin/*.c))
# TLS, or what says that there is none.
ifeq ($(WITH_TLS),1)
TLS_SOURCES := $(filter-out tls/absent.c,$(sort $(wildcard tls/*.c))) port/posix/tls.c
TLS_LIBRARIES := -lmbedtls -lmbedx509 -lmbedcrypto
else
TLS_SOURCES := tls/absent.c port/posix/tls.c
endif
# What programs include: installed as <mote/...>.
HEADERS := $(filter-out %internal.h %.mote.h hpack/mote_check.h hpack/mote_apart.h h2/mote_features.h pb/pb_%, \
             $(sort $(wildcard hpack/*.h h2/*.h grpc/*.h grpc/*/*.h pb/*.h pb/json/*.h tls/*.h port/posix/*.h port/serial/*.h port/serial/modem/*.h))) \
           grpc/services/rpc.mote.h grpc/services/otlp.mote.h
# The same lists for what cannot ask make (CMake, Meson, the amalgamation and others); a test holds them against these.
header_group = $(or $(if $(filter port/posix/tls.h,$1),posix-tls),$(if $(filter port/posix/%,$1),posix),$(if $(filter tls/%,$1),tls),$(if $(filter port/serial/%,$1),lines),core)
PACKAGED = $(CORE:%=core@%) $(LINES:%=lines@%) $(POSIX:%=posix@%) \
            $(patsubst %,tls@%,$(filter-out tls/absent.c,$(sort $(wildcard tls/*.c)))) posix-tls@port/posix/tls.c \
            no-tls@tls/absent.c freertos@port/freertos/freertos.c header-freertos@port/freertos/freertos.h lwip@port/lwip/task.c header-lwip@port/lwip/task.h \
            $(PLUGIN:%=plugin@%) \
            $(foreach t,$(filter mote-%,$(PROGRAMS)),$(parts_$t:%=tool-$t@%.c)) $(foreach h,$(HEADERS),header-$(call header_group,$h)@$h)
# What is built for this machine and held against the drawing of the house by `make house`.
HOUSE := $(CORE) $(POSIX) $(TLS_SOURCES) $(PLUGIN) $(LINES)

LIB := $(BUILD)/libmote.a
TLS_LIB := $(BUILD)/libmote-tls.a

TOURS := unary server_stream client_stream bidi
SHOPS := orders files prices monitor chat
PROGRAMS := h2_server h2_client $(if $(filter 1,$(SQLITE)),collector) sensor otlp_sensor mote-hpack mote-serial $(SHOPS:%=%_server) $(SHOPS:%=%_client) \
            $(TOURS:%=%_server) $(TOURS:%=%_client) device device_caller tls_pool
INTEROP := interop_server interop_client grpc_conformance_server grpc_conformance_client
PROGRAM_FILES := $(PROGRAMS:%=$(BUILD)/%) $(INTEROP:%=$(BUILD)/%) $(BUILD)/protoc-gen-mote

.PHONY: all house demo demo-mcu test lab bench-fleet interop interop-otel tls-memory conformance bench size firmware-test coverage mutator fuzz-smoke lint install dist clean \
        help programs test-arch

.DEFAULT_GOAL := all
all: $(LIB) $(PROGRAM_FILES) ## library and programs
	@[ "$(SQLITE)" = 1 ] || echo "mote: without build/collector, for which please install libsqlite3-dev"

print-%:
	@echo $($*)

# ---- library and programs

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(MOTE_CFLAGS) $(CFLAGS) -c $< -o $@

$(LIB): $(patsubst %.c,$(BUILD)/obj/%.o,$(CORE) $(POSIX) $(LINES))
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $^

# Made anew when TLS=0 follows TLS=1, or the other way round.
TLS_STAMP := $(BUILD)/obj/tls-$(WITH_TLS)
$(TLS_STAMP):
	@mkdir -p $(@D)
	@rm -f $(@D)/tls-?
	@touch $@
$(TLS_LIB): $(TLS_SOURCES:%.c=$(BUILD)/obj/%.o) $(TLS_STAMP)
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $(filter %.o,$^)

# The object files of a program, beside the library.
parts_collector := $(addprefix examples/fleet/,collector collector_about collector_calls collector_view dashboard dashboard_calls dashboard_files dashboard.mote fleet sources store store_old tokens telemetry.mote)
libraries_collector := -lsqlite3
# The collector's page, as it lies in the program.
DASHBOARD := $(sort $(wildcard examples/fleet/dashboard/*))
$(BUILD)/dashboard_files.c: examples/fleet/embed.sh $(DASHBOARD)
	@mkdir -p $(@D)
	$(call say,EMBED,$@)examples/fleet/embed.sh dashboard_files examples/fleet/dashboard >$@.new && mv $@.new $@
$(BUILD)/obj/examples/fleet/dashboard_files.o: $(BUILD)/dashboard_files.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(MOTE_CFLAGS) $(CFLAGS) -I. -c $< -o $@
parts_sensor := $(addprefix examples/fleet/,sensor sensor_core readings spool_file telemetry.mote)
parts_otlp_sensor := $(addprefix examples/fleet/,otlp_sensor readings)
parts_device := $(addprefix examples/device/,device device_service device.mote)
parts_device_caller := $(addprefix examples/device/,device_caller device.mote)
parts_mote-serial := $(addprefix examples/tools/,mote-serial serial_line)
$(foreach t,h2_server h2_client tls_pool mote-hpack,$(eval parts_$t := examples/tools/$t))
$(foreach r,server client,$(foreach t,$(TOURS),$(eval parts_$t_$r := examples/tour/$t_$r examples/tour/tour.mote)))
$(foreach r,server client,$(foreach s,$(SHOPS),$(eval parts_$s_$r := examples/services/$s_$r examples/services/$s.mote)))

define program
$(BUILD)/$1: $(parts_$1:%=$(BUILD)/obj/%.o) $(TLS_LIB) $(LIB)
	$$(call say,LD,$$@)$$(CC) $$(CFLAGS) $$^ -o $$@ $$(LDFLAGS) $(TLS_LIBRARIES) $(libraries_$1)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$p)))

# The programs of the interoperability tests.
$(BUILD)/obj/tests/interop/%.o: MOTE_CFLAGS += -I. -Itests/interop
interop_messages := interop.mote orca.mote orca_service.mote google/protobuf/duration.mote
parts_interop_server := interop_server $(interop_messages)
conformance_messages := conformance.mote rpc_status.mote google/protobuf/any.mote google/protobuf/empty.mote
parts_grpc_conformance_server := grpc_conformance_server conformance $(conformance_messages)
parts_grpc_conformance_client := grpc_conformance_client conformance $(conformance_messages)
parts_interop_client := interop_client client cases $(interop_messages)
define interop
$(BUILD)/$1: $(parts_$1:%=$(BUILD)/obj/tests/interop/%.o) $(TLS_LIB) $(LIB)
	$$(call say,LD,$$@)$$(CC) $$(CFLAGS) $$^ -o $$@ $$(LDFLAGS) $(TLS_LIBRARIES)
endef
$(foreach p,$(INTEROP),$(eval $(call interop,$p)))

$(BUILD)/protoc-gen-mote: $(PLUGIN:%.c=$(BUILD)/obj/%.o) $(PB:%.c=$(BUILD)/obj/%.o)
	$(call say,LD,$@)$(CC) $(CFLAGS) $^ -o $@ $(LDFLAGS)

programs: $(PROGRAM_FILES)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
include tests/tests.mk tests/size.mk tests/lint.mk

# ---- what people run

# As TLS is built in wherever it can be, the demo takes it only where it was asked for.
demo: setup-demo ## the sensor demo, for DURATION=10 seconds, with a dashboard; with TLS=1 over mutual TLS; with WEB=1 the dashboard stays
	$(MAKE) $J BUILD=$(BUILD) all
	BUILD=$(BUILD) DURATION=$(DURATION) TLS=$(if $(filter command environment,$(firstword $(origin TLS))),$(TLS),0) WEB=$(or $(WEB),0) \
	    examples/fleet/demo.sh

test: setup-test ## all tests, those with real peers included
	$(MAKE) $J BUILD=$(BUILD) all test-programs
	CC="$(CC)" BUILD=$(BUILD) tests/run.sh

.PHONY: attack-table ways-out
attack-table: ## what an honest request, and a call of gRPC, takes beside each attack; writes build/attack-table*.tsv
	$(MAKE) $J BUILD=$(BUILD) all $(BUILD)/test/attack_loopback
	$(BUILD)/test/attack_loopback table $(BUILD)/h2_server | tee $(BUILD)/attack-table.tsv
	$(BUILD)/test/attack_loopback calls $(BUILD)/unary_server | tee $(BUILD)/attack-table-grpc.tsv

ways-out: ## each way to leave a call, in each phase, of all example servers and clients: four minutes
	$(MAKE) $J BUILD=$(BUILD) all
	BUILD=$(BUILD) SAMPLE=$(or $(SAMPLE),1) SEED=$(or $(SEED),1) /usr/bin/python3 tests/peers/ways_out.py
	BUILD=$(BUILD) SAMPLE=$(or $(SAMPLE),1) SEED=$(or $(SEED),1) /usr/bin/python3 tests/peers/ways_out_clients.py

lab: setup-test ## a sensor and a collector in network namespaces, a link that fails, and system calls that fail; as root
	$(MAKE) $J BUILD=$(BUILD) all
	mkdir -p $(BUILD)/test/py && protoc -I examples/fleet --python_out=$(BUILD)/test/py telemetry.proto
	CC="$(CC)" BUILD=$(BUILD) PYTHONPATH=$(BUILD)/test/py /usr/bin/python3 tests/fleet/lab.py
	CC="$(CC)" BUILD=$(BUILD) PYTHONPATH=$(BUILD)/test/py /usr/bin/python3 tests/fleet/errnos.py

bench-fleet: ## 200,000 samples/s of 1,000 devices into a collector on one processor for DURATION=300 seconds, beside SQLite alone
	$(MAKE) $J BUILD=$(BUILD) all
	CC="$(CC)" BUILD=$(BUILD) tests/fleet/load.sh 1000 200000 $(if $(filter command environment,$(firstword $(origin DURATION))),$(DURATION),300) 60s

interop: setup-interop ## interoperability with gRPC C++, Go, Java, JavaScript, Python, nginx, HAProxy, etcd; writes build/interop.tsv
	$(MAKE) $J BUILD=$(BUILD) all
	CC="$(CC)" BUILD=$(BUILD) tests/interop/run.sh
	BUILD=$(BUILD) tests/interop/http.sh
	BUILD=$(BUILD) tests/interop/proxies.sh
	CC="$(CC)" BUILD=$(BUILD) tests/interop/etcd.sh

interop-otel: ## an OpenTelemetry Collector, built by Go's module proxy in one to five minutes, gets traces and metrics of generated stubs
	$(MAKE) $J BUILD=$(BUILD) all
	CC="$(CC)" BUILD=$(BUILD) tests/interop/otel.sh

.PHONY: otlp-test
otlp-test: setup-otlp ## a sensor that speaks OTLP, with grpcio and OpenTelemetry's messages, and the Collector, which the first run builds: one minute, then
	$(MAKE) $J BUILD=$(BUILD) $(LIB) $(BUILD)/otlp_sensor $(BUILD)/mote-serial
	CC="$(CC)" BUILD=$(BUILD) tests/interop/otlp.sh

bench: setup-bench ## speed beside libnghttp2, nghttpd, nanopb, protobuf and gRPC C++; writes build/bench.tsv
	$(MAKE) $J BUILD=$(BUILD) all
	CC="$(CC)" BUILD=$(BUILD) tests/bench/run.sh

.PHONY: bench-latency
bench-latency: setup-bench ## unary calls at RATE=4000 a second, timed from when they were due, on 1 to 1,000 connections, beside the peers and a bare epoll loop
	@$(MAKE) $J $(LIB)
	CC="$(CC)" BUILD=$(BUILD) tests/bench/latency.sh

.PHONY: bench-pb
bench-pb: setup-bench-pb ## Protocol Buffers beside protobuf 35.1 (C++, upb) too, which it fetches and compiles once (some minutes)
	$(MAKE) $J BUILD=$(BUILD) all
	rm -f $(BUILD)/bench.tsv
	CC="$(CC)" BUILD=$(BUILD) NEWEST=1 tests/bench/pb.sh
	column -t -s "$$(printf '\t')" $(BUILD)/bench.tsv

tls-memory: setup-tls ## what mbedTLS 2.28 and 3.6 take of a static pool, for each preset of tls/preset.h
	$(MAKE) $J BUILD=$(BUILD) all
	CC="$(CC)" BUILD=$(BUILD) tests/mbedtls_preset.sh

.PHONY: web-test
web-test: setup-web ## browsers' protocols with peers: connectconformance, connect-node and grpc-web of npm, curl, h11: three minutes
	$(MAKE) $J BUILD=$(BUILD) $(BUILD)/interop_server $(BUILD)/grpc_conformance_server $(BUILD)/prices_server $(if $(filter 1,$(SQLITE)),$(BUILD)/collector $(BUILD)/sensor) $(BUILD)/test/web_judge
	BUILD=$(BUILD) tests/web.sh

tls-matrix: setup-tls-matrix ## TLS: both versions of mbedTLS and both roles with OpenSSL, Go, mbedTLS, nginx, their versions, certificates and CA bundles: all
	$(MAKE) $J BUILD=$(BUILD) all
	CC="$(CC)" BUILD=$(BUILD) tests/tls_matrix.sh all
.PHONY: tls-matrix

conformance: setup-conformance ## h2spec in strict mode (needs a Go toolchain), protobuf's conformance runners
	$(MAKE) $J BUILD=$(BUILD) all
	CC="$(CC)" BUILD=$(BUILD) tests/pb/conformance.sh
	BUILD=$(BUILD) tests/conformance.sh

.PHONY: corpus
corpus: setup-corpus ## public .proto files by the thousand, a seeded tenth of them (ALL=1: all); SEED=2 takes another
	$(MAKE) $J BUILD=$(BUILD) $(BUILD)/protoc-gen-mote
	BUILD=$(BUILD) ALL=$(ALL) SEED=$(or $(SEED),1) /usr/bin/python3 -W ignore tests/pb/corpus.py

.PHONY: wild
wild: setup-corpus ## .proto files composed at random of what is odd, 200 sets of them; SEED=1000 takes others
	$(MAKE) $J BUILD=$(BUILD) $(BUILD)/protoc-gen-mote
	/usr/bin/python3 tests/pb/wild.py $(BUILD)/protoc-gen-mote $(BUILD)/wild $(or $(SEED),1) $(or $(COUNT),200)

size: setup-size ## flash, RAM, stack and work for Cortex-M0 and M4, beside the limits of tests/size.txt; UPDATE=1 writes them
	$(MAKE) $J BUILD=$(BUILD) size-programs
	BUILD=$(BUILD) UPDATE=$(UPDATE) tests/size.sh

ram: ## the bill of RAM for sizes of yours: CONFIG="max_calls=1 rx_size=256 tx_size=512"; RAM_CC="arm-none-eabi-gcc -mcpu=cortex-m0"
	@CC="$(CC)" packages/ram.sh "$(CONFIG)"
.PHONY: ram

demo-mcu: setup-firmware ## two emulated boards stream into a collector, and a client calls a third; DURATION=10 seconds
	$(MAKE) $J BUILD=$(BUILD) all
	BUILD=$(BUILD) DURATION=$(DURATION) examples/firmware/demo-mcu.sh

firmware-test: setup-firmware ## sensor and device as firmware on seven emulated boards, with grpcio over serial lines, TLS and PPP
	$(MAKE) $J BUILD=$(BUILD) all
	BUILD=$(BUILD) BOARDS="microbit mps2-an385 virt" tests/firmware/costs.sh
	BUILD=$(BUILD) tests/lwip.sh
	BUILD=$(BUILD) tests/ppp.sh
	BUILD=$(BUILD) tests/firmware.sh

firmware-costs: setup-firmware ## what a sample and a handshake cost each board, plain and over TLS: the table of docs/firmware.md
	BUILD=$(BUILD) tests/firmware/costs.sh
.PHONY: firmware-costs

coverage: setup-coverage ## lines and branches of the core that the tests reach
	$(MAKE) $J BUILD=$(BUILD) coverage-programs
	BUILD=$(BUILD) tests/coverage.sh

mutator: $(BUILD)/libmote-mutator.so ## fuzz/mutator.c as a shared library for AFL++

$(BUILD)/libmote-mutator.so: $(wildcard fuzz/mutator*.[ch] hpack/*.[ch])
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -std=c11 $(CFLAGS) -fPIC -shared $(MUTATOR) hpack/*.c -o $@

# For those who fuzz: where a server differs, and conversations as text, recorded and replayed.
fuzz-tools: setup-fuzz $(BUILD)/mote-differ $(BUILD)/mote-frames ## mote-differ: where a server of yours differs from mote; mote-frames: conversations as text, recorded, replayed
.PHONY: fuzz-tools fuzz-differ
fuzz-differ: fuzz-tools all ## mote-differ with libnghttp2, Go, Node, nginx and grpcio, RUNS=500 mutants each; what it finds goes to build/differ/: minutes
	BUILD=$(BUILD) tests/interop/differ.sh
$(BUILD)/mote-differ: fuzz/mote_differ.c $(DIFFER) fuzz/differ_nghttp2.c fuzz/differ_socket.c $(MUTATOR) $(LIB) $(wildcard fuzz/*.h)
	$(call say,LD,$@)$(CC) -std=c11 $(CFLAGS) $(filter %.c %.a,$^) -o $@ -lnghttp2
$(BUILD)/mote-frames: fuzz/mote_frames.c $(wildcard fuzz/recorder_*.c) $(FRAMES) fuzz/differ_socket.c fuzz/differ_read.c $(LIB) $(wildcard fuzz/*.h)
	$(call say,LD,$@)$(CC) -std=c11 $(CFLAGS) $(filter %.c %.a,$^) -o $@

fuzz-smoke: setup-fuzz ## every fuzz target for SECONDS_EACH=30
	$(MAKE) $J BUILD=$(BUILD) fuzz-programs
	$(MAKE) $J BUILD=$(BUILD) fuzz-tools
	BUILD=$(BUILD) tests/fuzz.sh

fuzz-oss: setup-fuzz ## the fuzz targets as OSS-Fuzz builds them, with each sanitizer, each run alone: five minutes
	tests/oss_fuzz.sh
.PHONY: fuzz-oss fuzz-speed
fuzz-speed: ## snapshots restored and run a second, without sanitizers
	@mkdir -p $(BUILD)/test
	$(CC) -std=c11 -O2 -I. tests/bench/fuzz_loops.c examples/services/orders.mote.c $(MUTATOR) $(HPACK) $(H2) $(GRPC) $(PB) -o $(BUILD)/test/fuzz_loops
	$(BUILD)/test/fuzz_loops

test-arch: setup-arch ## the unit tests as programs of x86-32, armhf, riscv64 and s390x
	$(MAKE) $J BUILD=$(BUILD) arch-programs
	BUILD=$(BUILD) tests/arch.sh

house: all $(HOUSE:%.c=$(BUILD)/obj/%.o) ## no arrow up or sideways, no circle, no text that no test reads, in tls/ no name that a version of mbedTLS lacks, and no name twice: all of it compiles as one unit
	tests/house.py $(BUILD)/obj $(HOUSE)
	tests/texts.py
	tests/tls_names.py
	@$(list_sources) | diff - packages/sources.txt || { echo 'please run: make sources'; exit 1; }
	@{ echo '#define _GNU_SOURCE'; printf '#include "%s"\n' $(filter-out $(PLUGIN),$(HOUSE)); } >$(BUILD)/one.c
	$(CC) -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -I. -fsyntax-only $(BUILD)/one.c

lint: setup-lint ## clang-format, clang-tidy with CERT's rules, gcc's analyzer, cppcheck, MISRA C:2012, shellcheck, and the house
	$(MAKE) BUILD=$(BUILD) -j2 -k --output-sync lint-files lint-cppcheck lint-misra lint-analyzer house

setup-%:
	@tests/setup.sh $*

everything: ## all of the above, nothing sampled: hours
	$(MAKE) $J BUILD=$(BUILD) all unit
	for t in test size lint test-arch coverage conformance interop interop-otel tls-memory tls-matrix firmware-test bench mutants; do $(MAKE) BUILD=$(BUILD) $$t || exit 1; done
	SIZES=1073741824 BUILD=$(BUILD) tests/interop/http.sh
	$(MAKE) BUILD=$(BUILD) corpus ALL=1
	$(MAKE) BUILD=$(BUILD) fuzz-smoke SECONDS_EACH=600 AFL_SECONDS=110

# For clangd and the like: $(BUILD) is where they look for it.
compile_commands.json: $(BUILD)/compile_commands.json ## how each source is compiled, for editors, under build/
$(BUILD)/compile_commands.json: Makefile $(HOUSE) $(LINT_FILES)
	@mkdir -p $(@D)
	@for f in $(HOUSE) $(filter-out $(HOUSE),$(filter %.c,$(LINT_FILES))); do \
	    printf '{"directory": "%s", "file": "%s", "command": "$(CC) -std=c11 $(WARNINGS) -I. -Itests/interop -c %s"},\n' "$(CURDIR)" $$f $$f; \
	done | sed '1s/^/[/; $$s/,$$/]/' >$@
.PHONY: everything compile_commands.json

# ---- packages

INSTALLED := protoc-gen-mote $(filter mote-%,$(PROGRAMS))
# What CMake installs as well: packages/*.pc.in, packages/cmake/.
fill_pc = sed -e 's|@prefix@|$(PREFIX)|; s|@libdir@|lib|; s|@version@|$(VERSION)|; s|@tls@|$(TLS_LIBRARIES)|' packages/$1.pc.in >$(DESTDIR)$(PREFIX)/lib/pkgconfig/$1.pc

install: $(LIB) $(TLS_LIB) $(INSTALLED:%=$(BUILD)/%) ## headers, libraries, plugin, tools with their manual pages, files for pkg-config and CMake, under PREFIX and DESTDIR
	@for h in $(HEADERS); do install -D -m 644 $$h $(DESTDIR)$(PREFIX)/include/mote/$$h || exit 1; done
	@install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib $(LIB) $(TLS_LIB)
	@install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $(INSTALLED:%=$(BUILD)/%)
	@mkdir -p $(DESTDIR)$(PREFIX)/share/man/man1
	@for p in $(INSTALLED); do packages/man.sh $(BUILD)/$$p $(VERSION) >$(DESTDIR)$(PREFIX)/share/man/man1/$$p.1 || exit 1; done
	@install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib/cmake/mote packages/cmake/*.cmake
	@mkdir -p $(DESTDIR)$(PREFIX)/lib/pkgconfig
	@$(call fill_pc,mote)
	@$(call fill_pc,mote-tls)
	@echo "installed under $(DESTDIR)$(PREFIX)"

list_sources = { echo '\# What the library is made of, a group and a path. Written by `make sources`; `make house` holds it against the Makefile.'; \
    printf '%s\n' $(PACKAGED) | tr @ ' '; }
sources: ## writes packages/sources.txt, for a source or header that is new
	@$(list_sources) >packages/sources.txt
.PHONY: sources

packages-test: setup-packages ## ways to get mote: amalgamation, dist, CMake, Meson, pkg-config and others, each beside grpcio; 3 minutes
	$(MAKE) $J BUILD=$(BUILD) all
	CC="$(CC)" BUILD=$(BUILD) tests/packages.sh
packages-root: setup-root ## the quick start, the tutorial and packages-test in an empty root (debootstrap), as root; 5 minutes
	BUILD=$(BUILD) tests/packages_root.sh
.PHONY: packages-test packages-root

dist: ## archives of the last commit under build/dist/: source, amalgamation, bill of materials (SPDX), checksums
	@BUILD=$(BUILD) VERSION=$(VERSION) packages/dist.sh

release: ## VERSION=1.2.3: checks, the version everywhere, a commit, a tag, make dist; CHECKS="make unit" for others than all tests
	@BUILD=$(BUILD) VERSION=$(if $(filter command,$(firstword $(origin VERSION))),$(VERSION)) packages/release.sh
.PHONY: release

clean: ## removes build/
	rm -rf $(BUILD)

help: ## this list
	@sed -nE 's/^([a-z_.-]+):.*## /\1\t/p' $(filter %Makefile %.mk,$(MAKEFILE_LIST)) | \
	    awk -F '\t' '{ printf "  %-22s %s\n", $$1, $$2 }'
