package dev.mvx.metrics.scenarios;

import dev.mvx.metrics.Snapshot;
import dev.mvx.metrics.SnapshotMode;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;

/** Steps on snapshots. */
final class SnapshotSteps {
    private static final String SHOWN = "snapshot order " + Operations.TEXT;

    private SnapshotSteps() {}

    static void register() {
        Operations.add("recorder_snapshot", "recorder mode timeout_ms as", "error " + SHOWN, SnapshotSteps::take);
        Operations.add("snapshot_read", "snapshot", SHOWN, SnapshotSteps::read);
        Operations.add("snapshot_to_openmetrics", "snapshot", "error " + Operations.TEXT, SnapshotSteps::openMetrics);
        Operations.add("snapshot_free", "snapshot", "", SnapshotSteps::free);
    }

    private static Map<String, Object> take(Call call) {
        call.refuseNullOut("as");
        Duration timeout = call.milliseconds("timeout_ms", Scenario.PATIENCE);
        SnapshotMode mode = call.get("mode") == null ? null : Given.constant(SnapshotMode.class, call.get("mode"));
        return call.onRecorder(recorder -> Results.of(
                () -> mode == null ? recorder.snapshot(timeout) : recorder.snapshot(mode, timeout), (got, snapshot) -> {
                    show(got, snapshot);
                    call.give(snapshot);
                }));
    }

    private static Map<String, Object> read(Call call) {
        Map<String, Object> got = Json.map("status", "OK");
        show(got, call.snapshot());
        return got;
    }

    /** Reads a snapshot in all ways that the binding offers; they must agree. */
    private static void show(Map<String, Object> got, Snapshot snapshot) {
        Object values = Values.ofHost(snapshot.values());
        for (String name : snapshot.names()) {
            if (!Json.same(Json.get(values, name), Values.ofHost(snapshot.metric(name)))) {
                throw new Broken("metric '" + name + "' differs when it is read alone");
            }
        }
        String text = snapshot.toJson();
        try {
            Object parsed = Json.parse(text);
            if (!Json.same(parsed, values) || !sameOrderWithin(parsed, values)) {
                throw new Broken("the snapshot's values are " + Json.show(values) + ", its JSON is " + text);
            }
        } catch (IOException noJson) {
            throw new Broken("the snapshot's JSON can't be read: " + text);
        }
        got.put("text", text);
        got.put("snapshot", values);
        got.put("order", new ArrayList<Object>(snapshot.names()));
    }

    private static boolean sameOrderWithin(Object left, Object right) {
        return Json.sameOrder(left, right)
                && Json.keys(left).stream().allMatch(key -> sameOrderWithin(Json.get(left, key), Json.get(right, key)));
    }

    private static Map<String, Object> openMetrics(Call call) {
        return Results.of(call.snapshot()::toOpenMetrics, (got, text) -> got.put("text", text));
    }

    private static Map<String, Object> free(Call call) {
        Snapshot snapshot = call.snapshot();
        call.freed(Things.Kind.SNAPSHOT, "snapshot");
        snapshot.close();
        return Results.nothing();
    }
}
