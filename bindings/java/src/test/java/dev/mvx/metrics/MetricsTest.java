package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class MetricsTest extends Fixture {
    /** Fails as it is told. */
    private static final class Failing extends Counter {
        Throwable failure;
        Throwable snapshotFailure;

        @Override
        public boolean handle(Event event) throws Exception {
            raise(failure);
            return super.handle(event);
        }

        @Override
        public void snapshot(Writer writer) throws Exception {
            raise(snapshotFailure);
            super.snapshot(writer);
        }

        private static void raise(Throwable failure) throws Exception {
            if (failure instanceof Error) {
                throw (Error) failure;
            } else if (failure != null) {
                throw (Exception) failure;
            }
        }
    }

    private static MetricsException cause(MetricsException failure) {
        return assertInstanceOf(MetricsException.class, failure.getCause());
    }

    @Test
    void aMetricsExceptionFailsTheRecorder() {
        for (Throwable thrown : List.of(new Exception("a bad day"), new StackOverflowError("too deep"))) {
            Recorder recorder = newRecorder();
            Failing metric = new Failing();
            metric.failure = thrown;
            recorder.registerMetric("m", metric);
            NUMBERED.register(recorder, ONE);
            until("it failed", () -> recorder.state() == RecorderState.FAILURE);
            MetricsException error = recorder.lastError().orElseThrow();
            assertEquals(Status.METRIC_FAILED, error.status());
            assertEquals("m", error.details().get("metric"));
            assertEquals("CALLBACK_ERROR", cause(error).reason());
            assertEquals(thrown.getMessage(), cause(error).getMessage());
            MetricsException refused = failure(
                    Status.INVALID_STATE, "INVALID_RECORDER_STATE", () -> recorder.registerMetric("n", new Counter()));
            assertEquals(Status.METRIC_FAILED, cause(refused).status());
        }
    }

    @Test
    void aFailureWithoutWordsIsTold() {
        Recorder recorder = newRecorder();
        Failing metric = new Failing();
        metric.failure = new IllegalStateException();
        recorder.registerMetric("m", metric);
        NUMBERED.register(recorder, ONE);
        until("it failed", () -> recorder.state() == RecorderState.FAILURE);
        assertEquals("java.lang.IllegalStateException", cause(recorder.lastError().orElseThrow()).getMessage());
    }

    @Test
    void aMetricIsQuarantined() {
        Recorder recorder =
                newRecorder(new RecorderOptions().metricErrorPolicy(MetricErrorPolicy.QUARANTINE_METRIC));
        Failing bad = new Failing();
        bad.failure = new Exception("schlecht");
        Counter good = new Counter();
        recorder.registerMetric("bad", bad);
        recorder.registerMetric("good", good);
        recorder.registerNativeMetric(NativeMetric.counter("native").eventTypes(NUMBERED.type()));
        for (int i = 0; i < 10; i++) {
            NUMBERED.register(recorder, ONE);
        }
        recorder.flush().block(PATIENT);
        assertEquals(10, good.total);
        assertEquals(1, recorder.stats().quarantinedMetrics());
        List<MetricInfo> metrics = recorder.iterMetrics();
        assertEquals(List.of("bad", "good", "native"), metrics.stream().map(MetricInfo::name).toList());
        assertEquals(List.of(MetricKind.VTABLE, MetricKind.VTABLE, MetricKind.COUNTER),
                metrics.stream().map(MetricInfo::kind).toList());
        assertEquals(MetricState.QUARANTINED, metrics.get(0).state());
        assertEquals("schlecht", cause(metrics.get(0).error()).getMessage());
        assertSame(bad, metrics.get(0).metric());
        assertSame(good, metrics.get(1).metric());
        assertEquals(MetricState.ACTIVE, metrics.get(1).state());
        assertNull(metrics.get(1).error());
        assertNull(metrics.get(2).metric());
    }

    @Test
    void aFailingSnapshotLeavesTheRecorderAlone() {
        Recorder recorder = newRecorder();
        Failing metric = new Failing();
        metric.snapshotFailure = new Exception("no view");
        recorder.registerMetric("m", metric);
        NUMBERED.register(recorder, ONE);
        MetricsException failure =
                failure(Status.METRIC_FAILED, "UNEXPECTED_ERROR", () -> recorder.snapshot(PATIENT));
        assertEquals("m", failure.details().get("metric"));
        assertEquals("no view", cause(failure).getMessage());
        metric.snapshotFailure = null;
        assertEquals(1L, at(recorder, "m", "total"));
    }

    @Test
    void metricIsReplacedInItsPlaceAndDroppedOnce() {
        Recorder recorder = newRecorder();
        Counter first = new Counter();
        Counter second = new Counter();
        recorder.registerMetric("a", first);
        recorder.registerMetric("b", new Counter());
        NUMBERED.register(recorder, ONE);
        recorder.registerMetric("a", second);
        NUMBERED.register(recorder, ONE);
        recorder.flush().block(PATIENT);
        until("the first is dropped", () -> first.drops == 1);
        assertEquals(1, first.total);
        assertEquals(1, second.total);
        assertSame(second, recorder.iterMetrics().get(0).metric());
        assertEquals(0, second.drops);

        Counter refused = new Counter();
        failure(Status.INVALID_ARGUMENT, "INVALID_ARGUMENT", () -> recorder.registerMetric("", refused));
        assertEquals(1, refused.drops);
    }

    @Test
    void metricGetsTheTypesThatItWants() {
        EventType other = EventType.declare("java.test.unwanted");
        Recorder recorder = newRecorder();
        List<String> seen = new ArrayList<>();
        recorder.registerMetric("m", new Counter() {
            @Override
            public List<EventType> eventTypes() {
                return List.of(NUMBERED.type());
            }

            @Override
            public boolean commutative() {
                return true;
            }

            @Override
            public boolean handle(Event event) throws Exception {
                seen.add(event.type().name());
                return super.handle(event);
            }
        });
        NUMBERED.register(recorder, ONE);
        recorder.registerEvent(other);
        NUMBERED.register(recorder, ONE);
        recorder.flush().block(PATIENT);
        assertEquals(List.of("java.test.numbered", "java.test.numbered"), seen);
    }

    /** Lets a batch pile up behind its first event. */
    private static class Gated extends Counter {
        final CountDownLatch arrived = new CountDownLatch(1);
        final CountDownLatch gate = new CountDownLatch(1);
        final AtomicInteger calls = new AtomicInteger();
        final AtomicInteger largest = new AtomicInteger();

        @Override
        public boolean handle(Event event) throws Exception {
            arrived.countDown();
            gate.await();
            return super.handle(event);
        }

        @Override
        public void handleBatch(Events events) throws Exception {
            calls.incrementAndGet();
            largest.accumulateAndGet(events.size(), Math::max);
            super.handleBatch(events);
            assertTrue(!events.next());
            assertThrows(IllegalStateException.class, () -> events.event().length());
        }
    }

    private static void pileUp(Recorder recorder, Gated metric) throws Exception {
        recorder.registerMetric("m", metric);
        NUMBERED.register(recorder, new Numbered(0, 0));
        metric.arrived.await();
        for (int i = 1; i < 100; i++) {
            NUMBERED.register(recorder, new Numbered(0, i));
        }
        metric.gate.countDown();
        recorder.flush().block(PATIENT);
        assertEquals(100, metric.total);
    }

    @Test
    void aBatchIsOneCall() throws Exception {
        Gated metric = new Gated();
        pileUp(newRecorder(), metric);
        assertTrue(metric.largest.get() >= 50, "the largest batch had " + metric.largest);
        assertTrue(metric.calls.get() < 50, metric.calls + " calls");
    }

    @Test
    void eventsComeOneByOneIfAskedFor() throws Exception {
        Gated metric = new Gated() {
            @Override
            public boolean oneByOne() {
                return true;
            }
        };
        pileUp(newRecorder(), metric);
        assertEquals(0, metric.calls.get());
    }

    @Test
    void aBatchSaysWhichEventsChangedTheMetric() throws Exception {
        List<Integer> changed = new ArrayList<>();
        Recorder recorder = newRecorder(new RecorderOptions().hooks(
                new Hooks().onMetricChanged((name, metric, event) -> changed.add(event.getInt(4)))));
        pileUp(recorder, new Gated() {
            @Override
            public boolean handle(Event event) throws Exception {
                super.handle(event);
                return event.getInt(4) % 10 == 0;
            }
        });
        assertEquals(List.of(0, 10, 20, 30, 40, 50, 60, 70, 80, 90), changed);
    }

    @Test
    void aCallbackMayCallTheLibrary() {
        Runtime runtime = newRuntime();
        Recorder recorder = closing(runtime.createRecorder("r"));
        List<Object> caught = new ArrayList<>();
        recorder.registerMetric("m", new Counter() {
            @Override
            public boolean handle(Event event) throws Exception {
                super.handle(event);
                if (total == 1) {
                    NUMBERED.register(recorder, ONE);
                    caught.add(failure(Status.WOULD_DEADLOCK, "WOULD_DEADLOCK", () -> recorder.flush().block()));
                    caught.add(failure(Status.WOULD_DEADLOCK, "WOULD_DEADLOCK", () -> runtime.stopRecorder("r")));
                    caught.add(failure(Status.WOULD_DEADLOCK, "WOULD_DEADLOCK", runtime::shutdown));
                    caught.add(at(recorder, "m", "total")); // a callback in a callback
                    caught.add(event.getInt(4));
                }
                return true;
            }
        });
        NUMBERED.register(recorder, new Numbered(0, 17));
        until("both came", () -> recorder.stats().dispatched() == 2);
        assertEquals(5, caught.size());
        assertEquals(1L, caught.get(3));
        assertEquals(17, caught.get(4));
    }

    @Test
    void largePayloadsAndManyEventsFit() {
        Recorder recorder = newRecorder(new RecorderOptions().queueMaxBytes(1 << 26).queueMaxSize(1 << 20));
        EventType opaque = EventType.declare("java.test.opaque");
        CountDownLatch gate = new CountDownLatch(1);
        long[] sum = new long[1];
        Counter metric = new Counter() {
            @Override
            public boolean handle(Event event) throws Exception {
                gate.await();
                sum[0] += event.getByte(event.length() - 1);
                return super.handle(event);
            }
        };
        recorder.registerMetric("m", metric);
        byte[] payload = new byte[4096];
        payload[4095] = 1;
        for (int i = 0; i < 3000; i++) {
            recorder.registerEvent(opaque, payload);
        }
        gate.countDown();
        recorder.flush().block(PATIENT);
        assertEquals(3000, metric.total);
        assertEquals(3000, sum[0]);
    }
}
