# The test programs, as rules: each variant (plain, sanitizers, small, coverage, another machine, a fuzzer) has its objects, its
# library and its programs below $(BUILD)/VARIANT, and only what has changed is built again.
#
#   make unit              all tests that run in-process, with -DMOTE_CHECK, in seconds
#   make unit TEST=h2      the test programs whose name contains it
#   make unit TEST=window_updates_are_sent    one test, by the name of its function
#   make unit-asan, unit-small                the same with sanitizers, and with what firmware leaves out

# ---- what the programs are made of: sources beside the library, then flags of their own

# Those of TLS are run by tests/tls.sh; test_features is for programs that have but one role.
UNITS := $(filter-out tls tls_% features mutator mutator_ways differ differ_nghttp2 red_zones,$(patsubst tests/unit/test_%.c,%,$(sort $(wildcard tests/unit/test_*.c))))
FUZZ := hpack huffman h2 pair flate text http1 outbox serial
MUTATOR := $(sort $(wildcard fuzz/mutator*.c))
# Layers of tests/mutants/planted.py.
OUTBOX := grpc/services/outbox.c $(sort $(wildcard grpc/services/spool*.c))
SERIAL := port/serial/serial.c
parts_test_mutator := tests/unit/test_mutator.c $(MUTATOR)
parts_test_mutator_ways := tests/unit/test_mutator_ways.c $(MUTATOR) fuzz/schema.mote.c fuzz/schema3.mote.c
# The differential mode; that with libnghttp2 apart, since not each machine has it.
FRAMES := $(sort $(wildcard fuzz/frames_*.c))
DIFFER := fuzz/differ.c fuzz/differ_echo.c fuzz/differ_grpc.c fuzz/differ_h2.c fuzz/differ_read.c fuzz/differ_rules.c fuzz/differ_seeds.c $(FRAMES)
parts_test_differ := tests/unit/test_differ.c $(DIFFER) $(MUTATOR)
parts_test_differ_nghttp2 := tests/unit/test_differ_nghttp2.c $(DIFFER) fuzz/differ_nghttp2.c $(MUTATOR)
libraries_test_differ_nghttp2 := -lnghttp2
parts_fuzz_differ := fuzz/fuzz_differ.c $(DIFFER) fuzz/differ_nghttp2.c fuzz/standalone.c
libraries_fuzz_differ := -lnghttp2
libraries_fuzz_fuzz_differ := -lnghttp2
parts_replay := tests/golden/replay.c tests/peers/peer_service.c
parts_wire := $(addprefix tests/golden/,wire.c wire_frames.c wire_h2.c wire_grpc.c wire_arguments.c wire_services.c wire_channel.c wire_parts.c wire_lean.c) \
              fuzz/schema.mote.c fuzz/schema3.mote.c
parts_peer_server := tests/peers/peer_server.c tests/peers/peer_service.c
parts_peer_client := tests/peers/peer_client.c tests/peers/modem_line.c
parts_attack_local := tests/attack/local.c tests/attack/attacks.c
parts_attack_work := tests/attack/work.c examples/services/orders.mote.c fuzz/schema.mote.c fuzz/schema3.mote.c
parts_attack_entries := tests/attack/entries.c examples/fleet/sources.c
parts_attack_programs := tests/attack/programs.c examples/services/chat_server.c examples/services/chat.mote.c \
                         $(addprefix examples/device/,device.c device_service.c device.mote.c) \
                         $(addprefix examples/fleet/,collector_about.c collector_view.c sources.c telemetry.mote.c)
