package dev.mvx.metrics.scenarios;

import dev.mvx.metrics.Recorder;
import dev.mvx.metrics.Runtime;
import dev.mvx.metrics.RuntimeOptions;
import java.util.ArrayList;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Steps on runtimes. */
final class RuntimeSteps {
    private RuntimeSteps() {}

    static void register() {
        Operations.add("runtime_create", "options as", "error", RuntimeSteps::create);
        Operations.add("runtime_default", "as", "error", RuntimeSteps::ofProcess);
        Operations.add("runtime_clone", "runtime as", "", RuntimeSteps::copy);
        Operations.add("runtime_start", "runtime", "error",
                call -> call.onRuntime(runtime -> Results.of(runtime::start)));
        Operations.add("runtime_shutdown", "runtime", "error",
                call -> call.onRuntime(runtime -> Results.of(runtime::shutdown)));
        Operations.add("runtime_shutdown_async", "runtime wait", "error", RuntimeSteps::shutdownAsync);
        Operations.add("runtime_state", "runtime null_out", "state", call -> Results.plain(call.onRuntime(
                runtime -> Results.of(runtime::state, (got, state) -> got.put("state", state.name())))));
        Operations.add("runtime_last_error", "runtime null_out", "error", call -> call.onRuntime(
                runtime -> RecorderSteps.lastError(runtime::lastError)));
        Operations.add("runtime_create_recorder", "runtime id options as", "error", RuntimeSteps::createRecorder);
        Operations.add("runtime_get_recorder", "runtime id as", "error",
                call -> named(call, (runtime, id) -> Results.giving(() -> runtime.getRecorder(id), call::give)));
        Operations.add("runtime_try_get_recorder", "runtime id as", "error found", RuntimeSteps::tryGetRecorder);
        Operations.add("runtime_list_recorder_ids", "runtime null_out", "error ids", call -> call.onRuntime(
                runtime -> Results.of(
                        runtime::listRecorderIds, (got, ids) -> got.put("ids", new ArrayList<Object>(ids)))));
        Operations.add("runtime_stop_recorder", "runtime id", "error",
                call -> named(call, (runtime, id) -> Results.of(() -> runtime.stopRecorder(id))));
        Operations.add("runtime_stop_and_remove_recorder", "runtime id as", "error", call -> named(
                call, (runtime, id) -> Results.giving(() -> runtime.stopAndRemoveRecorder(id), call::give)));
        Operations.add("runtime_free", "runtime", "", RuntimeSteps::free);
    }

    /** A step on a recorder of a runtime, by its id. */
    @FunctionalInterface
    private interface Named {
        Map<String, Object> play(Runtime runtime, String id);
    }

    private static Map<String, Object> named(Call call, Named play) {
        call.refuseNullOut("as");
        String id = call.text("id");
        return call.onRuntime(runtime -> play.play(runtime, id));
    }

    private static Map<String, Object> create(Call call) {
        call.refuseNullOut("as");
        if (call.get("options") == null) {
            return Results.giving(Runtime::create, call::give);
        }
        RuntimeOptions options = Options.ofRuntime(call);
        return Results.giving(() -> Runtime.create(options), call::give);
    }

    private static Map<String, Object> ofProcess(Call call) {
        call.refuseNullOut("as");
        call.scenario.usesDefaultRuntime();
        return Results.giving(Runtime::defaultRuntime, call::give);
    }

    private static Map<String, Object> copy(Call call) {
        call.refuseNullOut("as");
        return Results.plain(call.onRuntime(runtime -> Results.giving(runtime::copy, call::give)));
    }

    private static Map<String, Object> shutdownAsync(Call call) {
        if (!(call.get("wait") instanceof String)) {
            throw new Unsayable("NULL as an out-parameter");
        }
        return call.onRuntime(runtime -> Results.giving(runtime::shutdownAsync, call::give));
    }

    private static Map<String, Object> createRecorder(Call call) {
        return named(call, (runtime, id) -> {
            if (call.get("options") == null) {
                return Results.giving(() -> runtime.createRecorder(id), call::give);
            }
            var options = Options.ofRecorder(call);
            return Results.giving(() -> runtime.createRecorder(id, options), call::give);
        });
    }

    private static Map<String, Object> tryGetRecorder(Call call) {
        return named(call, (runtime, id) -> {
            Function<Optional<Recorder>, Boolean> give = found -> {
                found.ifPresent(call::give);
                return found.isPresent();
            };
            Map<String, Object> result = Results.of(
                    () -> runtime.tryGetRecorder(id), (got, found) -> got.put("found", give.apply(found)));
            result.putIfAbsent("found", false);
            return result;
        });
    }

    private static Map<String, Object> free(Call call) {
        return call.onRuntime(runtime -> {
            call.freed(Things.Kind.RUNTIME, "runtime");
            runtime.close();
            return Results.nothing();
        });
    }
}
