# The programs of the tests. Included by the Makefile.

# They print as C99 says, not as Microsoft's C runtime does, and need no DLL but the library.
TEST_CFLAGS := -O1 -g -Wall -Wextra -Wpedantic -Werror -D__USE_MINGW_ANSI_STDIO=1 -pthread -I$(OUT)
TEST_LDFLAGS := -static -pthread
IMPORT := $(OUT)/libmvx_metrics.dll.a
HEADER := $(OUT)/mvx_metrics.h

LINKED := lifecycle order limit totals folding snapshot hooks wait runtime errors log guest storm ownership
C_PROGRAMS := $(patsubst %,$(WORK)/%.exe,$(LINKED) dlclose)

programs: $(C_PROGRAMS) $(WORK)/scenario_runner.exe $(WORK)/document_storage.exe $(WORK)/mvx_metrics.dll \
          $(WORK)/bcryptprimitives.dll
ifneq ($(DLLTOOL),)
programs: $(WORK)/document_storage_lib.exe
endif

$(WORK):
	mkdir -p $@

$(WORK)/mvx_metrics.dll: $(OUT)/mvx_metrics.dll | $(WORK)
	cp $< $@

$(WORK)/bcryptprimitives.dll: bcryptprimitives.c | $(WORK)
	$(CC) -O1 -Wall -shared -o $@ $< -ladvapi32

$(patsubst %,$(WORK)/%.exe,$(LINKED)): $(WORK)/%.exe: $(C)/%.c $(wildcard $(C)/*.h) $(HEADER) $(IMPORT) | $(WORK)
	$(CC) -std=c11 $(TEST_CFLAGS) -I$(C) -o $@ $< $(TEST_LDFLAGS) $(IMPORT)

$(WORK)/dlclose.exe: $(C)/dlclose.c $(wildcard $(C)/*.h) $(HEADER) | $(WORK)
	$(CC) -std=c11 $(TEST_CFLAGS) -I$(C) -o $@ $< $(TEST_LDFLAGS)

# The first program of the README, as a user of either kind of import library builds it.
$(WORK)/document_storage.exe: $(ROOT)/examples/c/document_storage.c $(HEADER) $(IMPORT) | $(WORK)
	$(CC) -std=c11 -Wall -Wextra -Werror -I$(OUT) -o $@ $< -L$(OUT) -lmvx_metrics

$(WORK)/document_storage_lib.exe: $(ROOT)/examples/c/document_storage.c $(HEADER) $(OUT)/mvx_metrics.lib | $(WORK)
	$(CC) -std=c11 -Wall -Wextra -Werror -I$(OUT) -o $@ $< $(OUT)/mvx_metrics.lib

# ---- the scenario runner and its JSON -----------------------------------------------------------------------

# Nobody packages jansson for Windows, so it is compiled in, of a pinned release.
JANSSON_DIR := $(WORK)/jansson-2.14
JANSSON_NAMES := dump error hashtable hashtable_seed load memory pack_unpack strbuffer strconv utf value version

$(JANSSON_DIR)/unpacked:
	../jansson $(JANSSON_DIR)

$(WORK)/jansson.a: $(JANSSON_DIR)/unpacked $(wildcard jansson/*.h)
	cd $(JANSSON_DIR) && $(CC) -O1 -w -DHAVE_CONFIG_H -D__USE_MINGW_ANSI_STDIO=1 -I$(CURDIR)/jansson -Isrc -c \
	    $(patsubst %,src/%.c,$(JANSSON_NAMES))
	$(MINGW)ar rcs $@ $(patsubst %,$(JANSSON_DIR)/%.o,$(JANSSON_NAMES))

RUNNER_SOURCES := $(wildcard $(C)/scenario_runner/*.c)
$(WORK)/scenario_runner.exe: $(RUNNER_SOURCES) $(wildcard $(C)/scenario_runner/*.h) $(WORK)/jansson.a $(HEADER) $(IMPORT)
	$(CC) -std=gnu11 $(TEST_CFLAGS) -I$(CURDIR)/jansson -I$(JANSSON_DIR)/src -o $@ $(RUNNER_SOURCES) $(WORK)/jansson.a \
	    $(TEST_LDFLAGS) $(IMPORT)
