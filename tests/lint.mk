# make lint: each file with each tool, two at a time, and only what has changed since it was last clean.

LINTED := hpack h2 grpc pb tls port packages examples tests fuzz
LINT_FILES := $(shell find $(LINTED) -name '*.[ch]' ! -name '*.mote.[ch]')
LINT_SCRIPTS := .ci/run $(shell find $(LINTED) -name '*.sh')
# For boards alone, with what a package brings, or what is generated: clang-tidy has not their headers.
TIDY_NOT := port/lwip/net.c port/lwip/task.c tests/peers/lwip_task.c port/lwip/ethernet.c port/lwip/ppp.c tests/firmware/ppp/modem.c tests/unit/test_docs.c $(wildcard packages/boards/*/*.c packages/boards/*/*/*.c packages/boards/*/*/*/*/*.c tests/boards/*.c examples/firmware/*.c examples/hello/*.c tests/firmware/*.c) tests/size/sizes.c tests/pb/many.c tests/pb/testee.c tests/pb/corpus.c tests/pb/large.c tests/pb/depth.c \
            tests/pb/transcode.c tests/pb/one_way.c tests/interop/etcd_client.c tests/interop/otel/client.c tests/pb/supplied.c tests/pb/defaults.c tests/pb/sizes.c tests/pb/beside_nanopb.c tests/bench/%.c $(wildcard tests/proofs/*.c)

LINT := $(BUILD)/lint
ODD := -bugprone-easily-swappable-parameters,-bugprone-assignment-in-if-condition,-bugprone-reserved-identifier,-bugprone-suspicious-include,-bugprone-macro-parentheses,-bugprone-misplaced-widening-cast,-bugprone-suspicious-missing-comma
# Of CERT all but reserved names (_GNU_SOURCE is one) and the results of snprintf() and fclose(), where nothing depends on them.
TIDY_CHECKS := -*,bugprone-*,cert-*,clang-analyzer-*,misc-no-recursion,$(ODD),-cert-dcl37-c,-cert-dcl51-cpp,-cert-err33-c,-clang-analyzer-security.insecureAPI.*
# What runs on this machine alone may recur, and mostly means what is odd.
TIDY_CHECKS_HOST := $(TIDY_CHECKS),-misc-no-recursion,-bugprone-not-null-terminated-result,-bugprone-implicit-widening-of-multiplication-result,-bugprone-sizeof-expression,-bugprone-narrowing-conversions,-bugprone-branch-clone,-bugprone-suspicious-memory-comparison,-cert-exp42-c,-cert-flp37-c,-cert-err34-c,-clang-analyzer-unix.Malloc,-clang-analyzer-deadcode.DeadStores,-clang-analyzer-optin.performance.Padding
TIDY_FLAGS := -std=c11 -I. -Itests/interop -DBOARD_HZ=1000000 -DBOARD_UART=0x40000000 -DETH_BASE=0x40000000 -DBUILT_S=0

$(LINT)/%.formatted: %
	@mkdir -p $(@D)
	$(call say,FMT,$<)clang-format --dry-run --Werror $< && touch $@
$(LINT)/tests/%.tidy $(LINT)/fuzz/%.tidy $(LINT)/pb/plugin/%.tidy: TIDY_CHECKS := $(TIDY_CHECKS_HOST)
$(LINT)/examples/%.tidy: TIDY_CHECKS := $(TIDY_CHECKS),-cert-err34-c
# Sources that are linked in two lists: the analyzer takes one that is freed for the other.
$(LINT)/examples/fleet/sources.c.tidy: TIDY_CHECKS := $(TIDY_CHECKS),-cert-err34-c,-clang-analyzer-unix.Malloc,-clang-analyzer-core.NullDereference
# Where nothing is written there is no room, which the analyzer does not conclude.
$(LINT)/pb/pb_walk.c.tidy: TIDY_CHECKS := $(TIDY_CHECKS),-clang-analyzer-core.NonNullParamChecker
$(LINT)/%.tidy: %
	@mkdir -p $(@D)
	$(call say,TIDY,$<)clang-tidy --quiet --warnings-as-errors='*' --checks='$(TIDY_CHECKS)' $< -- $(TIDY_FLAGS) 2>$@.log || { cat $@.log; exit 1; }
	@$(CC) $(TIDY_FLAGS) -MM -MP -MT $@ -MF $@.d $< && touch $@
# Variables that are set by name, or for a script that is sourced, are not seen; names of sources have no blanks in them.
$(LINT)/%.shell: %
	@mkdir -p $(@D)
	$(call say,SHELL,$<)shellcheck --severity=warning --exclude=SC2010,SC2034,SC2044,SC2046,SC2120,SC2154 -x $< && touch $@

TIDIED := $(filter-out $(TIDY_NOT),$(filter %.c,$(LINT_FILES)))
# With SAMPLE=NUMBER a third of the tests and examples, which the number chooses, and all of the library.
ifneq ($(SAMPLE),)
PARTLY := tests/% examples/% fuzz/%
TIDIED := $(filter-out $(PARTLY),$(TIDIED)) $(shell printf '%s\n' $(sort $(filter $(PARTLY),$(TIDIED))) | awk '(NR + $(SAMPLE)) % 3 == 0')
endif
lint-files: $(LINT_FILES:%=$(LINT)/%.formatted) $(TIDIED:%=$(LINT)/%.tidy) $(LINT_SCRIPTS:%=$(LINT)/%.shell)
# It has no <stdint.h>: without UINTPTR_MAX each file ends at an #error and is not looked at, which "information" says.
CPPCHECK := cppcheck --quiet -j2 --std=c11 -DUINTPTR_MAX=0xffffffffffffffff
lint-cppcheck:
	@mkdir -p $(LINT)/cppcheck
	$(call say,CPPCHECK,$(LINTED))$(CPPCHECK) --max-configs=12 --cppcheck-build-dir=$(LINT)/cppcheck --enable=warning,performance,portability,information \
	    --inline-suppr --error-exitcode=1 --suppress=missingInclude --suppress=missingIncludeSystem --suppress=unmatchedSuppression \
	    --suppress=preprocessorErrorDirective --suppress=pointerSize --suppress=autoVariables:grpc/services/otlp_point.c \
	    --suppress='uninitvar:tests/*' --suppress='legacyUninitvar:tests/*' --suppress='selfAssignment:tests/*' --suppress='arrayIndexOutOfBoundsCond:tests/*' \
	    --suppress=nullPointerArithmetic --suppress=ctuuninitvar --suppress=ctunullpointer \
	    --suppress='nullPointer:tests/*' --suppress='ignoredReturnValue:tests/*' \
	    --suppress='arrayIndexOutOfBounds:examples/fleet/names.h' --suppress='nullPointerRedundantCheck:tests/*' $(LINTED)
# What is linked into devices: the rules of MISRA C:2012 that it deviates from are in tests/misra.txt, with a reason each.
lint-misra:
	@rm -rf $(LINT)/misra && mkdir -p $(LINT)/misra
	$(call say,MISRA,core)$(CPPCHECK) --cppcheck-build-dir=$(LINT)/misra --enable=style --addon=misra $(CORE) >$(LINT)/misra.txt 2>&1; tests/misra.py $(LINT)/misra.txt
# What this analyzer of gcc cannot conclude: that a table has room, and where a buffer is.
ANALYZER_hpack/hpack_table.c := -Wno-analyzer-null-dereference
ANALYZER_h2/h2_stream.c := -Wno-analyzer-null-argument
ANALYZER_grpc/channel/replay.c := -Wno-analyzer-null-dereference
ANALYZER_grpc/services/outbox.c := -Wno-analyzer-null-argument
$(LINT)/%.analyzed: %
	@mkdir -p $(@D)
	$(call say,ANALYZE,$<)gcc -std=c11 -O2 -fanalyzer -Werror $(ANALYZER_$<) -MMD -MT $@ -MF $@.d -c $< -o $@
lint-analyzer: $(CORE:%=$(LINT)/%.analyzed)
.PHONY: lint-files lint-cppcheck lint-misra lint-analyzer
-include $(shell find $(LINT) -name '*.tidy.d' -o -name '*.analyzed.d' 2>/dev/null)
