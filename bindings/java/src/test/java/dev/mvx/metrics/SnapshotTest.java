package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class SnapshotTest extends Fixture {
    /** Writes what it is told. */
    private interface Script {
        void run(Writer writer) throws Exception;
    }

    private Recorder recorder;

    private Snapshot written(Script script) {
        recorder = newRecorder();
        recorder.registerMetric("m", new Counter() {
            @Override
            public void snapshot(Writer writer) throws Exception {
                script.run(writer);
            }
        });
        return closing(recorder.snapshot(PATIENT));
    }

    @Test
    void valuesOfEachKind() {
        Map<String, Object> wanted = new LinkedHashMap<>();
        wanted.put("null", null);
        wanted.put("bool", true);
        wanted.put("long", Long.MIN_VALUE);
        wanted.put("unsigned", new BigInteger("18446744073709551615"));
        wanted.put("double", 0.1);
        wanted.put("nan", Double.NaN);
        wanted.put("text", "ä\0\uD83D\uDE00");
        wanted.put("list", Arrays.asList(1L, "x", null, List.of(), Map.of()));
        wanted.put("map", Map.of("inner", List.of(2.5, false)));
        Snapshot snapshot = written(writer -> {
            writer.putNull("null").put("bool", true).put("long", Long.MIN_VALUE).putUnsigned("unsigned", -1);
            writer.put("double", 0.1).put("nan", Double.NaN).put("text", "ä\0\uD83D\uDE00");
            writer.beginList("list").put(null, 1).put("", "x").putNull(null);
            writer.beginList(null).end().beginMap(null).end().end();
            writer.beginMap("map").beginList("inner").put(null, 2.5).put(null, false).end().end();
        });
        assertEquals(wanted, snapshot.metric("m"));
        assertEquals(new ArrayList<>(wanted.keySet()), new ArrayList<>(snapshot.metric("m").keySet()));
        assertEquals(List.of("m"), snapshot.names());
        assertEquals(2.5, snapshot.at("m", "map", "inner", 0));
        assertNull(snapshot.at("m", "map", "inner", 9));
        assertNull(snapshot.at("m", "text", "deeper"));
        assertNull(snapshot.at("none"));
        assertNull(snapshot.metric("none"));
        assertThrows(UnsupportedOperationException.class, () -> snapshot.values().clear());
        assertEquals("NaN", JsonParser.parseString(snapshot.toJson()).getAsJsonObject().getAsJsonObject("m")
                .get("nan").getAsString());
        assertTrue(snapshot.toOpenMetrics().endsWith("# EOF\n"), snapshot.toOpenMetrics());

        Snapshot again = written(writer -> {
            for (Map.Entry<String, Object> entry : wanted.entrySet()) {
                writer.putValue(entry.getKey(), entry.getValue());
            }
        });
        assertEquals(snapshot.toJson(), again.toJson());
    }

    @Test
    void otherNumbersAreWidened() {
        Snapshot snapshot = written(writer -> writer.putValue("list", List.of((byte) 1, (short) 2, 3, 4.5f, BigInteger.TEN)));
        assertEquals(List.of(1L, 2L, 3L, 4.5, 10L), snapshot.at("m", "list"));
    }

    @Test
    void badWritesMakeTheSnapshotFail() {
        List<Script> scripts = List.of(
                writer -> writer.put("a", 1).put("a", 2),
                writer -> writer.put("", 1),
                writer -> writer.put(null, 1),
                Writer::end,
                writer -> {
                    try {
                        writer.put("", 1);
                    } catch (MetricsException swallowed) {
                        writer.put("b", 1);
                    }
                },
                writer -> writer.beginMap("open"),
                writer -> writer.putValue("a", new Object()),
                writer -> writer.putValue("a", BigInteger.ONE.negate()),
                writer -> writer.put("a", (String) null));
        for (int i = 0; i < scripts.size(); i++) {
            Script script = scripts.get(i);
            MetricsException failure = assertThrows(MetricsException.class, () -> written(script), "script " + i);
            assertEquals(Status.METRIC_FAILED, failure.status());
        }
    }

    @Test
    void writerIsGoneAfterwards() {
        AtomicReference<Writer> kept = new AtomicReference<>();
        written(writer -> {
            kept.set(writer);
            Thread other = new Thread(() -> writer.put("of another thread", true));
            other.start();
            other.join();
        });
        failure(Status.INVALID_HANDLE, "INVALID_HANDLE", () -> kept.get().put("late", true));
        assertEquals(true, at(recorder, "m", "of another thread"));
    }

    @Test
    void aMetricThatHangsGivesATimeout() {
        CountDownLatch gate = new CountDownLatch(1);
        closing(gate::countDown);
        recorder = newRecorder();
        recorder.registerMetric("m", new Counter() {
            @Override
            public boolean handle(Event event) throws Exception {
                gate.await();
                return super.handle(event);
            }
        });
        NUMBERED.register(recorder, ONE);
        failure(Status.TIMEOUT, "TIMEOUT", () -> recorder.snapshot(Duration.ofMillis(10)));
        gate.countDown();
        assertEquals(1L, at(recorder, "m", "total"));
    }

    @Test
    void snapshotOutlivesItsRecorder() {
        Runtime runtime = newRuntime();
        recorder = runtime.createRecorder("r");
        recorder.registerMetric("m", new Counter());
        NUMBERED.register(recorder, ONE);
        Snapshot snapshot = closing(recorder.snapshot(Duration.ofSeconds(-1)));
        recorder.close();
        runtime.shutdown();
        assertEquals("{\"m\":{\"total\":1}}", snapshot.toJson());
        assertEquals(1L, snapshot.at("m", "total"));
        snapshot.close();
        snapshot.close();
        failure(Status.INVALID_HANDLE, "INVALID_HANDLE", snapshot::toJson);
        failure(Status.INVALID_HANDLE, "INVALID_HANDLE", snapshot::toOpenMetrics);
        failure(Status.INVALID_HANDLE, "INVALID_HANDLE", snapshot::values);
    }

    @Test
    void relaxedSnapshotShowsWhatWasDispatched() {
        recorder = newRecorder();
        recorder.registerMetric("m", new Counter());
        NUMBERED.register(recorder, ONE);
        recorder.flush().block(PATIENT);
        try (Snapshot snapshot = recorder.snapshot(SnapshotMode.RELAXED, PATIENT)) {
            assertEquals(1L, snapshot.at("m", "total"));
        }
    }
}
