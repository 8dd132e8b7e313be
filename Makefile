# SPDX-License-Identifier: MIT
# perfshim: one file builds everything.  `make help` lists the targets.
#
#   make                release: -O3, full LTO in one partition, stripped
#   make DEBUG=1        -O1, asserts of the expensive tier, not stripped
#   make SAN=address,undefined | SAN=thread
#   make CC=clang V=1 O=build/other
#   make HTML=off       perfreport without --html: needs no npm

VERSION := 0.1.0
O ?= build
CC ?= gcc
CXX ?= g++
ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
BINDIR ?= $(PREFIX)/bin
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
DESTDIR ?=
# auto: without npm, perfreport is built without its page, and says so.
HTML ?= auto
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' '$(1)' '$(2)')

# A variant has its own directory, so that variants never share objects.
comma := ,
VARIANT := $(if $(DEBUG),-debug)$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(findstring clang,$(CC)),-clang)
B := $(O)$(VARIANT)

is_clang := $(findstring clang,$(CC))
WARN := -Wall -Wextra -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
        -Wshadow -Wvla -Wundef -Wno-unused-parameter
BASE_CFLAGS := -std=gnu11 -D_GNU_SOURCE -DPS_VERSION='"$(VERSION)"' -Ilib -I. \
               -fvisibility=hidden -fno-builtin-malloc -fno-builtin-calloc \
               -fno-builtin-realloc -fno-builtin-free -fno-strict-aliasing \
               -fno-math-errno -fstack-protector-strong -MMD -MP $(WARN)
# Programs that read files of others; the preload's is in SHIM_LDFLAGS.
HARDEN_LDFLAGS := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
ifneq ($(DEBUG)$(SAN),)
OPT := -O1 -g -DPS_DEBUG -fno-omit-frame-pointer
LTO :=
else
OPT := -O3 -g
LTO := -flto $(if $(is_clang),,-flto-partition=one -fno-fat-lto-objects)
endif
# Abort, not unwinding: our frames carry no tables except where operator new
# must let an exception through (shim/operator_new.c).
NOUNWIND := $(if $(DEBUG)$(SAN),,-fno-exceptions -fno-unwind-tables -fno-asynchronous-unwind-tables)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all)
AR_TOOL := $(if $(is_clang),llvm-ar,gcc-ar)
CFLAGS ?=
LDFLAGS ?=
ALL_CFLAGS = $(BASE_CFLAGS) $(OPT) $(SANFLAGS) $(CFLAGS)