parts_attack_loop := tests/attack/loop.c $(addprefix port/posix/,loop.c watch_epoll.c watch_poll.c system.c mailbox.c ears.c timers.c error.c trace.c)
parts_attack_server := tests/attack/server.c $(addprefix port/posix/,server.c slot.c loans.c workers.c engine.c loop.c watch_epoll.c watch_poll.c system.c mailbox.c ears.c timers.c error.c trace.c)
parts_fuzz_pb := fuzz/fuzz_pb.c fuzz/schema.mote.c fuzz/schema3.mote.c fuzz/standalone.c
parts_fuzz_service := examples/fuzz/fuzz_service.c examples/services/orders.mote.c $(MUTATOR) fuzz/standalone.c
parts_fuzz_server := fuzz/fuzz_grpc.c fuzz/standalone.c tests/peers/peer_service.c
parts_fuzz_client := fuzz/fuzz_grpc_client.c fuzz/standalone.c tests/peers/peer_service.c
$(foreach t,$(UNITS),$(eval parts_test_$t := tests/unit/test_$t.c))
parts_test_channel_messages += examples/tour/tour.mote.c
parts_test_sensor += examples/fleet/sensor_core.c examples/fleet/telemetry.mote.c
parts_test_sensor_calls += examples/fleet/sensor_core.c examples/fleet/telemetry.mote.c
# They include sources with red zones.
parts_test_red_zones := tests/unit/test_red_zones.c fuzz/schema3.mote.c
parts_test_pb_board += tests/unit/pb_board.c
parts_test_pb_walk += fuzz/schema.mote.c fuzz/schema3.mote.c
parts_test_sizes += fuzz/schema3.mote.c
parts_test_pb_resume += fuzz/schema.mote.c fuzz/schema3.mote.c
parts_test_pb_comfort += fuzz/schema.mote.c fuzz/schema3.mote.c
parts_test_pb_why += fuzz/schema.mote.c fuzz/schema3.mote.c
JSON_MESSAGES := tests/json/json.mote.c $(patsubst %,tests/json/google/protobuf/%.mote.c,any duration field_mask struct timestamp wrappers)
parts_test_json += $(JSON_MESSAGES)
parts_attack_texts := tests/attack/texts.c $(JSON_MESSAGES)
parts_fuzz_json := fuzz/fuzz_json.c $(JSON_MESSAGES) fuzz/standalone.c
parts_test_json_limits += $(JSON_MESSAGES)
parts_fuzz_connect := fuzz/fuzz_connect.c tests/web/hello.mote.c fuzz/standalone.c
parts_test_connect += tests/web/hello.mote.c
parts_test_page += tests/web/hello.mote.c
parts_test_connect_streams += tests/web/hello.mote.c
parts_test_connect_http1 += tests/web/hello.mote.c
$(foreach t,$(FUZZ),$(eval parts_fuzz_$t := fuzz/fuzz_$t.c fuzz/standalone.c))

IN_PROCESS := $(UNITS:%=test_%) test_mutator test_mutator_ways test_differ replay wire attack_local attack_work $(FUZZ:%=fuzz_%) fuzz_pb fuzz_json fuzz_connect fuzz_service fuzz_server fuzz_client

# port/freertos over a double of FreeRTOS.
parts_test_freertos := tests/unit/test_freertos.c tests/unit/freertos_double/double.c port/freertos/freertos.c

# ---- programs that need more than the library

