# Outergate: one entry for everything. `make run` and `make test` install what is missing.
#
#   make            build everything into build/
#   make run        build, then run the agent in the foreground with the embedded defaults
#   make geo        fetch newer databases of countries and networks
#   make test       unit, decoder, golden, noise and live tests, then lint
#   make lint       format, clang-tidy, cppcheck, registries, purity of the core, function length
#   make test-fresh the same two on a freshly bootstrapped root (slow)
#   make mutate     breaks one condition at a time and lists what no test notices (slow)
#   make fuzz       ten minutes of fuzzing a target (FUZZ_SECONDS=, FUZZ_TARGETS="line lines")
#   make fuzz-afl   the same targets under AFL++
#   make test-faults    every nth allocation and system call fails, on the commands and the agent (minutes)
#   make test-valgrind  memcheck over replay and the store's commands (minutes)
#   make test-attack    floods, storms and clocks that jump, an intrusion hidden in each (minutes)
#   make soak       a mixed load for SOAK_HOURS (8), with a verdict of what must stay flat (docs/SOAK.md)
#   make bench      the figures of the README
#   make kernels    the session tests in short on emulated kernels (half an hour; two of them in `make test`)
#   make test-kubernetes  the attack against a real kube-apiserver and kubelet, built once (10 min)
#   make test-services  every other remote service: RDP, VNC, telnet, FTP, tunnels, proxies (minutes)
#   make test-evasion   attempts to come in unseen, each with its verdict (docs/EVASION.md; minutes)
#   make image      the container image for deploy/kubernetes, under $(BUILD)/image
#   make packages   deb and rpm, under $(BUILD)/packages;  make test-packages: installs and uses them (slow)
#   make test-install  the README's section on installation, word for word, in booted Debian 12 and 13 (minutes)
#   make install DESTDIR=... PREFIX=...

BUILD  ?= build
PREFIX ?= /usr
# After a plain `su` the administrator's tools (bpftool, useradd, ip) are not on the path.
export PATH := $(PATH):/usr/sbin:/sbin
MAKEFLAGS += -j$(shell nproc)
# One word and the file instead of the whole command, unless V=1.
say = $(if $(V),,@echo "  $(1)";)
CC      = gcc
CLANG   = clang
VERSION := $(shell cat VERSION)

PKGS = jansson sqlite3 yaml-0.1 libmaxminddb libmd libsystemd libseccomp libcap-ng libevtx zlib libpcre2-8
# The BPF loader is linked statically, so that one binary runs on every distribution's libbpf.
LIBS = -l:libbpf.a -lelf -lz $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lpthread -lm

WARN   = -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-format-truncation -Werror
CFLAGS ?= -O2 -g
HARDEN = $(if $(filter x86_64%,$(shell $(CC) -dumpmachine)),-fcf-protection)
LDFLAGS = -Wl,-z,relro,-z,now
# char has a sign on x86 and none on arm64: the same code is the same everywhere.
ALL_CFLAGS = -std=gnu11 $(CFLAGS) -fsigned-char -fno-strict-aliasing -fstack-protector-strong -D_GNU_SOURCE \
	-fstack-clash-protection $(HARDEN) -ffile-prefix-map=$(CURDIR)/= -fdebug-prefix-map=$(CURDIR)=. \
	-D_FORTIFY_SOURCE=2 -DOUTERGATE_VERSION='"$(VERSION)"' -I. -isystem $(BUILD) $(WARN) \
	$(shell pkg-config --cflags $(PKGS) 2>/dev/null)

