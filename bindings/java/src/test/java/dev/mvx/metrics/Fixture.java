package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.fail;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** What the tests have in common. What it makes is shut down and closed when a test is over. */
@Timeout(60)
abstract class Fixture {
    static final Duration PATIENT = Duration.ofSeconds(20);

    record Numbered(int thread, int number) {}

    static final EventOf<Numbered> NUMBERED = EventOf.declare("java.test.numbered", Numbered.class);
    static final Numbered ONE = new Numbered(0, 1);

    private final Deque<AutoCloseable> open = new ArrayDeque<>();

    /** Counts what it sees, and how often the library let go of it. */
    static class Counter implements Metric {
        volatile long total;
        volatile int drops;

        @Override
        public boolean handle(Event event) throws Exception {
            total++;
            return true;
        }

        @Override
        public void snapshot(Writer writer) throws Exception {
            writer.put("total", total);
        }

        @Override
        public void dropped() {
            drops++;
        }
    }

    <T extends AutoCloseable> T closing(T thing) {
        open.push(thing);
        return thing;
    }

    Runtime newRuntime() {
        return newRuntime(new RuntimeOptions());
    }

    Runtime newRuntime(RuntimeOptions options) {
        Runtime runtime = closing(Runtime.create(options));
        runtime.start();
        closing(() -> shutdown(runtime));
        return runtime;
    }

    /** Recorders that failed in the course of a test keep a shutdown from succeeding, but not from ending. */
    private static void shutdown(Runtime runtime) {
        if (runtime.handle() == 0 || runtime.state() != RuntimeState.RUNNING) {
            return;
        }
        try {
            runtime.shutdown();
        } catch (MetricsException failure) {
            assertEquals("SHUTDOWN_ERROR", failure.reason());
        }
    }

    Recorder newRecorder() {
        return newRecorder(new RecorderOptions());
    }

    Recorder newRecorder(RecorderOptions options) {
        return closing(newRuntime().createRecorder("r", options));
    }

    static Object at(Recorder recorder, String metric, Object... path) {
        try (Snapshot snapshot = recorder.snapshot(PATIENT)) {
            return snapshot.at(metric, path);
        }
    }

    static MetricsException failure(Status status, String reason, Executable call) {
        MetricsException failure = assertThrows(MetricsException.class, call);
        assertEquals(status, failure.status());
        assertEquals(reason, failure.reason());
        return failure;
    }

    static void until(String what, BooleanSupplier holds) {
        long end = System.nanoTime() + PATIENT.toNanos();
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() > end) {
                fail("it never came to be: " + what);
            }
            try {
                Thread.sleep(1);
            } catch (InterruptedException stopped) {
                fail("interrupted");
            }
        }
    }

    @AfterEach
    void closeAll() throws Exception {
        while (!open.isEmpty()) {
            open.pop().close();
        }
    }
}
