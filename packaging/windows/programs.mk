# The programs of the tests. Included by the Makefile.

# They print as C99 says, not as Microsoft's C runtime does, and need no DLL but the library.
TEST_CFLAGS := -O1 -g -Wall -Wextra -Wpedantic -Werror -D__USE_MINGW_ANSI_STDIO=1 -pthread -I$(OUT)
TEST_LDFLAGS := -static -pthread
IMPORT := $(OUT)/libmvx_metrics.dll.a
HEADER := $(OUT)/mvx_metrics.h

LINKED := lifecycle order limit totals folding snapshot hooks wait runtime errors log guest storm ownership
CPP := $(ROOT)/bindings/cpp
CPP_PROGRAMS := $(patsubst %,$(WORK)/%.exe,cpp_tests cpp_no_exceptions document_storage_cpp)
C_PROGRAMS := $(patsubst %,$(WORK)/%.exe,$(LINKED) dlclose)

programs: $(C_PROGRAMS) $(WORK)/scenario_runner.exe $(WORK)/document_storage.exe $(WORK)/mvx_metrics.dll \
          $(CPP_PROGRAMS)
ifneq ($(DLLTOOL),)
programs: $(WORK)/document_storage_lib.exe
endif

$(WORK):
	mkdir -p $@

$(WORK)/mvx_metrics.dll: $(OUT)/mvx_metrics.dll | $(WORK)
	cp $< $@

$(patsubst %,$(WORK)/%.exe,$(LINKED)): $(WORK)/%.exe: $(C)/%.c $(wildcard $(C)/*.h) $(HEADER) $(IMPORT) | $(WORK)
	$(CC) -std=c11 $(TEST_CFLAGS) -I$(C) -o $@ $< $(TEST_LDFLAGS) $(IMPORT)

$(WORK)/dlclose.exe: $(C)/dlclose.c $(wildcard $(C)/*.h) $(HEADER) | $(WORK)
	$(CC) -std=c11 $(TEST_CFLAGS) -I$(C) -o $@ $< $(TEST_LDFLAGS)

# The first program of the README, as a user of either kind of import library builds it.
$(WORK)/document_storage.exe: $(ROOT)/examples/c/document_storage.c $(HEADER) $(IMPORT) | $(WORK)
	$(CC) -std=c11 -Wall -Wextra -Werror -I$(OUT) -o $@ $< -L$(OUT) -lmvx_metrics

$(WORK)/document_storage_lib.exe: $(ROOT)/examples/c/document_storage.c $(HEADER) $(OUT)/mvx_metrics.lib | $(WORK)
	$(CC) -std=c11 -Wall -Wextra -Werror -I$(OUT) -o $@ $< $(OUT)/mvx_metrics.lib

# ---- C++ --------------------------------------------------------------------------------------------------------

CPP_COMPILE := $(CXX) -std=c++17 $(TEST_CFLAGS) -O0 -I$(CPP)/include
CPP_SOURCES := $(wildcard $(CPP)/include/*.hpp $(CPP)/tests/*.cpp $(CPP)/tests/*.hpp $(CPP)/tests/*.h) $(HEADER)

$(WORK)/cpp_all.o: $(CPP_SOURCES) | $(WORK)
	$(CPP_COMPILE) -Wa,-mbig-obj -c -o $@ $(CPP)/tests/all.cpp

$(WORK)/cpp_guest.o: $(CPP_SOURCES) | $(WORK)
	$(CPP_COMPILE) -fno-exceptions -c -o $@ $(CPP)/tests/test_no_exceptions.cpp

$(WORK)/cpp_foreign.o: $(CPP)/tests/foreign.c $(CPP)/tests/foreign.h $(HEADER) | $(WORK)
	$(CC) -std=c11 $(TEST_CFLAGS) -c -o $@ $<

$(WORK)/cpp_tests.exe: $(WORK)/cpp_all.o $(WORK)/cpp_guest.o $(WORK)/cpp_foreign.o $(IMPORT)
	$(CXX) -o $@ $^ $(TEST_LDFLAGS)

$(WORK)/cpp_no_exceptions.exe: $(CPP_SOURCES) $(IMPORT) | $(WORK)
	$(CPP_COMPILE) -fno-exceptions -fno-rtti -DALONE -o $@ $(CPP)/tests/test_no_exceptions.cpp $(TEST_LDFLAGS) $(IMPORT)

# The other flavour.
$(WORK)/document_storage_cpp.exe: $(CPP)/examples/document_storage.cpp $(CPP)/include/mvx_metrics.hpp $(HEADER) $(IMPORT) | $(WORK)
	$(MINGW)g++-win32 -std=c++17 -Wall -Wextra -Werror -I$(OUT) -I$(CPP)/include -o $@ $< -static -L$(OUT) -lmvx_metrics

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