TLS_FILES := $(filter-out tls/absent.c,$(sort $(wildcard tls/*.c)))
parts_h2_server_plain := examples/tools/h2_server.c tls/absent.c port/posix/tls.c
parts_fuzz_tls := fuzz/fuzz_tls.c fuzz/standalone.c $(TLS_FILES)
libraries_fuzz_tls := -lmbedtls -lmbedx509 -lmbedcrypto
parts_fuzz_nghttp2 := fuzz/fuzz_nghttp2.c fuzz/standalone.c
libraries_fuzz_nghttp2 := -lnghttp2
parts_fuzz_zlib := fuzz/fuzz_zlib.c fuzz/standalone.c
libraries_fuzz_zlib := -lz
parts_test_features := tests/unit/test_features.c

# ---- variants

# $(call variant,NAME,CC,FLAGS,PROGRAMS,FLAGS FOR THE LINKER,SOURCES): the library of SOURCES, those of the core if there
# are none, and programs; PROGRAMS_NAME is what was built.
define variant
$(BUILD)/$1/obj/%.o: %.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)$2 -std=c11 -MMD -MP $3 -c $$< -o $$@
$(BUILD)/$1/libmote.a: $$(patsubst %.c,$(BUILD)/$1/obj/%.o,$(or $6,$(CORE) $(POSIX) $(LINES)))
	@rm -f $$@
	$$(call say,AR,$$@)$(AR) rcs $$@ $$^
PROGRAMS_$1 := $(4:%=$(BUILD)/$1/%)
$(foreach p,$4,$(eval $(call variant_program,$1,$p,$2,$5)))
endef
# $(call variant_program,VARIANT,NAME,CC,FLAGS FOR THE LINKER)
define variant_program
$(BUILD)/$1/$2: $(patsubst %.c,$(BUILD)/$1/obj/%.o,$(or $(parts_$1_$2),$(parts_$2))) $(BUILD)/$1/libmote.a
	$$(call say,LD,$$@)$3 $4 $$^ -o $$@ $(libraries_$2)
endef

CHECKED := -O1 -g -Wall -Wextra -Werror -DMOTE_CHECK -I$(BUILD)/docs
# The C code that pages of docs/ show, for the tests that run it.
$(BUILD)/docs/%.h: docs/%.md
	@mkdir -p $(@D)
	$(call say,DOCS,$@)awk '/^```c$$/ { on = 1; next } /^```$$/ { on = 0 } on' $< >$@
$(foreach v,unit asan small,$(eval $(BUILD)/$v/obj/tests/unit/test_docs.o: $(BUILD)/docs/transports.h $(BUILD)/docs/web.h $(BUILD)/docs/otlp.h))
JSON_TESTS := $(JSON_MESSAGES) tests/unit/test_json.c tests/unit/test_json_limits.c fuzz/fuzz_json.c tests/attack/texts.c
$(foreach f,$(JSON_TESTS:%.c=%),$(BUILD)/%/obj/$f.o $(BUILD)/lint/$f.c.tidy): export CPATH := .:tests/json
$(foreach f,tests/unit/test_connect tests/unit/test_connect_streams tests/unit/test_connect_http1 tests/unit/test_page fuzz/fuzz_connect tests/web/hello.mote,$(BUILD)/%/obj/$f.o $(BUILD)/lint/$f.c.tidy): export CPATH := .
# port/lwip is compiled by its test, over a double of lwIP.
$(BUILD)/%/obj/tests/unit/test_lwip.o $(BUILD)/lint/tests/unit/test_lwip.c.tidy: export CPATH := tests/unit/lwip_double
FREERTOS_DOUBLE := $(foreach f,tests/unit/test_freertos port/freertos/freertos,$(BUILD)/%/obj/$f.o $(BUILD)/lint/$f.c.tidy)
$(FREERTOS_DOUBLE): export CPATH := tests/unit/freertos_double
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all
# `make unit` is what one waits for: its library but pb/ is two units, which compile in a third of the time of 70 files, and its tests
# are not optimized. That each file compiles alone is seen by `make all`, with these warnings and more.
unit_engine := $(HPACK) $(H2) $(GRPC)
unit_others := $(CHANNEL) $(CODEC) $(WEB_SOURCES) $(SERVICES) $(POSIX) $(LINES)
$(BUILD)/unit/obj/tests/%.o: CHECKED += -O0
$(BUILD)/unit/obj/tests/unit/test_pb_%.o $(BUILD)/unit/obj/tests/attack/work.o: CHECKED += -O1 # they include sources
$(eval $(call variant,unit,$(CC),$$(CHECKED),$(IN_PROCESS),,engine.c others.c $(PB) $(JSON)))
$(BUILD)/unit/engine.c: $(sort $(dir $(unit_engine)))
$(BUILD)/unit/others.c: $(sort $(dir $(unit_others)))
$(BUILD)/unit/engine.c $(BUILD)/unit/others.c: Makefile tests/tests.mk
	@mkdir -p $(@D)
	@{ echo '#define _GNU_SOURCE'; printf '#include "%s"\n' $(unit_$(basename $(@F))); } >$@
$(BUILD)/unit/obj/%.o: $(BUILD)/unit/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) -std=c11 -MMD -MP $(CHECKED) -I. -c $< -o $@
$(eval $(call variant,asan,$(CC),$(CHECKED) $(SANITIZERS),$(IN_PROCESS) test_red_zones test_differ_nghttp2 fuzz_tls fuzz_nghttp2 fuzz_zlib peer_server peer_client h2_server_plain,$(SANITIZERS)))

# Steps are counted: each basic block of the library calls the test.
STEPS := -fsanitize-coverage=trace-pc
parts_attack_fair := tests/attack/fair.c
$(eval $(call variant,counted,$(CC),-O1 -g -Wall -Wextra -Werror $$(STEPS),attack_fair attack_work attack_entries attack_programs attack_texts attack_loop attack_server,,$(CORE)))
$(BUILD)/counted/obj/tests/attack/%.o: STEPS :=
$(BUILD)/counted/obj/examples/services/chat_server.o: STEPS += -Dmain=chat_server
$(BUILD)/counted/obj/examples/device/device.o: STEPS += -Dmain=device

# Loops over poll(), as on a system that is not Linux, and what musl's compiler makes of it, also without what it has of Linux
# alone: run on demand.
ON_POLL := $(filter-out test_docs test_loop_virtual test_loop_limits test_server_virtual test_server_ends test_dial_virtual test_workers_virtual attack_work test_mutator test_mutator_ways,$(IN_PROCESS))
$(eval $(call variant,poll,$(CC),$(CHECKED) $(SANITIZERS) -DMOTE_POSIX_POLL=1,$(ON_POLL),$(SANITIZERS)))
MUSL_CC ?= musl-gcc
$(eval $(call variant,musl,$(MUSL_CC),$(CHECKED) -Wno-format-overflow,$(filter-out fuzz_% attack_local,$(ON_POLL))))
$(eval $(call variant,musl-poll,$(MUSL_CC),$(CHECKED) -DMOTE_POSIX_POLL=1 -U__linux__,$(filter test_posix% test_loop test_server test_served test_dial test_workers test_mailbox test_agent,$(ON_POLL))))

# Threads that share a connection: who touches what without a lock is seen also where it went well.
$(eval $(call variant,tsan,$(CC),$(CHECKED) -fsanitize=thread,test_agent test_dial test_workers test_mailbox test_freertos,-fsanitize=thread,$(CORE) $(POSIX)))

# What firmware leaves out (h2/mote_features.h); hpack alone is a part of `make unit`.
SMALL := -DMOTE_HPACK_SMALL -DMOTE_NO_TEXTS -DMOTE_NO_COMPRESSION -DMOTE_SMALL_TX
$(eval $(call variant,unit-hpack-small,$(CC),$(CHECKED) -DMOTE_HPACK_SMALL,test_hpack test_hpack_encode test_hpack_limits test_hpack_values test_hpack_table test_hpack_valid fuzz_hpack,,$(HPACK)))
$(eval $(call variant,small,$(CC),$(CHECKED) $(SANITIZERS) $(SMALL),$(filter-out test_h2_repeat test_mutator test_mutator_ways test_differ test_serial fuzz_flate fuzz_huffman fuzz_outbox fuzz_serial,$(IN_PROCESS)),$(SANITIZERS)))
$(eval $(call variant,small-client,$(CC),$(CHECKED) $(SANITIZERS) $(SMALL) -DMOTE_CLIENT_ONLY,replay wire fuzz_client peer_client,$(SANITIZERS)))
$(eval $(call variant,small-server,$(CC),$(CHECKED) $(SANITIZERS) $(SMALL) -DMOTE_NO_DOOR -DMOTE_SERVER_ONLY,replay wire fuzz_server peer_server,$(SANITIZERS)))
$(eval $(call variant,least,$(CC),$(CHECKED) $(SANITIZERS) $(SMALL) -DMOTE_NO_METADATA -DMOTE_CLIENT_ONLY,test_features,$(SANITIZERS)))
# With exactly what `make size` measures (LEAN and SIZE_FLAGS of tests/size.mk), to talk to grpcio.
$(eval $(call variant,measured,$(CC),$(CHECKED) $(SANITIZERS) $(SMALL) -DMOTE_NO_METADATA -DMOTE_NO_DOOR -DMOTE_PB_DEPTH=4 -DMOTE_PB_GROUPS=8 -DMOTE_CLIENT_ONLY,peer_client,$(SANITIZERS)))
SMALL_PROGRAMS := $(foreach v,least small small-client small-server,$(filter-out %/peer_client %/peer_server,$(PROGRAMS_$v)))

# Lines and branches.
$(eval $(call variant,cov,gcc,-O0 -g --coverage -fprofile-update=atomic,$(filter-out test_docs fuzz_%,$(IN_PROCESS)),--coverage))

# Other machines, by cross compilers and qemu-user.
ARCHS := x86-32 armhf riscv64 s390x
cc_x86-32 := gcc -m32
cc_armhf := arm-linux-gnueabihf-gcc
cc_riscv64 := riscv64-linux-gnu-gcc
cc_s390x := s390x-linux-gnu-gcc
ON_ARCHS := $(filter-out fuzz_% test_posix test_posix_io test_posix_virtual test_loop_virtual test_loop_limits test_posix_trace test_posix_engines test_peer test_agent test_freertos test_server test_server_virtual test_server_ends test_dial_virtual test_workers_virtual test_workers test_resident test_mailbox test_served test_serial_served test_loop test_timers test_dial test_docs test_mutator test_mutator_ways test_differ attack_local attack_work,$(IN_PROCESS))
$(foreach a,$(ARCHS),$(eval $(call variant,arch-$a,$(cc_$a),-O1 -DREPLAY_ONLY,$(ON_ARCHS),-static,$(CORE) $(LINES) $(filter %/strerror.c,$(POSIX)))))

# libFuzzer and AFL++. What one side of a connection says is three bytes of choices, then preface and frames.
FUZZERS := hpack huffman text zlib nghttp2 h2 differ service server client flate pair tls pb json http1 connect outbox serial
mutator_h2 := $(MUTATOR)
mutator_server := $(mutator_h2)
mutator_client := $(mutator_h2)
mutator_differ := $(mutator_h2)
$(foreach t,$(FUZZERS),$(eval parts_fuzz_fuzz_$t := $(filter-out fuzz/standalone.c $(MUTATOR),$(parts_fuzz_$t)) $(mutator_$t)))
parts_fuzz_fuzz_service += $(MUTATOR)
$(eval $(call variant,fuzz,clang,-g -O1 $(SANITIZERS) -fsanitize=fuzzer-no-link -DMOTE_CHECK -DMOTE_RED_ZONES,$(FUZZERS:%=fuzz_%),$(SANITIZERS) -fsanitize=fuzzer))
parts_afl_fuzz_h2 := fuzz/fuzz_h2.c
$(eval $(call variant,afl,AFL_QUIET=1 afl-clang-fast,-O1 -DMOTE_CHECK,fuzz_h2,-fsanitize=fuzzer))

# For the promises of the design (tests/promises.sh): what the core needs of libc, and who calls whom.
$(eval $(call variant,freestanding,$(CC),-O2 -ffreestanding -fno-pic -fno-stack-protector,,,$(CORE)))
$(eval $(call variant,calls,$(CC),-O1 -fno-inline -fno-optimize-sibling-calls -Wvla -Walloca -Werror -save-temps=obj,,,$(CORE)))

# What a source includes, for the variants that the goals build: to read it for all of them takes longer than most tests.
QUICK_GOALS := all unit house help print-%
variants_read := $(if $(filter-out $(QUICK_GOALS),$(MAKECMDGOALS)),*,$(if $(filter unit,$(MAKECMDGOALS)),unit unit-hpack-small $(if $(TEST),counted)))
-include $(if $(variants_read),$(shell find $(variants_read:%=$(BUILD)/%/obj) -name '*.d' 2>/dev/null))

# ---- what people run

# Ten seconds for all of them; what is counted takes as long alone, and is run by its name and by `make test`.
UNIT_PROGRAMS := $(PROGRAMS_unit) $(PROGRAMS_unit-hpack-small) $(if $(TEST),$(PROGRAMS_counted))
TEST ?=
# Programs of that name; if there are none, those that have a test of that name.
ifneq ($(TEST),)
chosen := $(foreach p,$(UNIT_PROGRAMS),$(if $(findstring $(TEST),$p),$p))
ifeq ($(strip $(chosen)),)
chosen := $(filter $(UNIT_PROGRAMS),$(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(shell grep -lE '(RUN\($(TEST)\)|"$(TEST)")' tests/unit/*.c)))
only := ONLY="$(TEST)"
endif
endif
unit: $(if $(TEST),$(chosen),$(UNIT_PROGRAMS)) ## unit tests, golden conversations, attacks and corpora, in seconds; TEST=NAME: of that name
	@$(only) tests/unit.sh $^
ASAN_PROGRAMS := $(filter-out %/peer_server %/peer_client %/h2_server_plain,$(PROGRAMS_asan))
unit-asan: $(ASAN_PROGRAMS) ## the same with sanitizers
	@tests/unit.sh $^
unit-small: $(SMALL_PROGRAMS) ## the same for the small builds, with sanitizers: no texts, no compression, one role
	@tests/unit.sh $^
unit-poll: $(PROGRAMS_poll) ## the same with loops over poll() in place of epoll, with sanitizers; on demand
	@FLEET=2000 tests/unit.sh $^
unit-musl: $(PROGRAMS_musl) $(PROGRAMS_musl-poll) ## the same with musl's compiler (package musl-tools), over epoll and over poll(); on demand
	@FLEET=2000 tests/unit.sh $^
.PHONY: unit unit-asan unit-small unit-poll unit-musl

# Bounds on processor time are for programs as people build them.
$(BUILD)/test/attack_plain: $(BUILD)/obj/tests/attack/local.o $(BUILD)/obj/tests/attack/attacks.o $(LIB)
$(BUILD)/test/attack_loopback: $(BUILD)/obj/tests/attack/loopback.o $(BUILD)/obj/tests/attack/attacks.o
$(BUILD)/test/attack_plain $(BUILD)/test/attack_loopback:
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $^ -o $@
$(BUILD)/obj/tests/attack/%.o: MOTE_CFLAGS := -std=c11 -Wall -Wextra -Wno-unused-result -MMD -MP
# Instructions of calls and messages, of the library as people build it, beside tests/bench/counts.txt.
$(BUILD)/test/counts: $(BUILD)/obj/tests/bench/counts.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $^ -o $@
$(BUILD)/obj/tests/bench/counts.o: MOTE_CFLAGS := -std=c11 -Wall -Wextra -Werror -MMD -MP -DCOUNTS_CFLAGS='"$(CFLAGS)"'
.PHONY: counts
counts: $(BUILD)/test/counts ## instructions of a call and of messages on this machine, written to tests/bench/counts.txt
	$< tests/bench/counts.txt update
# What differential.py holds against h11.
$(BUILD)/test/web_judge: tests/web/judge.c fuzz/http1_reader.h $(filter grpc/web/http1%,$(WEB_SOURCES)) $(GRPC) $(H2) $(HPACK)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -std=c11 -O1 -g -DMOTE_CHECK $(SANITIZERS) $(filter %.c,$^) -o $@
$(BUILD)/test/flate.so: $(CODEC)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -shared -fPIC -O2 -std=c11 $^ -o $@

# What tests/run.sh runs.
test-programs: $(BUILD)/mote-differ $(BUILD)/mote-frames $(PROGRAMS_asan) $(PROGRAMS_counted) $(PROGRAMS_tsan) $(foreach v,least measured small small-client small-server,$(PROGRAMS_$v)) $(BUILD)/test/flate.so \
               $(BUILD)/test/attack_plain $(BUILD)/test/attack_loopback $(BUILD)/test/counts $(BUILD)/freestanding/libmote.a $(BUILD)/calls/libmote.a
coverage-programs: $(PROGRAMS_cov)
arch-programs: $(foreach a,$(ARCHS),$(PROGRAMS_arch-$a))
fuzz-programs: $(PROGRAMS_fuzz) $(PROGRAMS_afl) mutator
.PHONY: test-programs coverage-programs arch-programs fuzz-programs

# ---- mutants

SEED ?= 1
COUNT ?= 150
LAYER ?= core
mutants: ## small changes of the sources that the tests should notice; SEED=1 COUNT=150 (0: all) LAYER=h2
	CC="$(CC)" BUILD=$(BUILD) python3 tests/mutants/run.py --seed $(SEED) --count $(COUNT) --layer $(LAYER)
mutants-sample: ## 300 of them, which the commit chooses, and tests/mutants/killed.txt: at least 95% are noticed
	CC="$(CC)" BUILD=$(BUILD) python3 tests/mutants/run.py --sample --count 300
fuzz-planted: setup-fuzz ## mutants that SEED=1 draws, EACH=6 of a layer: how many the fuzz targets find in CPU=60 seconds; up to half an hour
	$(MAKE) $J BUILD=$(BUILD) fuzz-programs
	BUILD=$(BUILD) python3 tests/mutants/planted.py --seed $(SEED) --each $(or $(EACH),6) --cpu $(or $(CPU),60)
.PHONY: mutants mutants-sample fuzz-planted

# ---- proofs

proofs: ## CBMC shows for all inputs that parsers stay in their bounds: tests/proofs/
	@BUILD=$(BUILD) tests/proofs/run.sh
.PHONY: proofs
