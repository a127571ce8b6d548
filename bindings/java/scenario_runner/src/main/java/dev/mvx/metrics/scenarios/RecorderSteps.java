package dev.mvx.metrics.scenarios;

import dev.mvx.metrics.MetricsException;
import dev.mvx.metrics.Recorder;
import dev.mvx.metrics.RecorderOptions;
import dev.mvx.metrics.Stats;
import dev.mvx.metrics.Wait;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/** Steps on recorders themselves. */
final class RecorderSteps {
    private RecorderSteps() {}

    static void register() {
        Operations.add("recorder_create", "runtime options as", "error", RecorderSteps::create);
        Operations.add("recorder_clone", "recorder as", "", RecorderSteps::copy);
        Operations.add("recorder_start", "recorder wait block", "error",
                call -> operate(call, Recorder::start, Recorder::startNoWait));
        Operations.add("recorder_stop", "recorder wait block", "error",
                call -> operate(call, Recorder::stop, Recorder::stopNoWait));
        Operations.add("recorder_flush", "recorder wait block", "error",
                call -> operate(call, Recorder::flush, Recorder::flushNoWait));
        Operations.add("recorder_cancel", "recorder", "error",
                call -> call.onRecorder(recorder -> Results.of(recorder::cancel)));
        Operations.add("recorder_state", "recorder null_out", "state", call -> Results.plain(call.onRecorder(
                recorder -> Results.of(recorder::state, (got, state) -> got.put("state", state.name())))));
        Operations.add("recorder_last_error", "recorder null_out", "error",
                call -> call.onRecorder(recorder -> lastError(recorder::lastError)));
        Operations.add("recorder_entity_id", "recorder null_out", Operations.TEXT,
                call -> text(call, Recorder::entityId));
        Operations.add("recorder_name_space", "recorder null_out", Operations.TEXT,
                call -> text(call, Recorder::namespace));
        Operations.add("recorder_stats", "recorder null_out struct_size", "stats", call -> Results.plain(
                call.onRecorder(recorder -> Results.of(recorder::stats, (got, stats) -> got.put("stats", counts(stats))))));
        Operations.add("recorder_free", "recorder", "", RecorderSteps::free);
    }

    private static Map<String, Object> create(Call call) {
        call.refuseNullOut("as");
        RecorderOptions options = Options.ofRecorder(call);
        if (call.get("runtime") != null) {
            return call.onRuntime(runtime -> Results.giving(() -> Recorder.create(runtime, options), call::give));
        }
        call.scenario.usesDefaultRuntime();
        if (call.get("options") == null) {
            return Results.giving(Recorder::create, call::give);
        }
        return Results.giving(() -> Recorder.create(options), call::give);
    }

    private static Map<String, Object> copy(Call call) {
        call.refuseNullOut("as");
        return Results.plain(call.onRecorder(recorder -> Results.giving(recorder::copy, call::give)));
    }

    /** Start, stop and flush: with `block` the step's result is that of the operation. */
    private static Map<String, Object> operate(
            Call call, Function<Recorder, Wait> begin, Consumer<Recorder> beginNoWait) {
        call.refuseNullOut("wait");
        if (call.isTrue("block")) {
            return call.onRecorder(recorder -> {
                Wait wait;
                try {
                    wait = begin.apply(recorder);
                } catch (MetricsException refused) {
                    return Results.failed(refused);
                }
                try (wait) {
                    return outcome(wait);
                }
            });
        }
        if (call.get("wait") == null) {
            return call.onRecorder(recorder -> Results.of(() -> beginNoWait.accept(recorder)));
        }
        return call.onRecorder(recorder -> Results.giving(() -> begin.apply(recorder), call::give));
    }

    private static Map<String, Object> outcome(Wait wait) {
        boolean over;
        try {
            over = wait.await(Scenario.PATIENCE);
        } catch (MetricsException refused) {
            throw new Broken("waiting for the operation gave " + refused);
        }
        if (!over) {
            throw new Broken("the operation is not over after " + Scenario.PATIENCE.toSeconds() + " s");
        }
        Optional<MetricsException> error = wait.result().error();
        Map<String, Object> thrown = Results.of((Runnable) wait::block);
        Map<String, Object> result = error.map(Results::failed).orElse(Json.map("status", "OK", "error", Json.NULL));
        if (!Json.same(result, thrown)) {
            throw new Broken("block() gave " + Json.show(thrown) + ", the result is " + Json.show(result));
        }
        return result;
    }

    /** The error that is kept. */
    static Map<String, Object> lastError(Supplier<Optional<MetricsException>> getter) {
        Map<String, Object> result =
                Results.of(getter, (got, kept) -> got.put("error", Results.error(kept.orElse(null))));
        if (!"OK".equals(result.get("status"))) {
            result.put("error", Json.NULL); // of the call itself only the status is given
        }
        return result;
    }

    private static Map<String, Object> text(Call call, Function<Recorder, String> getter) {
        return Results.plain(call.onRecorder(
                recorder -> Results.of(() -> getter.apply(recorder), (got, text) -> got.put("text", text))));
    }

    private static Map<String, Object> counts(Stats stats) {
        if (stats.accepted() != stats.dispatched() + stats.discarded() + stats.pending()) {
            throw new Broken("accepted is not dispatched + discarded + pending: " + stats);
        }
        return Json.map(
                "accepted", stats.accepted(), "dispatched", stats.dispatched(), "dropped", stats.dropped(),
                "refused", stats.refused(), "discarded", stats.discarded(), "pending", stats.pending(),
                "pending_max", stats.pendingMax(), "pending_bytes", stats.pendingBytes(),
                "quarantined_metrics", stats.quarantinedMetrics(), "lag_ns", stats.lag().toNanos());
    }

    private static Map<String, Object> free(Call call) {
        return call.onRecorder(recorder -> {
            call.freed(Things.Kind.RECORDER, "recorder");
            recorder.close();
            return Results.nothing();
        });
    }
}
