# conda-gpu. `make` builds build/conda-gpu; `make help` lists what else there is.
#
# CC, CPPFLAGS, CFLAGS, LDFLAGS and LDLIBS are yours, and come after our own flags.

VERSION := 0.2.0

PREFIX ?= /usr/local
DESTDIR ?=

# VARIANT=           the program as people get it
# VARIANT=debug      for a debugger
# VARIANT=sanitize   stops at the first misuse of memory and at undefined behaviour
# VARIANT=coverage   counts the lines that run (`make coverage` uses it)
# VARIANT=fuzz       tells clang's libFuzzer what ran, and stops as sanitize does (`make fuzz`)
VARIANT ?=
# STATIC=1 links libyaml, libcyaml and jansson in. libc stays outside: the driver is dlopen'ed.
STATIC ?=

# Everything that is made is made below BUILD, so that the sources may be read-only. Every variant has
# its folder there, so that none is taken for another.
BUILD ?= build
OUT := $(BUILD)$(addprefix /,$(VARIANT))
PROGRAM := $(OUT)$(if $(STATIC),/static)/conda-gpu

# ---------------------------------------------------------------------------------------------
# Flags

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes \
    -Wmissing-prototypes -Wvla -Wformat=2 -Wcast-qual -Wundef -Wwrite-strings \
    -Wpointer-arith

# src/base/banned.h comes before everything: it turns the C library's unsafe calls into errors.
OUR_CPPFLAGS := -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -Isrc -include src/base/banned.h

# _FORTIFY_SOURCE=3 is for gcc 12 and clang 9 on, with glibc 2.34; elsewhere it is 2. A distribution
# or conda may have set it in CPPFLAGS, so it is taken back first; without -O it would only warn.
FORTIFY = -U_FORTIFY_SOURCE $(if $(VARIANT),,-D_FORTIFY_SOURCE=$(FORTIFY_LEVEL))
FORTIFY_LEVEL := $(shell $(CC) -O2 -D_FORTIFY_SOURCE=3 -Werror -E -include stdio.h -xc /dev/null \
    >/dev/null 2>&1 && echo 3 || echo 2)

# Not every compiler and machine has these.
HARDENING := $(shell for flag in -fstack-clash-protection -fcf-protection; do \
    $(CC) $$flag -Werror -S -o /dev/null -xc /dev/null >/dev/null 2>&1 && echo $$flag; done)

# What each variant adds. All of it is position-independent, and linked with -pie below.
FLAGS_ := -O2 -g -fPIE -fstack-protector-strong $(HARDENING) -DRUNS_ON_OLD_GLIBC
FLAGS_debug := -O0 -g -fPIE
FLAGS_sanitize := -O1 -g -fPIE -fno-omit-frame-pointer \
    -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_coverage := -O0 -g -fPIE --coverage -DCOVERAGE
FLAGS_fuzz := $(FLAGS_sanitize) -fsanitize=fuzzer-no-link
ifeq ($(origin FLAGS_$(VARIANT)),undefined)
$(error VARIANT=$(VARIANT): known are debug, sanitize, coverage and fuzz)
endif

# pkg-config knows where the libraries are; without it they are where the compiler looks anyway.
LIBRARIES := libcyaml yaml-0.1 jansson
LIB_CFLAGS := $(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null)
LIB_LDLIBS := $(or $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null),-lcyaml -lyaml -ljansson)
# Check's macros convert integers, and make a global of each test's name.
CHECK_CFLAGS := -Itests -Wno-cast-qual -Wno-format-nonliteral -Wno-conversion -Wno-sign-conversion -Wno-shadow $(shell pkg-config --cflags check 2>/dev/null)
CHECK_LDLIBS := $(or $(shell pkg-config --libs check 2>/dev/null),-lcheck -lsubunit -lm -lrt -pthread)

ALL_CFLAGS = -std=c11 $(OUR_CPPFLAGS) $(LIB_CFLAGS) $(WARNINGS) $(FLAGS_$(VARIANT)) \
    $(CPPFLAGS) $(CFLAGS) $(FORTIFY)
