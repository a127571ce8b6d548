package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class ErrorsTest extends Fixture {
    @Test
    void errorHasReasonMessageDetailsAndCause() {
        Runtime runtime = newRuntime();
        MetricsException unknown = failure(Status.NOT_FOUND, "RECORDER_NOT_FOUND", () -> runtime.getRecorder("ä\0\uD83D\uDE00"));
        assertEquals(Map.of("recorder_id", "ä\0\uD83D\uDE00"), unknown.details());
        assertTrue(unknown.getMessage().contains("ä"), unknown.getMessage());
        assertNull(unknown.getCause());
        assertTrue(unknown.toString().startsWith("MetricsException: RECORDER_NOT_FOUND: "), unknown.toString());

        RecorderOptions failing = new RecorderOptions().hooks(new Hooks().onStarting(() -> {
            throw new IllegalStateException("no ground");
        }));
        MetricsException outer = failure(
                Status.STARTUP_FAILED, "RECORDER_STARTUP_ERROR", () -> runtime.createRecorder("r", failing));
        MetricsException middle = assertInstanceOf(MetricsException.class, outer.getCause());
        assertEquals("ON_STARTING_HOOK_FAILED", middle.reason());
        MetricsException inner = assertInstanceOf(MetricsException.class, middle.getCause());
        assertEquals("CALLBACK_ERROR", inner.reason());
        assertEquals("no ground", inner.getMessage());
    }

    @Test
    void detailsTellTheState() {
        Recorder recorder = newRecorder();
        recorder.stop().block(PATIENT);
        MetricsException failure = failure(Status.INVALID_STATE, "INVALID_RECORDER_STATE", recorder::stopNoWait);
        assertEquals("STOPPED", failure.details().get("recorder_state"));
        assertEquals(List.of("RUNNING"), failure.details().get("expected_states"));
        assertEquals(failure.details(), Json.object(failure.detailsJson()));
    }

    @Test
    void badOptionsAreRefused() {
        Runtime runtime = newRuntime();
        RecorderOptions negative = new RecorderOptions().queueMaxSize(-1);
        MetricsException refused =
                failure(Status.INVALID_ARGUMENT, "INVALID_ARGUMENT", () -> runtime.createRecorder("r", negative));
        assertTrue(refused.detailsJson().contains("queue_max_size"), refused.detailsJson());
        failure(Status.INVALID_ARGUMENT, "INVALID_ARGUMENT", () -> Runtime.create(
                new RuntimeOptions().shutdownTimeout(Duration.ofSeconds(-1))));
        failure(Status.INVALID_ARGUMENT, "INVALID_ARGUMENT", () -> runtime.createRecorder("  "));
        failure(Status.INVALID_ARGUMENT, "INVALID_ARGUMENT", () -> runtime.createRecorder("x".repeat(256)));
        List<Executable> zeros = Arrays.asList(
                () -> new RecorderOptions().queueMaxSize(0),
                () -> new RecorderOptions().queueMaxBytes(0),
                () -> new RecorderOptions().blockTimeout(Duration.ZERO),
                () -> new RuntimeOptions().recorderQueueMaxSize(0),
                () -> new RuntimeOptions().recorderQueueMaxBytes(0),
                () -> new RuntimeOptions().workerThreads(0),
                () -> new RuntimeOptions().shutdownTimeout(Duration.ZERO),
                () -> NativeMetric.counter("c").maxSeries(0),
                () -> new BatchOptions().maxEvents(0),
                () -> new BatchOptions().maxDelay(Duration.ZERO));
        for (Executable zero : zeros) {
            MetricsException failure = failure(Status.INVALID_ARGUMENT, "INVALID_ARGUMENT", zero);
            assertTrue(failure.details().containsKey("argument"));
        }
        assertEquals(List.of(), runtime.listRecorderIds());
    }

    @Test
    void nullIsRefusedAndChangesNothing() {
        Runtime runtime = newRuntime();
        Recorder recorder = closing(runtime.createRecorder("r"));
        List<Executable> nulls = Arrays.asList(
                () -> runtime.createRecorder(null),
                () -> runtime.createRecorder("x", null),
                () -> runtime.getRecorder(null),
                () -> Runtime.create(null),
                () -> Recorder.create(null, new RecorderOptions()),
                () -> recorder.registerMetric("m", null),
                () -> recorder.registerMetric(null, new Counter()),
                () -> recorder.registerNativeMetric(null),
                () -> recorder.registerEvent(null),
                () -> recorder.registerEvent(NUMBERED.type(), (byte[]) null),
                () -> NUMBERED.register(recorder, null),
                () -> NUMBERED.register(null, ONE),
                () -> NUMBERED.buffer(null),
                () -> NUMBERED.batch(null),
                () -> recorder.snapshot(null),
                () -> Symbol.intern(null),
                () -> EventType.declare(null),
                () -> EventOf.declare("x", null),
                () -> new Hooks().onStarting((Hooks.Hook) null),
                () -> new Log(null),
                () -> recorder.flush().onComplete(null));
        for (int i = 0; i < nulls.size(); i++) {
            assertThrows(NullPointerException.class, nulls.get(i), "call " + i);
        }
        assertEquals(0, recorder.stats().accepted());
        assertEquals(List.of(), recorder.iterMetrics());
        assertEquals(List.of("r"), runtime.listRecorderIds());
    }

    @Test
    void jsonOfDetailsIsRead() {
        Map<String, Object> read = Json.object(
                "{\"a\":[1,-2.5,true,false,null,{}],\"b\\n\\u00e4\\\"\":\"\\\\\\t\",\"c\":18446744073709551615, \"d\" : [] }");
        assertEquals(Arrays.asList(1L, -2.5, true, false, null, Map.of()), read.get("a"));
        assertEquals("\\\t", read.get("b\nä\""));
        assertEquals(new BigInteger("18446744073709551615"), read.get("c"));
        assertEquals(List.of(), read.get("d"));
        assertEquals(Map.of("argument", "a\"\\\n"), Json.object("{\"argument\":" + Json.quote("a\"\\\n") + "}"));
    }

    @Test
    void statusWithoutAnErrorHasWords() {
        for (Status status : Status.values()) {
            if (status != Status.OK) {
                MetricsException failure = MetricsException.unpack(status.ordinal(), null);
                assertEquals(status, failure.status());
                assertTrue(failure.getMessage().length() > 5);
                assertEquals(Map.of(), failure.details());
            }
        }
        assertEquals("UNEXPECTED_ERROR", MetricsException.unpack(12345, null).reason());
    }
}
