package dev.mvx.metrics;

import java.time.Duration;

/**
 * Calls everything again and again, for {@link LeakTest}, and says by how many bytes a round the C heap grew where it grew
 * least: what leaks grows each time, tables that find their size do not.
 */
final class Leaks {
    private static final int ROUNDS = 400;
    private static final int TIMES = 20;
    /** Less than the smallest piece of memory. */
    static final long FREE_OF_LEAKS = 24;

    private Leaks() {}

    private static void expect(Status status, Runnable call) {
        try {
            call.run();
        } catch (MetricsException failure) {
            if (failure.status() == status) {
                return;
            }
            throw failure;
        }
        throw new IllegalStateException(status + " was expected");
    }

    /** Its snapshot fails every other time. */
    private static final class Moody extends Fixture.Counter {
        private int asked;

        @Override
        public void snapshot(Writer writer) throws Exception {
            if (asked++ % 2 == 0) {
                throw new Exception("not now");
            }
            writer.beginMap("map").put("text", "ä").end();
            super.snapshot(writer);
        }
    }

    private static void round(Runtime runtime, Recorder recorder) {
        Duration patient = Duration.ofSeconds(20);
        expect(Status.NOT_FOUND, () -> runtime.getRecorder("none"));
        expect(Status.INVALID_ARGUMENT, () -> recorder.registerMetric("", new Moody()));
        expect(Status.INVALID_ARGUMENT, () -> Runtime.create(new RuntimeOptions().workerThreads(-1)));
        expect(Status.ALREADY_EXISTS, () -> runtime.createRecorder("r", new RecorderOptions()
                .entityId("e").hooks(new Hooks().onStarting(() -> {})).log(new Log(entry -> {}))));
        recorder.registerMetric("m", new Moody()); // the one before is dropped
        recorder.registerNativeMetric(NativeMetric.counter("c")
                .eventTypes(Fixture.NUMBERED.type()).groupBy("thread").where("number", Comparison.GE, 0));
        recorder.registerEvent(Fixture.NUMBERED.type(), new byte[300]);
        recorder.registerEvents(Fixture.NUMBERED.type(), new byte[80], 8, 10);
        Fixture.NUMBERED.register(recorder, Fixture.ONE);
        try (Wait wait = recorder.flush()) {
            wait.future();
            wait.block(patient);
            wait.result();
        }
        expect(Status.METRIC_FAILED, () -> recorder.snapshot(patient));
        try (Snapshot snapshot = recorder.snapshot(patient)) {
            snapshot.values();
            snapshot.toJson();
            snapshot.toOpenMetrics();
        }
        recorder.iterMetrics();
        recorder.stats();
        recorder.entityId();
        runtime.listRecorderIds();
        recorder.copy().close();
        EventType.declare("java.test.numbered", Fixture.NUMBERED.type().fields().toArray(new Field[0]));
        Native.intern(Native.utf8("java.test.symbol"));
        EventType.of(Native.eventTypeDeclare(Native.utf8("java.test.opaque"), new byte[0][], new int[0], 0, null));
    }

    /** Waits for what the library lets go of in the background. */
    private static void settle(Recorder recorder) {
        Fixture.until("all but one metric are dropped", () -> Use.METRICS.size() <= 1);
        recorder.flush().block(Duration.ofSeconds(20));
        System.gc();
    }

    public static void main(String[] arguments) {
        Runtime runtime = Runtime.create();
        runtime.start();
        Recorder recorder = runtime.createRecorder("r", new RecorderOptions().log(new Log(entry -> {})));
        long least = Long.MAX_VALUE;
        for (int time = 0; time < TIMES && least >= FREE_OF_LEAKS; time++) {
            settle(recorder);
            long before = Foreign.heapInUse();
            for (int i = 0; i < ROUNDS; i++) {
                round(runtime, recorder);
            }
            settle(recorder);
            least = Math.min(least, (Foreign.heapInUse() - before) / ROUNDS);
        }
        System.out.println(least);
        runtime.shutdown();
    }
}
