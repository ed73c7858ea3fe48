# The test programs, as rules: each variant (plain, sanitizers, coverage, another machine) has its objects, its library and its
# programs in a folder of its own, and only what has changed is built again.
#
#   make unit              all tests that run in-process, with -DMOTE_CHECK, in seconds
#   make unit TEST=h2      the test programs whose name contains it

# ---- what the programs are made of: sources beside the library, then flags of their own

UNITS := hpack hpack_limits h2 h2_rules h2_limits h2_owed h2_send trace pb grpc channel life outbox posix
FUZZ := hpack huffman h2 pair flate
parts_test_mutator := tests/unit/test_mutator.c fuzz/mutator.c fuzz/mutator_headers.c
parts_test_serial := tests/unit/test_serial.c port/serial/serial.c
parts_replay := tests/golden/replay.c tests/peers/peer_service.c
parts_wire := $(addprefix tests/golden/,wire.c wire_frames.c wire_h2.c wire_grpc.c wire_channel.c wire_parts.c) \
              fuzz/schema.mote.c fuzz/schema3.mote.c
parts_peer_server := tests/peers/peer_server.c tests/peers/peer_service.c
parts_peer_client := tests/peers/peer_client.c
parts_attack_local := tests/attack/local.c tests/attack/attacks.c
parts_fuzz_pb := fuzz/fuzz_pb.c fuzz/schema.mote.c fuzz/schema3.mote.c fuzz/standalone.c
parts_fuzz_server := fuzz/fuzz_grpc.c fuzz/standalone.c tests/peers/peer_service.c
parts_fuzz_client := fuzz/fuzz_grpc_client.c fuzz/standalone.c tests/peers/peer_service.c
$(foreach t,$(UNITS),$(eval parts_test_$t := tests/unit/test_$t.c))
$(foreach t,$(FUZZ),$(eval parts_fuzz_$t := fuzz/fuzz_$t.c fuzz/standalone.c))

IN_PROCESS := $(UNITS:%=test_%) test_mutator test_serial replay wire attack_local $(FUZZ:%=fuzz_%) fuzz_pb fuzz_server fuzz_client

# ---- variants

# $(call variant,NAME,CC,FLAGS,SOURCES): objects, and the library of SOURCES, below $(BUILD)/NAME.
define variant
$(BUILD)/$1/obj/%.o: %.c
	@mkdir -p $$(@D)
	$2 -std=c11 -MMD -MP $3 -c $$< -o $$@
$(BUILD)/$1/libmote.a: $(4:%.c=$(BUILD)/$1/obj/%.o)
	@rm -f $$@
	$(AR) rcs $$@ $$^
-include $(shell find $(BUILD)/$1/obj -name '*.d' 2>/dev/null)
endef

# $(call test_program,VARIANT,NAME,CC,FLAGS)
define test_program
$(BUILD)/$1/$2: $(parts_$2:%.c=$(BUILD)/$1/obj/%.o) $(BUILD)/$1/libmote.a
	$3 $4 $$^ -o $$@
endef

UNIT_FLAGS := -O1 -g -Wall -Wextra -Werror -DMOTE_CHECK
$(eval $(call variant,unit,$(CC),$(UNIT_FLAGS),$(CORE) $(POSIX)))
$(foreach p,$(IN_PROCESS),$(eval $(call test_program,unit,$p,$(CC),)))
# The small build of hpack, which has code of its own.
$(eval $(call variant,unit-small,$(CC),$(UNIT_FLAGS) -DMOTE_HPACK_SMALL,$(CORE)))
SMALL := test_hpack test_hpack_limits fuzz_hpack
$(foreach p,$(SMALL),$(eval $(call test_program,unit-small,$p,$(CC),)))

UNIT_PROGRAMS := $(IN_PROCESS:%=$(BUILD)/unit/%) $(SMALL:%=$(BUILD)/unit-small/%)
TEST ?=
unit: $(if $(TEST),$(foreach p,$(UNIT_PROGRAMS),$(if $(findstring $(TEST),$p),$p)),$(UNIT_PROGRAMS)) ## unit tests, golden conversations, attacks and corpora, in seconds; TEST=NAME: of that name
	@tests/unit.sh $^
.PHONY: unit

# ---- mutants

SEED ?= 1
COUNT ?= 150
LAYER ?= all
mutants: ## small changes of the core that `make unit` should notice; SEED=1 COUNT=150 (0: all) LAYER=h2
	CC="$(CC)" BUILD=$(BUILD) python3 tests/mutants/run.py --seed $(SEED) --count $(COUNT) --layer $(LAYER)
.PHONY: mutants
