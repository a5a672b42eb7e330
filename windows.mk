# outergate.exe, built on Linux: `make windows` (tools/windows-deps.sh makes what it is linked with).
# Its own tree of objects; common/ and cli/ are the same sources.
WIN      = $(BUILD)/windows
WIN_HOST = x86_64-w64-mingw32
WIN_CC   = $(WIN_HOST)-gcc
WIN_CFLAGS = -std=gnu11 -O2 -g -fno-strict-aliasing -D_GNU_SOURCE -D__USE_MINGW_ANSI_STDIO=1 \
	-D_WIN32_WINNT=0x0A00 -DUNICODE -D_UNICODE -D_CRT_RAND_S \
	-DOUTERGATE_VERSION='"$(VERSION)"' -I. -isystem $(WIN) -isystem $(WIN)/prefix/include $(WARN) -Wno-format
WIN_LIBS = -static -L$(WIN)/prefix/lib -ljansson -lsqlite3 -lyaml -lmaxminddb -lmd -levtx -lpcre2-8 -lz -lws2_32
# Advapi32 has the calls of ETW; the others are loaded by every console program anyway.
WIN_SYSTEM = -ltdh -lwevtapi -ladvapi32

WIN_COMMON := $(COMMON_SRC:%.c=$(WIN)/%.o)
WIN_AGENT  := $(patsubst %.c,$(WIN)/%.o,$(wildcard agent-windows/*.c cli/*.c))
# Not here: what includes agent-linux/, or asks a Unix for a directory, a limit or an address.
WIN_UNIT_NOT = addr geo geo_files net_wire out_journald out_pseudonym ledger newest outbox sandbox store store_file watch_files wg_dump
WIN_UNIT   := $(filter-out $(WIN_UNIT_NOT:%=$(WIN)/tests/test_%.exe),\
	$(UNIT_SRC:tests/unit/%.c=$(WIN)/tests/%.exe))

.PHONY: windows windows-unit windows-deps windows-double test-windows
windows: $(WIN)/outergate.exe
windows-deps: $(WIN)/.prefix
$(WIN)/.prefix: tools/windows-deps.sh tools/deps.sh
	@mkdir -p $(@D)
	@sh tools/deps.sh windows
	@BUILD=$(BUILD) bash tools/windows-deps.sh
	@touch $@
# The shipped configuration with this system's paths, embedded for `check --defaults`.
$(WIN)/outergate.yaml: deploy/outergate.yaml windows.mk
	@mkdir -p $(@D)
	@sed -e 's|/var/lib/outergate/outergate.db|C:\\ProgramData\\Outergate\\outergate.db|' \
		-e 's|/var/lib/outergate/geo/|C:\\ProgramData\\Outergate\\geo\\|' \
		-e "s|/etc/outergate/|C:\\\\ProgramData\\\\Outergate\\\\|" \
		-e 's|/run/outergate|C:\\ProgramData\\Outergate\\run|' $< > $@
$(WIN)/outergate.yaml.h: $(WIN)/outergate.yaml
	$(embed)
$(WIN)/cli/cmd_check.o: $(WIN)/outergate.yaml.h
$(WIN)/.flags: force
	$(shell mkdir -p $(@D))$(file >$@.new,$(WIN_CC) $(WIN_CFLAGS))
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(WIN)/%.o: %.c $(WIN)/.prefix $(WIN)/.flags | $(WIN)/outergate.yaml.h
	@mkdir -p $(@D)
	$(call say,WINCC $<)$(WIN_CC) $(WIN_CFLAGS) -MMD -MP -c $< -o $@
-include $(WIN_COMMON:.o=.d) $(WIN_AGENT:.o=.d)
$(WIN)/libcommon.a: $(WIN_COMMON)
	@rm -f $@
	$(call say,AR $@)$(WIN_HOST)-ar rcs $@ $^
$(WIN)/outergate.manifest: agent-windows/outergate.manifest VERSION
	@sed 's/"VERSION"/"$(VERSION).0"/' $< > $@
$(WIN)/resources.o: agent-windows/outergate.rc $(WIN)/outergate.manifest VERSION \
		$(WIN)/messages.rc
	$(call say,WINDRES $<)$(WIN_HOST)-windres -I$(WIN) -Iagent-windows -DVERSION_TEXT='\"$(VERSION)\"' \
		-DVERSION_WORDS=$(subst .,$(comma),$(VERSION)),0 $< $@
comma := ,
# One message a detection, with its number: the Event Log shows a sentence instead of "not found".
$(WIN)/messages.rc: $(BUILD)/outergate agent-windows/messages.sh $(WIN)/.prefix
	@mkdir -p $(@D)
	@OUTERGATE=$(BUILD)/outergate sh agent-windows/messages.sh $(WIN)
$(WIN)/outergate.exe: $(WIN_AGENT) $(WIN)/libcommon.a $(WIN)/resources.o
	$(call say,WINLD $@)$(WIN_CC) -Wl,--no-insert-timestamp -o $@ $^ $(WIN_LIBS) $(WIN_SYSTEM)
$(WIN)/tests/%.exe: tests/unit/%.c $(WIN)/libcommon.a
	@mkdir -p $(@D)
	$(call say,WINCC $<)$(WIN_CC) $(WIN_CFLAGS) -Itests/unit -DDEFAULTS_PATH='"$(WIN)/outergate.yaml"' $< $(WIN)/libcommon.a -L$(WIN)/prefix/lib \
		-lcmocka-static $(WIN_LIBS) -o $@

# What stands in for Windows in tests: tests/wine/double/double.h tells.
DOUBLE     = $(WIN)/double
DOUBLE_TDH := $(filter-out %/wevtapi.c %/try.c,$(wildcard tests/wine/double/*.c))
DOUBLE_CC  = $(WIN_CC) -std=gnu11 -O1 -g -D_GNU_SOURCE -D__USE_MINGW_ANSI_STDIO=1 -DUNICODE -D_UNICODE \
	-D_WIN32_WINNT=0x0A00 $(WARN) -Wno-format -static
$(DOUBLE)/tdh.dll: $(DOUBLE_TDH) $(wildcard tests/wine/double/*.h) $(WIN)/.prefix
	@mkdir -p $(@D)
	$(call say,WINLD $@)$(DOUBLE_CC) -shared -Wl,--out-implib,$(DOUBLE)/libdouble.a -o $@ $(DOUBLE_TDH) -lole32
$(DOUBLE)/wevtapi.dll: tests/wine/double/wevtapi.c tests/wine/double/double.h $(DOUBLE)/tdh.dll
	$(call say,WINLD $@)$(DOUBLE_CC) -shared -o $@ $< $(DOUBLE)/libdouble.a
$(DOUBLE)/try.exe: tests/wine/double/try.c $(DOUBLE)/wevtapi.dll
	$(call say,WINLD $@)$(DOUBLE_CC) -municode -o $@ $< $(WIN_SYSTEM)
$(DOUBLE)/outergate.exe: $(WIN)/outergate.exe
	@mkdir -p $(@D)
	@cp $< $@
windows-double: $(DOUBLE)/tdh.dll $(DOUBLE)/wevtapi.dll $(DOUBLE)/try.exe $(DOUBLE)/outergate.exe

windows-unit: $(WIN_UNIT)
test-windows: windows windows-double windows-unit windows-msi
	BUILD=$(BUILD) bash tests/wine/run.sh

# The installer and the zip, with the country database that packages come with.
.PHONY: windows-msi geo-shipped
geo-shipped: $(WIN)/.prefix
	@sh tools/geo.sh --shipped $(BUILD)/geo
windows-msi: $(WIN)/outergate.exe $(WIN)/outergate.yaml geo-shipped
	@sh deploy/windows/build.sh $(WIN)/outergate.exe $(WIN)/outergate.yaml $(BUILD)/geo $(WIN)
