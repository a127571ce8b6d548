# The native code for the jar: of each platform of MVX_PLATFORMS the library and the glue, in a folder of its name. The
# Makefile includes this.

RESOURCES := $(BUILD_DIR)/native-resources/native
# Names what is inside, for NativeLibrary.
LIST      := $(RESOURCES)/platforms
SONAME    := libmvx_metrics.so.0

FILES_linux   := $(SONAME) libmvx_metrics_java.so
FILES_windows := mvx_metrics.dll mvx_metrics_java.dll
NATIVES := $(LIST) $(foreach platform,$(MVX_PLATFORMS),$(FILES_$(firstword $(subst -, ,$(platform))):%=$(RESOURCES)/$(platform)/%))

C_SOURCES    := $(wildcard src/main/c/*.c)
C_HEADERS    := $(wildcard src/main/c/*.h src/main/c/*/*.h) $(INCLUDE_DIR)/mvx_metrics.h
C_ANYWHERE   := -std=c11 -O2 -Wall -Wextra -Werror -shared -I$(INCLUDE_DIR) -I$(JAVA_HOME)/include
C_FLAGS      := $(C_ANYWHERE) -fPIC -fvisibility=hidden -I$(JAVA_HOME)/include/linux

# A jar of other platforms than last time has nothing left over of those.
ifneq ($(shell cat $(LIST) 2>/dev/null),$(strip $(MVX_PLATFORMS)))
$(shell rm -rf $(RESOURCES) $(BUILD_DIR)/classes/native)
endif
$(LIST):
	@mkdir -p $(@D)
	@echo '$(strip $(MVX_PLATFORMS))' >$@

define library_built_elsewhere
$(LIBRARY_$(1)):
	@echo "$$@, the library for $(1), is missing: '$(BUILDER_$(1))' builds it." \
	    "MVX_PLATFORMS names the platforms that the jar shall have." >&2; exit 1
endef
$(foreach platform,$(MVX_PLATFORMS),$(eval $(call library_built_elsewhere,$(platform))))

.SECONDEXPANSION:

# The loader finds the library by this name, too.
$(RESOURCES)/linux-%/$(SONAME): $$(LIBRARY_linux-$$*) | $(LIST)
	@mkdir -p $(@D)
	@readelf -d $< | grep -q 'SONAME.*\[$(SONAME)\]' || { echo "$< does not have the SONAME $(SONAME)"; exit 1; }
	@$$($(CC_linux-$*) -print-prog-name=strip) --strip-debug -o $@.new $< && mv $@.new $@

$(RESOURCES)/linux-%/libmvx_metrics_java.so: $(RESOURCES)/linux-%/$(SONAME) $(C_SOURCES) $(C_HEADERS)
	@$(CC_linux-$*) $(C_FLAGS) $(C_SOURCES) $< -Wl,-rpath,'$$ORIGIN' -Wl,--enable-new-dtags -Wl,-z,now -Wl,-soname,$(@F) \
	    -pthread -o $@.new
	@mv $@.new $@

$(RESOURCES)/windows-%/mvx_metrics.dll: $$(LIBRARY_windows-$$*) | $(LIST)
	@mkdir -p $(@D)
	@$$($(CC_windows-$*) -print-prog-name=strip) --strip-unneeded -o $@.new $< && mv $@.new $@

# It is linked with nothing: see library_windows.c. A DLL has its own name inside, and by default an address made of its
# path: so it is linked under the name that it keeps, and without that.
$(RESOURCES)/windows-%/mvx_metrics_java.dll: $(RESOURCES)/windows-%/mvx_metrics.dll $(C_SOURCES) $(C_HEADERS)
	@mkdir -p $(BUILD_DIR)/windows-$*
	@../../packaging/windows/exports $< | sed 's/.*/FUNCTION(&)/' >$(BUILD_DIR)/windows-$*/functions.h
	@$(CC_windows-$*) $(C_ANYWHERE) -Isrc/main/c/windows -I$(BUILD_DIR)/windows-$* $(C_SOURCES) -static-libgcc -s \
	    -Wl,--no-insert-timestamp,--disable-auto-image-base -o $(BUILD_DIR)/windows-$*/$(@F)
	@mv $(BUILD_DIR)/windows-$*/$(@F) $@
