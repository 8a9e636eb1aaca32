# klinic: see README.md. `make help` lists the targets.

BUILD ?= build
JOBS ?= $(shell nproc)
CC = gcc
HOSTED_CFLAGS = -std=gnu11 -D_GNU_SOURCE -Iinclude -Irunner -I. -pthread -g -MMD -MP \
	-Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
	-Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Wno-format-nonliteral
ifeq ($(RELEASE),1)
MODE_CFLAGS = -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong
else ifeq ($(COVERAGE),1)
MODE_CFLAGS = -O0 --coverage
else
MODE_CFLAGS = -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
ALL_CFLAGS = $(HOSTED_CFLAGS) $(MODE_CFLAGS) $(CFLAGS)
LIBS = -lyaml -ljansson -lsodium -ldw -lelf -larchive -lm

# Everything that building, running and testing needs, beside git, make and gcc.
PACKAGES = \
	libyaml-dev libjansson-dev libsodium-dev libelf-dev libdw-dev libarchive-dev libcmocka-dev libc6-dev pkg-config \
	qemu-system-x86 seabios bubblewrap linux-source-6.1 \
	flex bison bc libssl-dev lz4 xz-utils kmod cpio rsync patch binutils perl \
	python3-drgn clang-format clang-tidy cppcheck bats gcovr jq libxml2-utils clang afl++

LIB_SRC := $(sort $(filter-out runner/guest/% runner/cli/%,$(wildcard runner/*/*.c)) $(wildcard graders/*.c))
CLI_SRC := $(sort $(wildcard runner/cli/*.c))
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/target_*.c))
VM_SRC := $(sort $(wildcard tests/vm/test_*.c))
HELP_SRC := $(sort $(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
FIXTURE_SRC := $(sort $(filter-out tests/vm/test_%,$(wildcard tests/vm/*.c)))
OWN_C := $(sort $(wildcard include/klinic/*.h runner/*/*.[ch] graders/*.[ch] tests/*/*.[ch]))

# Results name the commit that graded: "-" and its name, "+" when something was changed since.
HEAD := $(shell git rev-parse --short=12 HEAD 2>/dev/null)
COMMIT := $(if $(HEAD),-$(HEAD)$(shell git diff --quiet HEAD 2>/dev/null || echo +))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB = $(BUILD)/libklinic.a
UNIT_BIN := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(UNIT_SRC))
FUZZ_NAMES := $(patsubst tests/fuzz/target_%.c,%,$(FUZZ_SRC))
FUZZ_BIN := $(patsubst tests/fuzz/target_%.c,$(BUILD)/tests/fuzz/replay_%,$(FUZZ_SRC))
VM_BIN := $(patsubst tests/vm/%.c,$(BUILD)/tests/vm/%,$(VM_SRC))

.PHONY: FORCE all help deps demo test check unit fuzz fuzz-smoke kernel vm-test cli-test lint check-layers \
	check-format check-headers check-docs check-checks format tidy coverage certify certify-test catalogue redteam clean
.SECONDARY:

all: $(BUILD)/klinic

help:
	@echo "make            build $(BUILD)/klinic (ASan and UBSan; RELEASE=1 without)"
	@echo "make demo       from nothing to three graded submissions"
	@echo "make test       everything of check, and all tests that boot guests"
	@echo "make check      layers, headers, pages, formatting, static analysis, unit and golden tests"
	@echo "make unit       unit and golden tests"
	@echo "make fuzz       T=target SECONDS=600 ENGINE=libfuzzer|afl: see docs/fuzzing.md"
	@echo "make fuzz-smoke the kept inputs, and a few thousand new ones for each target"
	@echo "make vm-test    tests that boot guests"
	@echo "make cli-test   tests of the command as its users see it"
	@echo "make redteam    submissions that cheat: none may pass"
	@echo "make certify    certify every exercise"
	@echo "make catalogue  write docs/catalogue.md from the certificates"
	@echo "make soak       N=200 gradings beside a hog on each core: one wrong verdict is one too many"
	@echo "make coverage   unit tests' line coverage"
	@echo "make format     rewrite our C as clang-format has it"
	@echo "make deps       install the Debian packages"

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/commit: FORCE
	@mkdir -p $(@D); echo '$(COMMIT)' | cmp -s - $@ || echo '$(COMMIT)' >$@
$(BUILD)/obj/runner/cli/version.o: $(BUILD)/commit
$(BUILD)/obj/runner/cli/version.o: ALL_CFLAGS += -DKLINIC_COMMIT='"$(COMMIT)"'

$(LIB): $(call obj,$(LIB_SRC))
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/klinic: $(call obj,$(CLI_SRC)) $(LIB)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $(call obj,$(HELP_SRC)) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS) -lcmocka

# The kept corpus of a fuzz target as a test, built like everything else.
$(BUILD)/tests/fuzz/replay_%: $(BUILD)/obj/tests/fuzz/target_%.o tests/fuzz/replay.c \
		$(call obj,tests/fuzz/fuzz.c) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -DFUZZ_CORPUS='"tests/fuzz/corpus/$*"' -o $@ $^ $(LIBS) -lcmocka

