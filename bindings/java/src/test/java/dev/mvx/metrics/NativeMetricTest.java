package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NativeMetricTest extends Fixture {
    record Request(String route, @EventField(unsigned = true) long bytes, double seconds, boolean cached, int code) {}

    static final EventOf<Request> REQUEST = EventOf.declare("java.test.request", Request.class);

    private Recorder recorder;

    private Object count(NativeMetric metric) {
        recorder.registerNativeMetric(metric.eventTypes(REQUEST.type()));
        REQUEST.register(recorder, new Request("/", 10, 0.5, true, 200));
        REQUEST.register(recorder, new Request("/a", -1, 1.5, false, 404));
        REQUEST.register(recorder, new Request("/", 30, 2.5, false, -5));
        return at(recorder, "m", "value");
    }

    private long filtered(NativeMetric metric) {
        recorder = newRecorder();
        return (long) count(metric);
    }

    private static NativeMetric counter() {
        return NativeMetric.counter("m");
    }

    @Test
    void filters() {
        assertEquals(3, filtered(counter()));
        assertEquals(1, filtered(counter().where("cached", Comparison.EQ, true)));
        assertEquals(2, filtered(counter().where("cached", Comparison.NE, true)));
        assertEquals(2, filtered(counter().where("code", Comparison.GE, 200)));
        assertEquals(1, filtered(counter().where("code", Comparison.LT, 0)));
        assertEquals(1, filtered(counter().where("seconds", Comparison.GT, 1.5)));
        assertEquals(2, filtered(counter().where("seconds", Comparison.LE, 1.5)));
        assertEquals(2, filtered(counter().where("route", Comparison.EQ, "/")));
        assertEquals(1, filtered(counter().whereUnsigned("bytes", Comparison.EQ, -1)));
        assertEquals(1, filtered(counter().where("route", Comparison.EQ, "/").where("cached", Comparison.EQ, false)));
    }

    @Test
    void groupsAndTheirLimit() {
        recorder = newRecorder();
        count(counter().groupBy("route", "code").maxSeries(2).unit("requests").help("How many came."));
        assertEquals(Map.of("route", "/", "code", "200"), at(recorder, "m", "series", 0, "labels"));
        assertEquals(1L, at(recorder, "m", "series", 1, "value"));
        assertEquals(true, at(recorder, "m", "series", 2, "overflow"));
        assertEquals(1L, at(recorder, "m", "overflow_events"));
        try (Snapshot snapshot = recorder.snapshot(PATIENT)) {
            assertTrue(snapshot.toOpenMetrics().contains("How many came."), snapshot.toOpenMetrics());
        }
    }

    @Test
    void valueOfAField() {
        recorder = newRecorder();
        assertEquals(4.5, count(counter().valueField("seconds")));
        recorder = newRecorder();
        recorder.registerNativeMetric(NativeMetric.gauge("g").eventTypes(List.of(REQUEST.type())).valueField("code"));
        assertNull(at(recorder, "g", "value"));
        assertEquals(3L, count(counter()));
        assertEquals(-5L, at(recorder, "g", "value"));
    }

    @Test
    void foldingCanBeTurnedOff() {
        recorder = newRecorder(new RecorderOptions().folding(Folding.OFF));
        assertEquals(3L, count(counter()));
        assertTrue(recorder.stats().pendingMax() > 0);
    }

    @Test
    void kindsThatTheLibraryDoesNotOfferAreRefused() {
        recorder = newRecorder();
        for (NativeMetric metric : List.of(
                NativeMetric.upDownCounter("m").valueField("seconds"),
                NativeMetric.histogram("m", 0.1, 1).valueField("seconds"),
                NativeMetric.exponentialHistogram("m").valueField("seconds"),
                NativeMetric.quantileSketch("m").valueField("seconds").relativeError(0.01),
                NativeMetric.distinctCount("m").valueField("code"))) {
            try {
                recorder.registerNativeMetric(metric.eventTypes(REQUEST.type()));
            } catch (MetricsException refused) {
                assertEquals(Status.UNSUPPORTED, refused.status());
            }
        }
    }

    @Test
    void badDeclarationsAreRefused() {
        recorder = newRecorder();
        for (NativeMetric metric : List.of(
                counter(), NativeMetric.counter("").eventTypes(REQUEST.type()),
                counter().eventTypes(REQUEST.type()).valueField("none"),
                counter().eventTypes(REQUEST.type()).groupBy("none"),
                counter().eventTypes(REQUEST.type()).where("route", Comparison.EQ, 1),
                counter().eventTypes(REQUEST.type()).maxSeries(-1),
                counter().eventTypes(REQUEST.type()).flags(1))) {
            failure(Status.INVALID_ARGUMENT, "INVALID_ARGUMENT", () -> recorder.registerNativeMetric(metric));
        }
        assertThrows(NullPointerException.class, () -> counter().where(null, Comparison.EQ, 1));
        assertThrows(NullPointerException.class, () -> counter().where("route", Comparison.EQ, null));
        assertEquals(List.of(), recorder.iterMetrics());
    }
}