# ---- sources, found by wildcard ------------------------------------------
REPORT_CLI := lib/report/main.c $(wildcard lib/report/cli_*.c)
PERFBENCH_SRC := $(wildcard lib/report/perfbench*.c)
CORE_SRC := $(wildcard lib/base/*.c lib/measure/*.c lib/simd/*.c lib/pool/*.c \
              lib/record/*.c lib/profile/*.c lib/monitor/*.c lib/bench/*.c)
REPORT_SRC := $(filter-out $(REPORT_CLI) $(PERFBENCH_SRC),$(wildcard lib/report/*.c))
SHIM_SRC := $(wildcard shim/*.c)
UNIT_SRC := $(wildcard tests/unit/*.c)
BENCH_SRC := $(wildcard tests/bench/bench_*.c)
TARGET_SRC := $(wildcard tests/e2e/targets/*.c)
TARGET_CXX := $(wildcard tests/e2e/targets/*.cc)
TARGET_LIBSRC := $(wildcard tests/e2e/targets/lib*.c)

obj = $(patsubst %.c,$(B)/$(1)/%.o,$(2))
CORE_OBJ := $(call obj,lib,$(CORE_SRC))
# What the preload is made of: position-independent, no unwind tables, LTO.
# Nothing in it runs benchmarks.
PIC_OBJ := $(call obj,pic,$(filter-out lib/bench/%,$(CORE_SRC)) $(REPORT_SRC) $(SHIM_SRC))
REPORT_OBJ := $(call obj,lib,$(REPORT_SRC) $(REPORT_CLI))
PERFBENCH_OBJ := $(call obj,lib,$(REPORT_SRC) $(PERFBENCH_SRC))
UNIT_OBJ := $(call obj,lib,$(UNIT_SRC))
BENCH_OBJ := $(call obj,lib,$(filter-out $(BENCH_SRC),$(wildcard tests/bench/*.c)))
BENCH_BIN := $(patsubst tests/bench/%.c,$(B)/bench/%,$(BENCH_SRC))
TARGET_BIN := $(patsubst tests/e2e/targets/%.c,$(B)/targets/%,$(filter-out $(TARGET_LIBSRC),$(TARGET_SRC))) \
              $(patsubst tests/e2e/targets/%.cc,$(B)/targets/%,$(TARGET_CXX)) \
              $(patsubst tests/e2e/targets/%.c,$(B)/targets/%.so,$(TARGET_LIBSRC))

# Sanitized code cannot be preloaded into foreign programs, so a SAN build
# makes the library, the reader and the tests, not the preload.
PRODUCTS := $(B)/libperfcore.a $(B)/perfreport $(B)/perfbench $(if $(SAN),,$(B)/libperfshim.so)

.DEFAULT_GOAL := all
.PHONY: all
all: deps $(PRODUCTS) ## build the preload, the library and the reader

# ---- dependencies ----------------------------------------------------------
.PHONY: deps deps-check deps-bench
deps:
	$(Q)./scripts/install-deps.sh build
deps-check:
	$(Q)./scripts/install-deps.sh check
deps-bench:
	$(Q)./scripts/install-deps.sh bench

# Rebuild everything when compiler or flags change.
FLAGS_NOW = $(CC) $(ALL_CFLAGS) $(LTO) $(LDFLAGS) $(SAN) $(DEBUG)
$(B)/flags: FORCE
	$(Q)mkdir -p $(B); printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' | cmp -s - $@ || \
	  printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' > $@
FORCE:

# ---- compiling -------------------------------------------------------------
ISA_sse2 := -msse2
ISA_avx2 := -mavx2 -mfma
ISA_avx512 := -mavx512f -mavx512vl -mavx512dq -mavx512bw -mfma
ISA_avx512vl := $(ISA_avx512)
isa = $(foreach i,sse2 avx2 avx512 avx512vl,$(if $(findstring _$(i).c,$(1)),$(ISA_$(i))))

$(B)/lib/%.o: %.c $(B)/flags | deps
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D); $(CC) $(ALL_CFLAGS) $(call isa,$<) -fPIC -c -o $@ $<
$(B)/pic/shim/operator_new.o: EXTRA := -fexceptions -fasynchronous-unwind-tables -fno-lto
# Their assembly names symbols that link-time optimisation would not see used.
$(B)/pic/shim/dlopen.o $(B)/pic/shim/syscall.o: EXTRA := -fno-lto
$(B)/pic/%.o: %.c $(B)/flags | deps
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D); $(CC) $(ALL_CFLAGS) $(LTO) $(NOUNWIND) -DPS_PRELOAD $(call isa,$<) -fPIC -ftls-model=initial-exec $(EXTRA) -c -o $@ $<

# ---- jemalloc, embedded and hidden -----------------------------------------
JEMALLOC_A = $(shell for d in $$($(CC) -print-file-name=libjemalloc_pic.a); do echo $$d; done)
$(B)/jemalloc.o: scripts/embed-jemalloc.sh scripts/jemalloc.syms $(B)/flags | deps
	$(call say,EMBED,libjemalloc_pic.a)
	$(Q)CC='$(CC)' ./scripts/embed-jemalloc.sh '$(JEMALLOC_A)' scripts/jemalloc.syms $@

$(B)/libperfcore.a: $(CORE_OBJ) $(B)/jemalloc.o
	$(call say,AR,$@)
	$(Q)rm -f $@; $(AR_TOOL) rcs $@ $^

SHIM_LDFLAGS := -shared -Wl,-z,now -Wl,-z,relro -Wl,-Bsymbolic -Wl,-z,nodelete \
                -Wl,-z,noexecstack -Wl,--version-script=shim/perfshim.map \
                -Wl,-soname,libperfshim.so -Wl,--no-undefined -Wl,--gc-sections \
                -nostartfiles -Wl,--build-id
$(B)/libperfshim.so: $(PIC_OBJ) $(B)/jemalloc.o shim/perfshim.map
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LTO) $(NOUNWIND) -fPIC -ftls-model=initial-exec $(SHIM_LDFLAGS) $(LDFLAGS) \
	  -o $@.tmp $(PIC_OBJ) $(B)/jemalloc.o
	$(Q)objcopy --only-keep-debug $@.tmp $@.debug
	$(Q)$(if $(DEBUG),true,strip --strip-unneeded $@.tmp) && (cd $(B) && objcopy --add-gnu-debuglink=$(@F).debug $(@F).tmp)
	$(Q)mv -f $@.tmp $@

# The page of --html without its data, a part of perfreport; empty when there is
# none, and then tried again by the next make.
PAGE_SRC := $(wildcard lib/report/page/*.js lib/report/page/*.mjs lib/report/page/*.css lib/report/page/*.html) \
            lib/report/page/package-lock.json
PAGE_AGAIN := $(if $(filter off,$(HTML)),,$(shell [ -s $(B)/page.html ] || echo FORCE))
$(B)/html: FORCE
	$(Q)mkdir -p $(B); echo '$(HTML)' | cmp -s - $@ || echo '$(HTML)' > $@
$(B)/page.html: scripts/build-page.sh $(PAGE_SRC) $(B)/html $(PAGE_AGAIN) | deps
	$(call say,PAGE,$@)
	$(Q)HTML='$(HTML)' ./scripts/build-page.sh $@
$(B)/lib/lib/report/cli_page_shell.o: $(B)/page.html
$(B)/lib/lib/report/cli_page_shell.o: private ALL_CFLAGS += -DPS_PAGE_SHELL='"$(abspath $(B)/page.html)"'

$(B)/perfreport: $(REPORT_OBJ) $(B)/libperfcore.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(HARDEN_LDFLAGS) $(LDFLAGS) -o $@.tmp $(REPORT_OBJ) $(B)/libperfcore.a -ldw -lelf -lmicrohttpd -ljansson -lncursesw -ltinfo -lz -liberty -lstdc++ -lm -lpthread
	$(Q)mv -f $@.tmp $@

$(B)/perfbench: $(PERFBENCH_OBJ) $(B)/libperfcore.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(HARDEN_LDFLAGS) $(LDFLAGS) -o $@.tmp $(PERFBENCH_OBJ) $(B)/libperfcore.a -ljansson -lm -lpthread -ldl
	$(Q)mv -f $@.tmp $@

# ---- tests -----------------------------------------------------------------
# The list of suites that tests/unit/main.c runs, from the sources themselves.
$(B)/suites.inc: $(UNIT_SRC)
	$(Q)mkdir -p $(@D); sed -n 's/^\([a-z_0-9]*_suite\)(void)$$/PS_SUITE(\1)/p' $(filter tests/unit/test_%,$(UNIT_SRC)) > $@
$(B)/lib/tests/unit/main.o: $(B)/suites.inc
$(B)/lib/tests/unit/%.o: private ALL_CFLAGS += -I$(B) -Wno-missing-prototypes
# With -j, Check is there before a test that includes it is compiled.
$(UNIT_OBJ): | deps-check
# libunwind, which the unwinder is held against.  It exports _Unwind_*, which must
# be found in libgcc first.
ORACLE_LIBS := -lgcc_s -lunwind-x86_64
# Of the shim, the unwinder and its own stack can be tested without preloading
# anything.
UNIT_DEPS := $(UNIT_OBJ) $(call obj,lib,tests/fuzz/formats.c tests/fuzz/inputs.c) $(call obj,lib,$(REPORT_SRC) $(wildcard shim/unwind*.c) shim/own_stack.c) $(B)/libperfcore.a
$(B)/unit: $(UNIT_DEPS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(UNIT_DEPS) \
	  $$(pkg-config --libs check) $(ORACLE_LIBS) -lm -lpthread

TARGET_CFLAGS := -O2 -g -I. -Ilib -Wall
$(B)/targets/%: tests/e2e/targets/%.c shim/perfshim.h $(B)/flags | deps
	$(call say,TARGET,$<)
	$(Q)mkdir -p $(@D); $(CC) -std=gnu11 -D_GNU_SOURCE $(TARGET_CFLAGS) -o $@ $< -lpthread -ldl
$(B)/targets/%: tests/e2e/targets/%.cc shim/perfshim.h $(B)/flags | deps
	$(call say,TARGET,$<)
	$(Q)mkdir -p $(@D); $(CXX) -std=c++17 -fsized-deallocation $(TARGET_CFLAGS) -o $@ $< -lpthread -ldl
$(B)/targets/%.so: tests/e2e/targets/%.c shim/perfshim.h $(B)/flags | deps
	$(call say,TARGET,$<)
	$(Q)mkdir -p $(@D); $(CC) -std=gnu11 -D_GNU_SOURCE $(TARGET_CFLAGS) -fPIC -shared -o $@ $<
# Somebody's best, on the machine that builds it.
$(B)/lib/tests/bench/stream.o: private ALL_CFLAGS += -O3 -march=native
# Not linked with the allocator that they measure: only what they use of lib.
$(B)/bench/bench_stack: $(call obj,lib,$(wildcard shim/unwind*.c) tests/unit/unwind_oracle.c)
$(B)/bench/bench_stack: private LDFLAGS += $(ORACLE_LIBS)
$(B)/bench/%: tests/bench/%.c $(BENCH_OBJ) $(B)/libperfcore.a $(B)/flags | deps
	$(call say,BENCH,$<)
	$(Q)mkdir -p $(@D); $(CC) $(ALL_CFLAGS) -o $@ $< $(filter %.o,$^) $(B)/libperfcore.a $(LDFLAGS) -lm -lpthread -ldl

# The fuzzer is clang's own, with its own objects; the seeds come from the
# example of the unit tests.
FUZZ_CC ?= clang
FUZZ_CFLAGS = $(BASE_CFLAGS) -O1 -g -DPS_DEBUG -fno-omit-frame-pointer \
              -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
FUZZ_OBJ := $(call obj,fuzz,tests/fuzz/formats.c tests/fuzz/inputs.c $(REPORT_SRC) \
              $(filter-out lib/pool/% lib/simd/%,$(CORE_SRC)))
FUZZ_BENCH_OBJ := $(call obj,fuzz,$(filter-out %/perfbench.c %/perfbench_say.c,$(PERFBENCH_SRC)))
FUZZ_BIN := $(B)/fuzz/fuzz_report $(B)/fuzz/fuzz_input $(B)/fuzz/fuzz_baseline
$(B)/fuzz/%.o: %.c $(B)/flags | deps-fuzz
	$(call say,FUZZ,$<)
	$(Q)mkdir -p $(@D); $(FUZZ_CC) $(FUZZ_CFLAGS) $(EXTRA) -c -o $@ $<
$(FUZZ_BENCH_OBJ): EXTRA := -Dfree=ps_fuzz_free
$(B)/fuzz/fuzz_baseline: $(FUZZ_BENCH_OBJ)
$(FUZZ_BIN): $(B)/fuzz/%: $(B)/fuzz/tests/fuzz/%.o $(FUZZ_OBJ) $(B)/libperfcore.a
	$(call say,LINK,$@)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $(filter %.o,$^) $(B)/libperfcore.a -ljansson -lm -lpthread
$(call obj,lib,tests/fuzz/seed.c): | deps-check
$(B)/fuzz/seed: $(call obj,lib,tests/fuzz/seed.c tests/unit/example.c) $(B)/libperfcore.a
	$(Q)mkdir -p $(@D); $(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $$(pkg-config --libs check) -lm -lpthread
.PHONY: fuzz deps-fuzz
deps-fuzz:
	$(Q)./scripts/install-deps.sh fuzz
fuzz: deps-check $(FUZZ_BIN) $(B)/fuzz/seed $(B)/targets/libplugin.so ## libFuzzer over all that is read, FUZZ_SECONDS=60 in all or FUZZ_EACH
	$(Q)B='$(B)' ./tests/fuzz/run.sh

.PHONY: targets check check-unit check-e2e bench lint demo
targets: $(TARGET_BIN) $(if $(SAN),,$(B)/fuzz/seed)

# jemalloc sets its mutexes up anew in a forked child, which the thread sanitizer
# takes for a misuse; races are still reported.  Under a sanitizer each suite is
# a process of its own: the leak check of each test walks all that the runner
# ever freed, so that all suites in one took three times as long.
UNIT_ENV := TSAN_OPTIONS=report_mutex_bugs=0:suppressions=tests/unit/tsan.supp:$$TSAN_OPTIONS
check-unit: deps-check $(B)/unit ## only the unit tests
	$(Q)$(if $(SAN),for suite in $$(sed -n 's/^PS_SUITE(\(.*\)_suite)$$/\1/p' $(B)/suites.inc); do \
	  $(UNIT_ENV) CK_RUN_SUITE=$$suite $(B)/unit || exit 1; done,$(UNIT_ENV) $(B)/unit)
check-e2e: deps-check all targets ## only the end-to-end stories
	$(Q)B='$(B)' ./tests/e2e/run.sh
check: deps-check all targets $(B)/unit ## all tests
	$(Q)$(if $(SAN),,B='$(B)' ./tests/e2e/run.sh && ./scripts/hazards.py table '$(B)' &&) $(MAKE) --no-print-directory check-unit

# Short enough for each change; suites of lib/pool only, each test in its own child.
POOL_SUITES := heap pool_model typed starts guard
.PHONY: check-valgrind check-long hazards
check-valgrind: deps-check $(B)/unit ## the pool's unit tests under valgrind
	$(Q)./scripts/install-deps.sh valgrind
	$(Q)for suite in $(POOL_SUITES); do PS_MODEL_STEPS=20000 CK_TIMEOUT_MULTIPLIER=20 CK_RUN_SUITE=$$suite \
	  valgrind -q --error-exitcode=9 --leak-check=no $(B)/unit || exit 1; done
check-long: deps-check all targets $(B)/unit ## all that takes long, five hours; PARTS='killed fuzz': only these, PERCENT=5: so much of each
	$(Q)B='$(B)' ./scripts/check-long.sh $(PARTS)

# Of other programs: what is not installed is left out with a line, sources come
# by apt-get or from ACCEPT_SRC.  ACCEPT='redis cpython:threads': only these.
.PHONY: acceptance
acceptance: all ## other programs' own suites, without the preload and with it (two hours)
	$(Q)./tests/accept/accept.py --build '$(B)' $(ACCEPT)

bench: deps-bench all targets $(BENCH_BIN) ## measure, against glibc and jemalloc in the same run
	$(Q)B='$(B)' ./tests/bench/run.sh

lint: deps-lint all ## formatting, static analysis, include direction, exports, fast paths, sizes
	$(Q)B='$(B)' CC='$(CC)' ./scripts/lint.sh
.PHONY: deps-lint
deps-lint:
	$(Q)./scripts/install-deps.sh lint

demo: all targets ## the main job on two real programs
	$(Q)B='$(B)' ./scripts/demo.sh

# ---- installing ------------------------------------------------------------
INSTALL_HEADERS := $(wildcard lib/*/*.h)
.PHONY: install uninstall clean help
install: all ## install below PREFIX (DESTDIR honoured)
	$(Q)B='$(B)' DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' BINDIR='$(BINDIR)' \
	  INCLUDEDIR='$(INCLUDEDIR)' MANDIR='$(MANDIR)' VERSION='$(VERSION)' ./scripts/install.sh
uninstall: ## take away what install put there
	$(Q)B='$(B)' DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' BINDIR='$(BINDIR)' \
	  INCLUDEDIR='$(INCLUDEDIR)' MANDIR='$(MANDIR)' ./scripts/install.sh --uninstall
clean: ## remove what was built
	$(Q)rm -rf $(O) $(O)-*
help: ## this list
	@printf 'make [VAR=value] [target]\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@printf '\nDEBUG=1  SAN=address,undefined|thread  CC=gcc|clang  V=1  O=DIR  PREFIX= DESTDIR= LIBDIR=\n'

-include $(shell find $(B) -path $(B)/accept -prune -o -name '*.d' -type f -print 2>/dev/null)