ALL_LDFLAGS = $(FLAGS_$(VARIANT)) -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed $(CFLAGS) $(LDFLAGS)
ALL_LDLIBS = $(LIB_LDLIBS) $(DL) $(LDLIBS)
STATIC_LDLIBS = -Wl,-Bstatic $(LIB_LDLIBS) -Wl,-Bdynamic $(DL) $(LDLIBS)
# Distributions may leave out what it links in.
HAS_ARCHIVES := $(findstring /,$(shell $(CC) -print-file-name=libcyaml.a 2>/dev/null))
comma := ,

# From glibc 2.34 on dlopen is in libc and -ldl an empty archive; what runs with older ones as well
# (src/base/glibc.c) has to name libdl.so.2 all the same.
DL := $(if $(findstring /,$(shell $(CC) -print-file-name=libdl.so.2 2>/dev/null)), \
    -Wl$(comma)--push-state$(comma)--no-as-needed -l:libdl.so.2 -Wl$(comma)--pop-state,-ldl)

# ---------------------------------------------------------------------------------------------
# Files

SOURCES := $(sort $(wildcard src/*.c src/*/*.c))
TEMPLATES := $(sort $(wildcard templates/*))
OBJECTS := $(SOURCES:%.c=$(OUT)/obj/%.o) $(OUT)/obj/embedded.o

# All of the program but its main(): for what calls its modules or reads its tables.
MODULES := $(filter-out $(OUT)/obj/src/main.o,$(OBJECTS))
MAN_PAGES := $(OUT)/man/conda-gpu.1 $(OUT)/man/conda-gpu-environment.5
# What runs a program for the machine that is built for, where that is another one (an emulator).
RUN ?=

CHECKS := $(sort $(wildcard tests/*/check_*.c))
CHECK_PROGRAMS := $(CHECKS:tests/%.c=$(OUT)/tests/%)
# What tests share: each NAME.c with a NAME.h.
HELPERS := $(sort $(wildcard $(patsubst %.h,%.c,$(wildcard tests/support/*.h tests/hooks/*.h))))
CHECK_OBJECTS := $(MODULES) $(HELPERS:%.c=$(OUT)/obj/%.o)

# The fuzz targets: each tests/fuzz/NAME.c, but for what has a header, which they share. They are
# built as VARIANT=fuzz, whatever the rest is.
FUZZ_SHARED := $(patsubst %.h,%.c,$(sort $(wildcard tests/fuzz/*.h)))
FUZZ_TARGETS := $(filter-out $(FUZZ_SHARED),$(sort $(wildcard tests/fuzz/*.c)))
FUZZ_PROGRAMS := $(FUZZ_TARGETS:tests/fuzz/%.c=$(BUILD)/fuzz/targets/%)
FUZZ_OBJECTS := $(filter-out $(OUT)/obj/src/cli/%,$(MODULES)) \
    $(FUZZ_SHARED:%.c=$(OUT)/obj/%.o)
CLANG ?= clang

# The simulated driver, whole and lacking one call each. They are the same in all variants.
FAKE := $(BUILD)/fake
FAKE_LACKS := cuInit cuDriverGetVersion cuDeviceGetCount cuDeviceGet cuDeviceGetName \
    cuDeviceGetUuid cuDeviceGetUuid_v2 cuDeviceGetPCIBusId cuDeviceTotalMem_v2 \
    cuDeviceGetAttribute cuGetErrorName cuGetErrorString
FAKES := $(FAKE)/whole/libcuda.so.1 $(FAKE)/no-uuid/libcuda.so.1 \
    $(FAKE_LACKS:%=$(FAKE)/no-%/libcuda.so.1) $(FAKE)/faulty.so \
    $(addsuffix /libnvidia-ml.so.1,$(FAKE)/whole $(FAKE)/old $(FAKE)/bare) $(FAKE)/whole/libEGL.so.1

# Libraries that tests preload into the program, to make its calls of the C library fail and to keep
# its locks to one machine, and what prints the environment of the shells that they run.
FAIL_MEMORY := $(BUILD)/preload/fail_memory.so
HOST_FLOCK := $(BUILD)/preload/host_flock.so
PRINT_ENV := $(BUILD)/preload/print_env

# What every script and program of tests/ finds in its environment; tests/support/support.h explains it.
TEST_ENV = CONDA_GPU='$(abspath $(PROGRAM))' FAKE_CUDA='$(abspath $(FAKE)/whole)' \
    FAKE_CUDA_VARIANTS='$(abspath $(FAKE))' TESTS='$(abspath tests)' \
    FAIL_MEMORY_LIBRARY='$(abspath $(FAIL_MEMORY))' HOST_FLOCK_LIBRARY='$(abspath $(HOST_FLOCK))' \
    PRINT_ENV='$(abspath $(PRINT_ENV))' \
    CONDA_GPU_STATIC='$(if $(HAS_ARCHIVES),$(abspath $(OUT)/static/conda-gpu))' \
    OBJECTS='$(abspath $(OUT))' FUZZ='$(abspath $(BUILD)/fuzz)' SLURM='$(abspath $(SLURM))' CC='$(CC)' \
    CK_DEFAULT_TIMEOUT=$${CK_DEFAULT_TIMEOUT:-1200}

# Where Slurm is unpacked, if it is not installed.
SLURM := $(BUILD)/slurm

# Where make was not told how much to do at once, it may use all processors.
PARALLEL = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 2))
AGAIN = +@$(MAKE) --no-print-directory $(PARALLEL)

# `make V=1` shows whole commands.
ifeq ($(V),)
Q := @
say = @printf '  %-5s %s\n' $(1) $(2)
endif

# ---------------------------------------------------------------------------------------------
# The program

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
.PHONY: all help deps demo pictures check check-all check-fresh check-package check-long check-gpu check-clients bench fuzz \
    lint valgrind coverage install uninstall dist deb install-conda-plugin \
    uninstall-conda-plugin clean test-programs fuzzers fuzz-programs run-check \
    run-check-all run-demo run-fuzz run-lint run-valgrind run-script FORCE

all: $(PROGRAM) $(MAN_PAGES) ## build the program: build/conda-gpu (STATIC=1, VARIANT=debug|sanitize)

$(OUT)/conda-gpu: $(OBJECTS) $(OUT)/flags
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(OBJECTS) $(ALL_LDLIBS)

$(OUT)/static/conda-gpu: $(OBJECTS) $(OUT)/flags
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(OBJECTS) $(STATIC_LDLIBS)

$(OUT)/obj/%.o: %.c $(OUT)/flags | $(OUT)/libraries
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(if $(filter tests/%,$<),$(CHECK_CFLAGS)) -MMD -MP -c -o $@ $<

# The templates as one C file. A string of them may be longer than the 4095 bytes that every C11
# compiler must take; those that we support take any.
$(OUT)/obj/embedded.o: $(OUT)/embedded.c $(OUT)/flags | $(OUT)/libraries
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-overlength-strings -MMD -MP -c -o $@ $<

# Every line becomes a string: \ and " are escaped, and ? as well, which may begin a trigraph.
$(OUT)/embedded.c: $(TEMPLATES) Makefile $(OUT)/flags
	$(call say,EMBED,$@)
	@{ echo '/* Made by the Makefile from templates/. */'; \
	   echo '#include "hook/templates.h"'; \
	   echo 'const struct template_file template_files[] = {'; \
	   for file in $(TEMPLATES); do \
	       echo "    {\"$${file##*/}\","; \
	       LC_ALL=C sed -e 's/[\\"?]/\\&/g' -e 's/^/     "/' -e 's/$$/\\n"/' "$$file"; \
	       echo '    },'; \
	   done; \
	   echo '    {0}'; \
	   echo '};'; } >$@

# Changes when a flag, the compiler or the list of files does; what is built by them then follows.
$(OUT)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(ALL_LDLIBS))' \
	    '$(SOURCES) $(HELPERS) $(TEMPLATES)' >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# One line in place of a page of errors, where the compiler or a library is missing.
$(OUT)/libraries: $(OUT)/flags
	@printf '#include <cyaml/cyaml.h>\n#include <jansson.h>\n#include <yaml.h>\nint main(void) { return 0; }\n' \
	    | $(CC) $(LIB_CFLAGS) $(CPPFLAGS) $(CFLAGS) -xc - -xnone $(LDFLAGS) -o $@ $(ALL_LDLIBS) 2>$@.log || { \
	    echo "The compiler $(CC) or one of the libraries libcyaml, libyaml and jansson is missing:" >&2; \
	    grep -m 1 -i 'error\|not found\|cannot find' $@.log | sed 's/^/  /' >&2; \
	    echo "'make deps' installs them, or do it yourself:" >&2; \
	    echo "  $$(sh tests/deps.sh --names build)" >&2; \
	    exit 1; }

# The options in conda-gpu(1) are those of the program's own tables.
$(OUT)/man/manual: $(OUT)/obj/man/manual.o $(MODULES) $(OUT)/flags
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(MODULES) $(if $(STATIC),$(STATIC_LDLIBS),$(ALL_LDLIBS))

$(OUT)/man/%.1: man/%.1.in $(OUT)/man/manual
	$(call say,MAN,$@)
	$(Q)$(RUN) $(OUT)/man/manual <$< >$@

$(OUT)/man/%.5: man/%.5
	@mkdir -p $(@D)
	@cp $< $@

-include $(OBJECTS:.o=.d) $(OUT)/obj/man/manual.d

help: ## this list
	@echo "make TARGET [VARIANT=debug|sanitize] [STATIC=1] [CC=clang] [V=1]"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1 \2/p' Makefile | \
	    awk '{ name = $$1; $$1 = ""; printf "  %-14s %s\n", name, $$0 }'

# ---------------------------------------------------------------------------------------------
# Installing

# A shell that does not expand PREFIX=~/x (dash does not) would make a folder named ~.
ifneq ($(filter ~%,$(PREFIX) $(DESTDIR)),)
install uninstall: no-tilde
.PHONY: no-tilde
no-tilde:
	@echo "PREFIX=$(PREFIX) DESTDIR=$(DESTDIR): your shell left the ~ as it is; write PREFIX=\"\$$HOME/...\"" >&2
	@exit 1
endif

# What install puts where: the file as it is here, a colon, its place below PREFIX.
INSTALLED := $(PROGRAM):bin/conda-gpu \
    $(foreach page,$(MAN_PAGES),$(page):share/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page))) \
    completions/conda-gpu.bash:share/bash-completion/completions/conda-gpu \
    completions/conda-gpu.fish:share/fish/vendor_completions.d/conda-gpu.fish \
    completions/_conda-gpu:share/zsh/site-functions/_conda-gpu \
    $(foreach file,$(wildcard README.md CHANGELOG.md LICENSE docs/recipes.md),$(file):share/doc/conda-gpu/$(notdir $(file)))

