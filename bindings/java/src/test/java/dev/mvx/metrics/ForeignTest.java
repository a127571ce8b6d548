package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;

class ForeignTest extends Fixture {
    @Test
    void anotherLanguageRecordsIntoTheSameRecorder() {
        Recorder recorder = newRecorder();
        recorder.registerMetric("m", new Counter());
        recorder.registerNativeMetric(
                NativeMetric.counter("by_thread").eventTypes(NUMBERED.type()).groupBy("thread"));
        assertEquals(NUMBERED.type().number(), Foreign.eventType());
        NUMBERED.register(recorder, ONE);
        assertEquals(0, Foreign.record(recorder.handle(), 10));
        assertEquals(11L, at(recorder, "m", "total"));
        assertEquals("7", at(recorder, "by_thread", "series", 1, "labels", "thread"));
        assertEquals(10L, at(recorder, "by_thread", "series", 1, "value"));
    }

    @Test
    void javaTakesOverAHandleAndGivesOneUp() {
        try (Recorder recorder = Recorder.fromHandle(Foreign.newRecorder())) {
            recorder.registerMetric("m", new Counter());
            long given = recorder.copy().release();
            assertEquals(0, Foreign.record(given, 3));
            Foreign.freeRecorder(given);
            assertEquals(Status.INVALID_HANDLE.ordinal(), Foreign.record(given, 1));
            recorder.flush().block(PATIENT);
            assertEquals(3L, at(recorder, "m", "total"));

            Recorder gone = recorder.copy();
            long number = gone.release();
            failure(Status.INVALID_HANDLE, "INVALID_HANDLE", gone::release);
            failure(Status.INVALID_HANDLE, "INVALID_HANDLE", gone::state);
            gone.close();
            assertEquals(0, Foreign.record(number, 1));
            Foreign.freeRecorder(number);
            recorder.stop().block(PATIENT);
        }
        try (Runtime runtime = Runtime.defaultRuntime()) {
            runtime.shutdown();
        }
    }

    @Test
    void metricOfAnotherLanguageIsNotTakenForAnObject() {
        ConcurrentLinkedQueue<Metric> seen = new ConcurrentLinkedQueue<>();
        Recorder recorder = newRecorder(new RecorderOptions().hooks(new Hooks().onMetricChanged((name, metric, event) -> {
            if (metric != null) {
                seen.add(metric);
            }
        })));
        Counter own = new Counter();
        assertEquals(0, Foreign.registerMetric(recorder.handle()));
        recorder.registerMetric("own", own);
        NUMBERED.register(recorder, ONE);
        List<MetricInfo> metrics = recorder.iterMetrics();
        assertNull(metrics.get(0).metric());
        assertEquals(MetricKind.VTABLE, metrics.get(0).kind());
        assertSame(own, metrics.get(1).metric());
        assertEquals(true, at(recorder, "foreign", "foreign"));
        assertEquals(List.of(own), new ArrayList<>(seen));
    }

    @Test
    void libraryIsLoadedOnce() throws Exception {
        Foreign.eventType();
        long copies = Files.lines(Path.of("/proc/self/maps"))
                .filter(line -> line.contains("libmvx_metrics.so"))
                .map(line -> line.split("\\s+")[4]) // the inode
                .distinct()
                .count();
        assertEquals(1, copies);
    }
}
