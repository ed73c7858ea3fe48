# Programs for Cortex-M0 and M4 whose flash `make size` compares with tests/size.txt: tests/size/app.c with the whole core,
# of which the linker takes what is needed; by link-time optimization, as an archive without, and without as one source
# file of program and library, whose compiler sees as much (single.elf).

ARM := arm-none-eabi-gcc
SIZE_FLAGS := -Os -mthumb -fno-tree-loop-distribute-patterns -ffunction-sections -fdata-sections -ffreestanding -fbuiltin \
              -DMOTE_HPACK_SMALL -DMOTE_PB_DEPTH=4 -DMOTE_PB_GROUPS=8
SIZE_LINK := -mthumb -Os -nostdlib -Wl,--gc-sections -Wl,-e,main -Wl,--defsym=board_data_from=0,--defsym=board_stack_end=0
SIZE_SOURCES := tests/size/app.c $(CORE) examples/fleet/telemetry.mote.c port/cortex-m/memory.c
LEAN := -DMOTE_NO_TEXTS -DMOTE_NO_COMPRESSION -DMOTE_NO_METADATA -DMOTE_NO_DOOR -DMOTE_SMALL_TX

SIZE_APPS := none client delivery server web both both-with-texts
size_none := $(LEAN)
size_client := $(LEAN) -DCLIENT -DMOTE_CLIENT_ONLY
size_delivery := $(LEAN) -DDELIVERY -DMOTE_CLIENT_ONLY
size_server := $(LEAN) -DSERVER -DMOTE_SERVER_ONLY
size_web := $(filter-out -DMOTE_NO_DOOR,$(LEAN)) -DSERVER -DWEB -DMOTE_SERVER_ONLY
size_both := $(LEAN) -DCLIENT -DSERVER
size_both-with-texts := -DCLIENT -DSERVER

# $(call size_app,CPU,APP)
define size_app
$(BUILD)/size/$1-$2/lto/%.o: %.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)$(ARM) -std=c11 $(SIZE_FLAGS) -mcpu=$1 $(size_$2) -flto -MMD -MP -c $$< -o $$@
$(BUILD)/size/$1-$2/obj/%.o: %.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)$(ARM) -std=c11 $(SIZE_FLAGS) -mcpu=$1 $(size_$2) -fcallgraph-info=su -MMD -MP -c $$< -o $$@
$(BUILD)/size/$1-$2/lto.elf: $(SIZE_SOURCES:%.c=$(BUILD)/size/$1-$2/lto/%.o)
	$$(call say,LD,$$@)$(ARM) -mcpu=$1 -flto $(SIZE_FLAGS) $(SIZE_LINK) $$^ -lgcc -o $$@
$(BUILD)/size/$1-$2/libmote.a: $(CORE:%.c=$(BUILD)/size/$1-$2/obj/%.o)
	@rm -f $$@
	$$(call say,AR,$$@)arm-none-eabi-ar rcs $$@ $$^
$(BUILD)/size/$1-$2/archive.elf: $(patsubst %.c,$(BUILD)/size/$1-$2/obj/%.o,$(filter-out $(CORE),$(SIZE_SOURCES))) $(BUILD)/size/$1-$2/libmote.a
	$$(call say,LD,$$@)$(ARM) -mcpu=$1 $(SIZE_LINK) $$^ -lgcc -o $$@
$(BUILD)/size/$1-$2/single.elf: $(BUILD)/size/single.c $(SIZE_SOURCES)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)$(ARM) -std=c11 -mcpu=$1 $(SIZE_FLAGS) $(size_$2) -fwhole-program -I. -MMD -MP $(SIZE_LINK) $$< -lgcc -o $$@
SIZE_PROGRAMS += $(BUILD)/size/$1-$2/lto.elf $(BUILD)/size/$1-$2/archive.elf
endef
$(BUILD)/size/single.c: tests/size.mk
	@mkdir -p $(@D)
	@printf '#include "%s"\n' $(SIZE_SOURCES) >$@
SIZE_CPUS ?= cortex-m0 cortex-m4 # one of them: half of the time, and the rows of the other stay as they are
SIZE_PROGRAMS :=
$(foreach cpu,$(SIZE_CPUS),$(foreach app,$(SIZE_APPS),$(eval $(call size_app,$(cpu),$(app)))))
SIZE_PROGRAMS += $(foreach app,none client both,$(BUILD)/size/cortex-m4-$(app)/single.elf)
-include $(if $(filter-out $(QUICK_GOALS),$(MAKECMDGOALS)),$(shell find $(BUILD)/size -name '*.d' 2>/dev/null))

# The structs of the public headers, and two whole connections.
SIZE_HEADERS := $(filter-out port/% tls/%,$(HEADERS))
$(BUILD)/size/structs.h: $(SIZE_HEADERS)
	@mkdir -p $(@D)
	@printf '#include "%s"\n' $^ >$@
	@sed -nE 's/^(typedef )?struct (mote_[a-z0-9_]+) \{.*/SIZE(\2)/p; s/^\} (mote_[a-z0-9_]+);.*/SIZE(\1)/p' $^ | sort -u >>$@
$(BUILD)/size/sizes.o: tests/size/sizes.c $(BUILD)/size/structs.h tests/size/reference.h
	$(call say,CC,$@)$(ARM) -std=c11 $(SIZE_FLAGS) -mcpu=cortex-m4 -I. -I$(BUILD)/size -c $< -o $@

# How many instructions a sample and a command take, on an emulated board.
$(BUILD)/size/work.elf: tests/firmware/work.c $(CORE) examples/fleet/telemetry.mote.c $(wildcard */*.h */*/*.h)
	@mkdir -p $(@D)
	$(call say,LD,$@)port/cortex-m/build.sh mps2-an386 $@ $(filter %.c,$^) >/dev/null

size-programs: $(SIZE_PROGRAMS) $(BUILD)/size/sizes.o $(BUILD)/size/work.elf $(BUILD)/protoc-gen-mote
.PHONY: size-programs