install: $(PROGRAM) $(MAN_PAGES) ## install into PREFIX (/usr/local), below DESTDIR if that is set
	@for pair in $(INSTALLED); do \
	    case $${pair#*:} in bin/*) mode=755 ;; *) mode=644 ;; esac; \
	    echo "install $(DESTDIR)$(PREFIX)/$${pair#*:}"; \
	    install -D -m $$mode "$${pair%%:*}" '$(DESTDIR)$(PREFIX)'/"$${pair#*:}" || exit; \
	done

# Below DESTDIR, which is a staging folder, empty folders go as well.
uninstall: ## remove what install put there
	@for pair in $(INSTALLED); do \
	    echo "rm $(DESTDIR)$(PREFIX)/$${pair#*:}"; \
	    rm -f '$(DESTDIR)$(PREFIX)'/"$${pair#*:}" || exit; \
	done
ifeq ($(DESTDIR),)
	@rmdir '$(PREFIX)/share/doc/conda-gpu' 2>/dev/null || true
else
	@cd '$(DESTDIR)' && for pair in $(INSTALLED); do \
	    folder='$(patsubst /%,%,$(PREFIX))'/"$${pair#*:}"; \
	    rmdir -p "$${folder%/*}" 2>/dev/null || true; \
	done
endif

# ---------------------------------------------------------------------------------------------
# Packages

# What is committed, the same bytes each time: times are the commit's, and gzip names no file.
DIST := $(BUILD)/conda-gpu-$(VERSION).tar.gz
COMMITTED = $(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y Makefile)

dist: ## a tarball of what is committed: build/conda-gpu-VERSION.tar.gz
	@mkdir -p $(BUILD)
	@git -c tar.umask=0022 archive --format=tar --prefix=conda-gpu-$(VERSION)/ HEAD | gzip -9n >$(DIST)
	@echo $(DIST)

deb: $(PROGRAM) $(MAN_PAGES) ## a Debian package of the program: build/conda-gpu_VERSION-1_ARCHITECTURE.deb
	@rm -rf $(BUILD)/deb
	@umask 022 && $(MAKE) --no-print-directory install DESTDIR='$(abspath $(BUILD)/deb/tree)' PREFIX=/usr >/dev/null
	@umask 022 && SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$(COMMITTED)} packaging/deb/build.sh '$(abspath $(BUILD)/deb/tree)' \
	    $(VERSION) $(BUILD)/conda-gpu_$(VERSION)-1_$$(dpkg --print-architecture).deb