COMMON_SRC := $(wildcard common/*.c common/*/*.c)
AGENT_SRC  := $(wildcard agent-linux/*.c cli/*.c)
COMMON_OBJ := $(COMMON_SRC:%.c=$(BUILD)/%.o)
AGENT_OBJ  := $(AGENT_SRC:%.c=$(BUILD)/%.o)
UNIT_SRC   := $(wildcard tests/unit/test_*.c)
UNIT_BIN   := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/%)

.PHONY: all run geo test test-unit test-decode test-golden test-noise mutate test-cli test-schema test-live \
	test-collector test-fresh test-kubernetes test-services test-evasion test-faults \
	test-valgrind test-attack soak lint fuzz fuzz-afl \
	bench bench-fleet deps install clean format

all: $(BUILD)/outergate $(BUILD)/outergate-forward

# --- dependencies: a stamp a version of the list, so that an old machine learns of a new package
deps: $(BUILD)/.deps $(BUILD)/.deps-test
$(BUILD)/.deps: tools/deps.sh
	@mkdir -p $(BUILD)
	@sh tools/deps.sh build
	@touch $@
$(BUILD)/.deps-test: tools/deps.sh $(BUILD)/.deps
	@sh tools/deps.sh test
	@touch $@
# What must be there before anything is compiled: nothing is, while a package is being installed.
DEPS := $(BUILD)/.deps $(if $(filter test% lint fuzz%,$(MAKECMDGOALS)),$(BUILD)/.deps-test)

# --- the kernel side: one object, embedded by a skeleton
BPF_SRC := bpf/outergate.bpf.c
# Arguments of a probed function are in other registers elsewhere; all else is relocated as it is loaded.
BPF_ARCH = $(if $(filter aarch64%,$(shell $(CC) -dumpmachine)),arm64,x86)
BPF_INCLUDE = -I/usr/include/$(shell $(CC) -print-multiarch)
$(BUILD)/outergate.bpf.o: $(BPF_SRC) $(wildcard bpf/*.h bpf/*.bpf.c) common/wire.h | $(DEPS)
	@mkdir -p $(@D)
	$(call say,BPF $<)$(CLANG) -g -O2 -target bpf -D__TARGET_ARCH_$(BPF_ARCH) -mcpu=v3 -Wall -Werror -I. -ffile-prefix-map=$(CURDIR)/= -fdebug-prefix-map=$(CURDIR)=. \
		$(BPF_INCLUDE) -c $< -o $@
	@llvm-strip -g $@
$(BUILD)/outergate.skel.h: $(BUILD)/outergate.bpf.o
	@bpftool gen skeleton $< name outergate_bpf > $@.tmp && mv $@.tmp $@

# --- the default configuration, embedded for `check --defaults`
define embed
@(echo 'static const char outergate_yaml[] ='; \
	sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $<; echo ';') > $@.tmp && mv $@.tmp $@
endef
$(BUILD)/outergate.yaml.h: deploy/outergate.yaml Makefile | $(DEPS)
	$(embed)
$(BUILD)/cli/cmd_check.o: $(BUILD)/outergate.yaml.h

# --- objects; other flags or another version make them anew. Two makes may ask at a time.
.PHONY: force
NEW_FLAGS := $(BUILD)/.flags.$(shell echo $$PPID)
$(BUILD)/.flags: force
	$(shell mkdir -p $(@D))$(file >$(NEW_FLAGS),$(CC) $(ALL_CFLAGS))
	@cmp -s $(NEW_FLAGS) $@ && rm $(NEW_FLAGS) || mv $(NEW_FLAGS) $@
$(BUILD)/%.o: %.c $(BUILD)/.flags | $(DEPS)
	@mkdir -p $(@D)
	$(call say,CC $<)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@
$(AGENT_OBJ): | $(BUILD)/outergate.skel.h
# The skeleton is a system header to the compiler, which lists none of those as a dependency.
$(filter $(BUILD)/agent-linux/%,$(AGENT_OBJ)): $(BUILD)/outergate.skel.h
-include $(COMMON_OBJ:.o=.d) $(AGENT_OBJ:.o=.d)

$(BUILD)/libcommon.a: $(COMMON_OBJ)
	@rm -f $@
	$(call say,AR $@)ar rcs $@ $^
$(BUILD)/outergate: $(AGENT_OBJ) $(BUILD)/libcommon.a
	$(call say,LD $@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(AGENT_OBJ) $(BUILD)/libcommon.a $(LIBS)

# What sends to collectors is a program of its own: the agent, whose parent is root, links no HTTP, no
# TLS and no Kafka.
FORWARD_PKGS = libcurl openssl rdkafka libmicrohttpd jansson libseccomp zlib
FORWARD_SRC := $(wildcard forward/*.c) agent-linux/priv.c agent-linux/net_wire.c $(wildcard agent-linux/sandbox_fil*.c)
FORWARD_OBJ := $(FORWARD_SRC:%.c=$(BUILD)/%.o)
-include $(FORWARD_OBJ:.o=.d)
$(BUILD)/outergate-forward: $(FORWARD_OBJ) $(BUILD)/libcommon.a
	$(call say,LD $@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(FORWARD_OBJ) $(BUILD)/libcommon.a \
		$(shell pkg-config --libs $(FORWARD_PKGS) 2>/dev/null)

# The databases are fetched once; without them the agent says so in `status`, and works.
run: all
	@sh tools/geo.sh || true
	@$(abspath $(BUILD)/outergate) run

geo: # newer databases, for an agent that runs, too
	sh tools/geo.sh --refresh

# --- tests
$(BUILD)/tests/test_newest: $(BUILD)/agent-linux/newest.o $(BUILD)/agent-linux/host.o
$(BUILD)/tests/test_wg_dump: $(BUILD)/agent-linux/wg_dump.o
$(BUILD)/tests/test_net_wire: $(BUILD)/agent-linux/net_wire.o
$(BUILD)/tests/test_sandbox: $(BUILD)/agent-linux/sandbox_filter.o $(BUILD)/agent-linux/sandbox_files.o
$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/libcommon.a | $(DEPS)
	@mkdir -p $(@D)
	$(call say,CC $<)$(CC) $(ALL_CFLAGS) -Itests/unit -MMD -MP -MF $@.d $< $(filter %.o,$^) $(BUILD)/libcommon.a -lcmocka $(LIBS) -o $@
-include $(UNIT_BIN:%=%.d)

# --- fuzzing: the decoders with sanitizers; `make fuzz` is the longer run of tests/fuzz/run.sh
FUZZ_CC ?= $(CLANG)
FUZZ_CFLAGS = -std=gnu11 -O1 -g -fno-omit-frame-pointer -D_GNU_SOURCE -I. -isystem $(BUILD) \
	-DOUTERGATE_VERSION='"$(VERSION)"' \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
FUZZ_OBJ := $(COMMON_SRC:%.c=$(BUILD)/fuzz/obj/%.o)
FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

$(BUILD)/fuzz/obj/%.o: %.c | $(DEPS)
	@mkdir -p $(@D)
	$(call say,FUZZ $<)$(FUZZ_CC) $(FUZZ_CFLAGS) -MMD -MP -c $< -o $@
$(BUILD)/fuzz/libcommon.a: $(FUZZ_OBJ)
	@rm -f $@
	$(call say,AR $@)ar rcs $@ $^
$(BUILD)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(BUILD)/fuzz/libcommon.a
	$(call say,FUZZ $<)$(FUZZ_CC) $(FUZZ_CFLAGS) -Itests/fuzz -fsanitize=fuzzer $< $(filter %.o,$^) $(BUILD)/fuzz/libcommon.a $(LIBS) -o $@
$(BUILD)/fuzz/fuzz_wireguard: $(BUILD)/fuzz/obj/agent-linux/wg_dump.o
-include $(FUZZ_OBJ:.o=.d)

.PHONY: fuzz-build
fuzz-build: $(FUZZ_BIN)
# Every target, or those of FUZZ_TARGETS, two at a time.
FUZZ_SECONDS ?= 600
fuzz: fuzz-build
	SECONDS_EACH=$(FUZZ_SECONDS) AT_ONCE=2 BUILD=$(BUILD) bash tests/fuzz/run.sh $(FUZZ_TARGETS)
# The same targets under AFL++, which mutates and minds coverage in another way.
fuzz-afl:
	sh tools/deps.sh fuzz
	$(MAKE) FUZZ_CC=afl-clang-fast BUILD=$(BUILD)/afl fuzz-build
	SECONDS_EACH=$(FUZZ_SECONDS) AT_ONCE=2 BUILD=$(BUILD)/afl bash tests/fuzz/afl.sh $(FUZZ_TARGETS)

include windows.mk

# --- benchmarks: the figures of the README
$(BUILD)/bench/%: tests/bench/%.c $(BUILD)/libcommon.a | $(DEPS)
	@mkdir -p $(@D)
	$(call say,CC $<)$(CC) $(ALL_CFLAGS) $< $(BUILD)/libcommon.a $(LIBS) -o $@
bench: all $(BUILD)/bench/bench_core $(BUILD)/bench/bench_decode $(BUILD)/bench/bench_sources \
		$(BUILD)/bench/bench_store $(BUILD)/bench/bench_growth
	$(BUILD)/bench/bench_core
	$(BUILD)/bench/bench_decode
	@python3 -B tests/bench/lines.py $(BUILD)/bench/lines
	$(BUILD)/bench/bench_sources $$(ls -d $(BUILD)/bench/lines/* 2>/dev/null)
	$(BUILD)/bench/bench_store
	BUILD=$(BUILD) bash tests/bench/kernel.sh
	$(BUILD)/bench/bench_growth
	BUILD=$(BUILD) bash tests/bench/host.sh
	BUILD=$(BUILD) python3 -B tests/bench/host/peers.py
	BUILD=$(BUILD) python3 -B tests/bench/host/report.py
	BUILD=$(BUILD) bash tests/forward/run.sh none >/dev/null; BUILD=$(BUILD) python3 -B tests/bench/forward.py
# A fleet's records into a ClickHouse engine: agents, seconds, rows a second.
bench-fleet: all
	sh tests/collector/fetch.sh $(BUILD)/collector
	python3 -B tests/collector/bench.py $(BUILD) 2000 600 10000

# The manual says what the program says.
MAN := $(BUILD)/man/outergate.8 $(BUILD)/man/outergate.yaml.5
$(MAN) &: $(BUILD)/outergate tools/man.py deploy/outergate.yaml deploy/debian/changelog
	@mkdir -p $(BUILD)/man
	@python3 tools/man.py $(BUILD)/outergate $(BUILD)/man $$(date -u -d "@$$(deploy/epoch.sh)" +%F)

# --- a configuration that is there is the operator's: it stays. OUTERGATE, FORWARD: the programs.
OUTERGATE = $(BUILD)/outergate
FORWARD = $(BUILD)/outergate-forward
install: $(OUTERGATE) $(FORWARD) $(MAN)
	install -D -m 0755 $(OUTERGATE) $(DESTDIR)$(PREFIX)/bin/outergate
	install -D -m 0755 $(FORWARD) \
		$(DESTDIR)$(PREFIX)/libexec/outergate/outergate-forward
	install -D -m 0644 deploy/outergate.catalog \
		$(DESTDIR)$(PREFIX)/lib/systemd/catalog/outergate.catalog
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/lib/systemd/system deploy/systemd/*.service deploy/systemd/*.socket
	install -D -m 0644 deploy/systemd/outergate.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/outergate.conf
	install -D -m 0644 deploy/systemd/outergate.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/outergate.conf
	install -D -m 0644 deploy/completion/outergate \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/outergate
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man8 $(BUILD)/man/outergate.8
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man5 $(BUILD)/man/outergate.yaml.5
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/outergate/recipes deploy/recipes/*.yaml
	cd deploy/collector && find . -type f | while read -r f; do install -D -m 0644 "$$f" \
		"$(abspath $(DESTDIR)$(PREFIX))/share/outergate/collector/$$f" || exit 1; done
	[ -e $(DESTDIR)/etc/outergate/outergate.yaml ] || \
		install -D -m 0644 deploy/outergate.yaml $(DESTDIR)/etc/outergate/outergate.yaml

include packages.mk

# The suites start no make of their own but that of the fuzzers, which has its own jobs.
test: all $(UNIT_BIN) $(FUZZ_BIN)
	MAKEFLAGS= BUILD=$(BUILD) bash tests/run.sh $(SUITES)
test-unit: $(UNIT_BIN) all
	BUILD=$(BUILD) bash tests/run.sh unit
test-decode test-golden test-noise test-cli test-schema test-collector test-live: all
	BUILD=$(BUILD) bash tests/run.sh $(@:test-%=%)
test-kubernetes: all
	BUILD=$(BUILD) bash tests/kubernetes/run.sh
test-services: all
	BUILD=$(BUILD) bash tests/services/run.sh --all
test-evasion: all
	BUILD=$(BUILD) bash tests/evasion/run.sh --all
test-faults: all
	BUILD=$(BUILD) bash tests/faults/run.sh --all
test-valgrind: all
	BUILD=$(BUILD) bash tests/valgrind/run.sh
test-attack: all
	BUILD=$(BUILD) bash tests/attack/run.sh
soak: all
	BUILD=$(BUILD) bash tests/soak/run.sh
test-fresh: # needs nothing built here
	BUILD=$(BUILD) bash tests/fresh/run.sh
lint: all
	LINT_WHOLE=1 BUILD=$(BUILD) bash tests/run.sh lint
# Emulated kernels, oldest to newest, amd64 and arm64, and what one may lack: half an hour on two
# processors, and some 300 MB fetched once.
.PHONY: kernels
kernels: all programs-arm64
	BUILD=$(BUILD) bash tests/kernels/run.sh all
# MUTATE: files, or --sample N --seed S; tests/mutation/README.md tells, and what the last run gave.
mutate: all
	python3 tests/mutation/mutate.py $(BUILD) $(MUTATE)
format:
	clang-format -i $$(git ls-files '*.c' '*.h' | grep -v '\.def$$')

clean:
	rm -rf $(BUILD)