# The same targets with an engine around them: $(BUILD)/fuzz/libfuzzer/NAME, $(BUILD)/fuzz/afl/NAME.
FUZZ_LIB_SRC := $(sort $(wildcard $(patsubst %,runner/%/*.c,base data proc model intake policy splat)) \
	runner/kbuild/diagnostics.c $(patsubst %,runner/vm/%.c,answers lists ring view) tests/fuzz/fuzz.c)
FUZZ_CFLAGS = $(filter-out -Werror,$(HOSTED_CFLAGS)) -O1 -fno-omit-frame-pointer $(CFLAGS)
LIBFUZZER = clang -fsanitize=address,undefined -fno-sanitize-recover=all
AFL = AFL_QUIET=1 AFL_USE_ASAN=1 AFL_USE_UBSAN=1 afl-clang-fast

$(BUILD)/fuzz/libfuzzer/obj/%.o: %.c
	@mkdir -p $(@D)
	$(LIBFUZZER) -fsanitize=fuzzer-no-link $(FUZZ_CFLAGS) -c -o $@ $<
$(BUILD)/fuzz/afl/obj/%.o: %.c
	@mkdir -p $(@D)
	$(AFL) $(FUZZ_CFLAGS) -c -o $@ $<
$(BUILD)/fuzz/libfuzzer/%: $(BUILD)/fuzz/libfuzzer/obj/tests/fuzz/target_%.o \
		$(patsubst %.c,$(BUILD)/fuzz/libfuzzer/obj/%.o,$(FUZZ_LIB_SRC))
	$(LIBFUZZER) -fsanitize=fuzzer -pthread -o $@ $^ $(LIBS)
$(BUILD)/fuzz/afl/%: $(BUILD)/fuzz/afl/obj/tests/fuzz/target_%.o \
		$(patsubst %.c,$(BUILD)/fuzz/afl/obj/%.o,$(FUZZ_LIB_SRC))
	$(AFL) -fsanitize=fuzzer -pthread -o $@ $^ $(LIBS)

$(BUILD)/tests/vm/%: $(BUILD)/obj/tests/vm/%.o $(call obj,$(FIXTURE_SRC)) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS) -lcmocka

-include $(shell find $(BUILD)/obj $(BUILD)/fuzz -name '*.d' 2>/dev/null)

deps:
	@tests/lint/deps.sh $(PACKAGES)

demo: deps
	@$(MAKE) --no-print-directory -s -j$(JOBS) all
	@KLINIC=$(abspath $(BUILD)/klinic) tests/demo.sh

test: deps
	@$(MAKE) --no-print-directory -s -j$(JOBS) all $(UNIT_BIN) $(FUZZ_BIN) $(addprefix $(BUILD)/fuzz/libfuzzer/,$(FUZZ_NAMES)) $(VM_BIN)
	@MAKE="$(MAKE)" tests/all.sh

certify-test: kernel
	@KLINIC=$(abspath $(BUILD)/klinic) tests/certify.sh

certify: kernel
	@KLINIC=$(abspath $(BUILD)/klinic) tests/certify.sh --all

catalogue: $(BUILD)/klinic
	@KLINIC=$(abspath $(BUILD)/klinic) tests/catalogue.sh >docs/catalogue.md.new
	@mv docs/catalogue.md.new docs/catalogue.md

soak: kernel
	@KLINIC=$(abspath $(BUILD)/klinic) tests/soak.sh $(or $(N),200)

unit: $(UNIT_BIN) $(FUZZ_BIN)
	@tests/run.sh unit $(UNIT_BIN) $(FUZZ_BIN)

ENGINE ?= libfuzzer
SECONDS ?= 600
fuzz: $(BUILD)/fuzz/$(ENGINE)/$(T)
	@BUILD=$(BUILD) tests/fuzz/run.sh $(ENGINE) $(T) $(SECONDS)

fuzz-smoke: $(FUZZ_BIN) $(addprefix $(BUILD)/fuzz/libfuzzer/,$(FUZZ_NAMES))
	@tests/run.sh fuzz-replay $(FUZZ_BIN)
	@for t in $(FUZZ_NAMES); do BUILD=$(BUILD) tests/fuzz/run.sh smoke $$t || exit 1; done

kernel: $(BUILD)/klinic
	@$(BUILD)/klinic kernel build kasan

vm-test: kernel $(VM_BIN)
	@KLINIC_TEST_JOBS=$(JOBS) tests/run.sh vm $(VM_BIN)

cli-test: kernel
	@KLINIC_TEST_JOBS=$(JOBS) KLINIC=$(abspath $(BUILD)/klinic) tests/run.sh cli $(sort $(wildcard tests/cli/*.bats))

redteam: kernel
	@KLINIC=$(abspath $(BUILD)/klinic) tests/redteam/run.sh

check-layers:
	@tests/lint/check-layers.sh

check-headers:
	@tests/lint/check-headers.sh

check-docs:
	@tests/lint/check-docs.sh

check-checks:
	@tests/lint/check-checks.sh

check-format:
	@clang-format --dry-run -Werror $(OWN_C) && echo "format: $(words $(OWN_C)) files as clang-format has them"

format:
	@clang-format -i $(OWN_C)

tidy:
	@tests/lint/tidy.sh $(LIB_SRC) $(CLI_SRC)

lint: check-layers check-headers check-docs check-format check-checks tidy

check: lint unit

coverage:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/coverage COVERAGE=1 unit
	@gcovr -r . --object-directory $(BUILD)/coverage -f runner/ -f graders/ -s

clean:
	rm -rf $(BUILD)