install-conda-plugin: ## 'conda gpu', and apply by itself, in the installation of CONDA=bin/conda
	@packaging/conda-plugin/install.sh install '$(or $(CONDA),$(CONDA_EXE),conda)' $(VERSION)

uninstall-conda-plugin: ## take that out again
	@packaging/conda-plugin/install.sh uninstall '$(or $(CONDA),$(CONDA_EXE),conda)' $(VERSION)

deps: ## install what the build and `make check` need (apt-get; elsewhere it says what)
	@sh tests/deps.sh build test trace

# ---------------------------------------------------------------------------------------------
# Showing and testing. Where packages may have to be installed first, make starts itself again
# after that, so that it sees the new compiler and libraries.

demo: ## see it work, with this machine's GPU or with a simulated one
	@echo "This builds conda-gpu (half a minute) and shows it in a throwaway folder. What the build needs is"
	@echo "installed first if it is missing: a compiler and three libraries."
	@sh tests/deps.sh build
	$(AGAIN) run-demo

run-demo: $(PROGRAM) $(FAKE)/whole/libcuda.so.1
	@$(TEST_ENV) bash tests/demo.sh

pictures: $(PROGRAM) $(FAKES) ## draw README.md's pictures anew, from what the commands print
	@$(TEST_ENV) bash docs/pictures.sh docs

