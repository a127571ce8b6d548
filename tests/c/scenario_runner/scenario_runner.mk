# Included by a Makefile that sets MVX_INCLUDE, MVX_LIB_DIR and BUILD, or used alone:
#   make -f tests/c/scenario_runner/scenario_runner.mk scenarios
# Needs jansson (Debian: libjansson-dev): it keeps 64-bit integers and the order of keys.
SCENARIO_RUNNER_DIR := $(dir $(lastword $(MAKEFILE_LIST)))
SCENARIO_DIR        ?= $(SCENARIO_RUNNER_DIR)../../scenarios
MVX_INCLUDE         ?= $(SCENARIO_RUNNER_DIR)../../../include
MVX_LIB_DIR         ?= $(SCENARIO_RUNNER_DIR)../../../target/release
BUILD               ?= $(SCENARIO_RUNNER_DIR)../../../target/c

SCENARIO_RUNNER_SOURCES := $(addprefix $(SCENARIO_RUNNER_DIR), \
	main.c scenario.c report.c journal.c objects.c events.c callbacks.c \
	steps_runtime.c steps_recorder.c steps_wait.c steps_flow.c)
SCENARIO_RUNNER_CFLAGS := -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wpedantic -Werror -g -O1 -pthread \
	-I$(MVX_INCLUDE) $(shell pkg-config --cflags jansson)
SCENARIO_RUNNER_LDLIBS := -L$(MVX_LIB_DIR) -Wl,-rpath,$(abspath $(MVX_LIB_DIR)) -lmvx_metrics \
	$(shell pkg-config --libs jansson) -pthread

$(BUILD)/scenario_runner: $(SCENARIO_RUNNER_SOURCES) $(SCENARIO_RUNNER_DIR)runner.h $(MVX_INCLUDE)/mvx_metrics.h
	@mkdir -p $(@D)
	$(CC) $(SCENARIO_RUNNER_CFLAGS) $(CFLAGS) $(SCENARIO_RUNNER_SOURCES) -o $@ $(LDFLAGS) $(SCENARIO_RUNNER_LDLIBS)

.PHONY: scenarios
scenarios: $(BUILD)/scenario_runner
	$(SCENARIO_RUN_WITH) $(BUILD)/scenario_runner $(SCENARIO_DIR)
