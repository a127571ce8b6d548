package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.WeakReference;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

@Execution(ExecutionMode.CONCURRENT)
class LeakTest extends Fixture {
    @Test
    void callsLeaveNothingInTheCHeap() throws Exception {
        // Interpreted, so that no compiler uses the C heap meanwhile.
        Child child = Child.run(List.of("-Xint", "-XX:+UseSerialGC"), Leaks.class.getName());
        assertEquals(0, child.exit(), child.output());
        long bytes = Long.parseLong(child.output().strip());
        assertTrue(bytes < Leaks.FREE_OF_LEAKS, bytes + " bytes more with each round");
    }

    @Test
    void whatTheLibraryDroppedIsCollected() {
        WeakReference<?>[] dropped = dropped();
        for (WeakReference<?> reference : dropped) {
            until("it is collected", () -> {
                System.gc();
                return reference.get() == null;
            });
        }
    }

    private WeakReference<?>[] dropped() {
        Runtime runtime = Runtime.create(); // not closed by the fixture, which would keep what it refers to
        runtime.start();
        Hooks hooks = new Hooks().onStarting(() -> {});
        Log log = new Log(entry -> {});
        Counter metric = new Counter();
        Recorder recorder = runtime.createRecorder("r", new RecorderOptions().hooks(hooks).log(log));
        recorder.registerMetric("m", metric);
        NUMBERED.register(recorder, ONE);
        recorder.close();
        runtime.shutdown();
        runtime.close();
        until("the metric is dropped", () -> metric.drops == 1);
        return new WeakReference<?>[] {new WeakReference<>(hooks), new WeakReference<>(log), new WeakReference<>(metric)};
    }
}