# The tests for everybody need the compiler, the libraries, bash and dash; the hooks run in those two
# shells. The further ones take longer or need more, and run the hooks in the other shells; those that
# take longest begin first, so that none of them ends alone.
HOOK_TESTS := $(addprefix $(OUT)/tests/,hooks/check_hooks hooks/check_sequences hooks/check_own \
    hooks/check_every unit/check_shell unit/check_script) tests/hooks/check_traps.sh \
    tests/static/written.sh
EVERYBODYS := $(HOOK_TESTS) tests/hooks/check_size.sh tests/static/sources.sh tests/static/program.sh \
    tests/static/manual.sh tests/static/install.sh tests/cli/check_completions.sh \
    $(filter-out $(HOOK_TESTS),$(filter $(OUT)/tests/cli/% $(OUT)/tests/unit/%,$(CHECK_PROGRAMS)))
LINTERS := $(filter-out tests/lint/lint.sh,$(sort $(wildcard tests/lint/*.sh)))
FURTHER := $(HOOK_TESTS) $(filter $(OUT)/tests/faults/%,$(CHECK_PROGRAMS)) \
    $(OUT)/tests/cli/check_cli_export tests/cli/check_completions.sh tests/hooks/check_modules.sh tests/hooks/check_slurm.sh \
    tests/hooks/check_nodes.sh tests/hooks/check_users.sh tests/cli/check_hosts.sh tests/cli/check_targets.sh \
    tests/static/pictures.sh \
    tests/cli/check_recipes.sh \
    tests/faults/check_lock.sh $(LINTERS) tests/fuzz/fuzz.sh
TESTED := $(PROGRAM) $(MAN_PAGES) $(if $(HAS_ARCHIVES),$(OUT)/static/conda-gpu) $(FAKES) $(FAIL_MEMORY) $(HOST_FLOCK) $(PRINT_ENV)
RESULTS := $(OUT)/results
RUN_TESTS = $(TEST_ENV) SHELLS="$${SHELLS-$(1)}" bash tests/run $(RESULTS)/$(2) $(3)

check: ## build everything and test it: on any machine, in about a minute (ONLY=check_hooks: that test)
	@sh tests/deps.sh build test trace
	$(AGAIN) run-check

run-check: $(filter $(OUT)/%,$(EVERYBODYS)) $(TESTED)
	@SEQUENCES=$${SEQUENCES-100} $(call RUN_TESTS,bash bash-posix dash,check,$(EVERYBODYS))
	@$(if $(ONLY),,touch $(OUT)/checked)

# Made by `make check`: what has passed needs no second run, until something changes.
$(OUT)/checked: $(PROGRAM) $(CHECK_PROGRAMS) $(wildcard tests/static/* tests/support/* tests/machines/*)
	@$(MAKE) --no-print-directory run-check

check-all: ## check, then all shells, Slurm, fuzzing, calls made to fail, lint: 10 minutes (ONLY=NAME)
	@echo "These tests need more than make check: the other shells, clang, linters, strace and Slurm."
	@sh tests/deps.sh build test trace shells tools lint
	@sh tests/deps.sh --unpack '$(SLURM)' slurm
	$(AGAIN) run-check-all

ifneq ($(ONLY),)
run-check-all: test-programs fuzzers
	@$(call RUN_TESTS,,all,$(sort $(EVERYBODYS) $(FURTHER)))
else
run-check-all: test-programs fuzzers $(OUT)/checked
	@echo "The tests of make check have passed; here are the others."
	-@$(call RUN_TESTS,! bash bash-posix dash,all,$(FURTHER))
	@bash tests/run --sum $(RESULTS)/check $(RESULTS)/all
endif

check-fresh: ## demo and check on new Debian 11, 12, 13 and unstable systems (root, debootstrap)
	@bash tests/fresh.sh

check-package: $(PROGRAM) $(MAN_PAGES) ## make dist and deb twice, package and release workflow in a new Debian (root, debootstrap)
	@$(TEST_ENV) bash tests/run $(RESULTS)/package tests/package.sh

test-programs: $(CHECK_PROGRAMS) $(TESTED)

$(OUT)/tests/%: $(OUT)/obj/tests/%.o $(CHECK_OBJECTS) $(OUT)/flags
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(CHECK_OBJECTS) $(CHECK_LDLIBS) $(ALL_LDLIBS)

# Where clang cannot link such a program none is built, and tests/fuzz/fuzz.sh says so.
fuzzers:
	+@if CLANG='$(CLANG)' sh tests/deps.sh --has -fsanitize=fuzzer; then \
	    $(MAKE) --no-print-directory VARIANT=fuzz CC='$(CLANG)' fuzz-programs; fi

fuzz-programs: $(FUZZ_PROGRAMS)
	@:

$(BUILD)/fuzz/targets/%: $(OUT)/obj/tests/fuzz/%.o $(FUZZ_OBJECTS) $(OUT)/flags
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $< $(FUZZ_OBJECTS) $(ALL_LDLIBS) -lm

-include $(patsubst %.c,$(OUT)/obj/%.d,$(CHECKS) $(HELPERS) $(FUZZ_TARGETS) $(FUZZ_SHARED))

FAKE_CC = $(CC) -std=c11 -Wall -Wextra -O1 -g -shared -fPIC -fvisibility=hidden
$(FAKE)/whole/libcuda.so.1: tests/support/fake_cuda.c tests/support/fake_machine.c
	$(call say,FAKE,$@)
	@mkdir -p $(@D)
	$(Q)$(FAKE_CC) -o $@ $<

$(FAKE)/no-uuid/libcuda.so.1: tests/support/fake_cuda.c tests/support/fake_machine.c
	$(call say,FAKE,$@)
	@mkdir -p $(@D)
	$(Q)$(FAKE_CC) -DcuDeviceGetUuid=fake_cuda_absent -DcuDeviceGetUuid_v2=fake_cuda_absent_too -o $@ $<

# What tests put in front of the C library, to count calls and let one of them fail.
$(FAKE)/faulty.so: tests/faults/faulty.c tests/faults/fault_order.h
	$(call say,FAKE,$@)
	@mkdir -p $(@D)
	$(Q)$(FAKE_CC) -Itests -o $@ $< -ldl

# The simulated NVML, and what was one before MIG, and before nearly everything.
$(FAKE)/whole/libnvidia-ml.so.1: tests/support/fake_nvml.c tests/support/fake_machine.c
	$(call say,FAKE,$@)
	@mkdir -p $(@D)
	$(Q)$(FAKE_CC) -o $@ $<

$(FAKE)/old/libnvidia-ml.so.1 $(FAKE)/bare/libnvidia-ml.so.1: $(FAKE)/%/libnvidia-ml.so.1: \
    tests/support/fake_nvml.c tests/support/fake_machine.c
	$(call say,FAKE,$@)
	@mkdir -p $(@D)
	$(Q)$(FAKE_CC) -D$(if $(filter old,$*),OLD,BARE)_NVML -o $@ $<

$(FAKE)/whole/libEGL.so.1: tests/support/fake_egl.c tests/support/fake_cuda.c tests/support/fake_machine.c
	$(call say,FAKE,$@)
	@mkdir -p $(@D)
	$(Q)$(FAKE_CC) -o $@ $<

$(FAKE)/no-%/libcuda.so.1: tests/support/fake_cuda.c tests/support/fake_machine.c
	$(call say,FAKE,$@)
	@mkdir -p $(@D)
	$(Q)$(FAKE_CC) -D$*=fake_cuda_absent -o $@ $<

$(FAIL_MEMORY) $(HOST_FLOCK): $(BUILD)/preload/%.so: tests/faults/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) -O1 -g -shared -fPIC -o $@ $< -ldl

# Where there is no static C library it is linked as usual.
$(PRINT_ENV): tests/hooks/print_env.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 $(WARNINGS) -O1 -static -o $@ $< 2>/dev/null || \
	    $(CC) -std=c11 $(WARNINGS) -O1 -o $@ $<

# The rest are scripts that come with the tests. SCRIPT is the one to run.
check-long: ## every sequence of 6 steps, long random ones, and every allocation failed in turn
	@sh tests/deps.sh build test trace shells tools
	$(AGAIN) run-script SCRIPT='env SEED=$$$$(date +%s) SEQUENCES=20000 STEPS=6 FAIL_MEMORY_STEP=1 CK_DEFAULT_TIMEOUT=3600 \
	    TEST_LIMIT=7200 bash tests/run $(OUT)/long \
	    $(OUT)/tests/hooks/check_every $(OUT)/tests/hooks/check_sequences $(OUT)/tests/faults/check_memory' NEEDS=tests/faults/check_memory.c

check-gpu: ## the tests on a real GPU; elsewhere they say that they skip
	@sh tests/deps.sh build test
	$(AGAIN) run-script SCRIPT='bash tests/gpu/check_gpu.sh' NEEDS=tests/gpu/check_gpu.sh

check-clients: ## the hooks under real conda, mamba and micromamba
	@sh tests/deps.sh build test
	$(AGAIN) run-script SCRIPT='sh tests/clients/check_conda.sh' NEEDS=tests/clients/check_conda.sh
	$(AGAIN) run-script SCRIPT='bash tests/clients/check_clients.sh' NEEDS=tests/clients/check_clients.sh
	$(AGAIN) run-script SCRIPT='bash tests/clients/check_plugin.sh' NEEDS=tests/clients/check_plugin.sh

bench: ## how long hooks and commands take, against the least that they could
	@sh tests/deps.sh build test
	$(AGAIN) run-script SCRIPT='bash tests/bench/bench.sh' NEEDS=tests/bench/bench.sh

fuzz: ## feed it mutated files, each kind for FUZZ_SECONDS (600)
	@CLANG='$(CLANG)' sh tests/deps.sh build test tools
	$(AGAIN) run-fuzz

run-fuzz: fuzzers
	@$(TEST_ENV) bash tests/fuzz/fuzz.sh

run-script: test-programs
	@if [ -e $(NEEDS) ]; then $(TEST_ENV) $(SCRIPT); else echo "there is no $(NEEDS) here"; exit 1; fi

lint: ## what compilers, formatter and linters of Debian 12 say; those of other versions are skipped
	@sh tests/deps.sh build test lint
	$(AGAIN) run-lint

run-lint: $(MAN_PAGES)
	@$(call RUN_TESTS,,lint,$(LINTERS))

valgrind: ## the tests that run the program, with the program under valgrind
	@sh tests/deps.sh build test valgrind
	$(AGAIN) run-valgrind

# Not check_cli, which closes streams that valgrind needs, and not check_cli_devices, whose drivers
# crash on purpose: of a driver's child that is killed, leaks cannot be asked.
VALGRINDED := $(addprefix $(OUT)/tests/cli/check_,cli_apply cli_file cli_owner cli_prefix trees)
run-valgrind: test-programs
	@printf '#!/bin/sh\nexec valgrind -q --error-exitcode=99 --leak-check=full --child-silent-after-fork=no %s "$$@"\n' \
	    '$(abspath $(PROGRAM))' >$(OUT)/conda-gpu.valgrind
	@chmod +x $(OUT)/conda-gpu.valgrind
	@$(TEST_ENV) CONDA_GPU='$(abspath $(OUT)/conda-gpu.valgrind)' TEST_TIMEOUT=600 \
	    bash tests/run $(OUT)/valgrind $(VALGRINDED)

# Lines that a child ran before it was killed are not counted.
coverage: ## run the tests and show which share of each source file's lines they ran (gcc)
	@sh tests/deps.sh build test
	@rm -rf $(BUILD)/coverage
	@$(AGAIN) test-programs VARIANT=coverage CC=gcc
	@# Tests run it as other users too, who must be able to count.
	@$(BUILD)/coverage/conda-gpu --version >/dev/null && chmod -R a+rwX $(BUILD)/coverage/obj
	-$(AGAIN) run-check VARIANT=coverage CC=gcc
	@gcov -n $(SOURCES:%.c=$(BUILD)/coverage/obj/%.gcda) | LC_ALL=C awk -F"[':% ]+" ' \
	    /^File/ { file = $$2 } \
	    /^Lines executed/ && file ~ /^src\/.*c$$/ { \
	        printf "%6.1f %%  of %4d  %s\n", $$3, $$5, file; all += $$5; ran += $$3 * $$5 / 100; \
	    } \
	    { if (!/^File/) file = "" } \
	    END { if (all) printf "%6.1f %%  of %4d  together\n", 100 * ran / all, all }'

clean: ## remove build/ (or BUILD=)
	rm -rf '$(BUILD)'
