package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class LogTest extends Fixture {
    private final List<Log.Entry> entries = new CopyOnWriteArrayList<>();

    private boolean logged(String event) {
        return entries.stream().anyMatch(entry -> entry.event().equals(event));
    }

    @Test
    void recordsAreWritten() {
        AtomicInteger drops = new AtomicInteger();
        Log log = new Log(entries::add).policy(Log.Policy.INSPECTION).maxLevel(Log.Level.TRACE)
                .onDropped(drops::incrementAndGet);
        Runtime runtime = newRuntime(new RuntimeOptions().namespace("läden").log(log));
        Recorder recorder = runtime.createRecorder("r");
        failure(Status.NOT_FOUND, "RECORDER_NOT_FOUND", () -> runtime.getRecorder("none"));
        recorder.snapshot(PATIENT).close();
        recorder.stop().block(PATIENT);
        recorder.close();
        runtime.shutdown();
        runtime.close();
        until("the log is dropped", () -> drops.get() == 1);
        for (String event : List.of("metrics_runtime.create_recorder.success", "metrics_runtime.get_recorder.failed",
                "metrics_recorder.snapshot.success", "metrics_recorder.stop.invoke", "metrics_runtime.shutdown.success")) {
            assertTrue(logged(event), event);
        }
        Log.Entry failed = entries.stream().filter(entry -> entry.event().endsWith(".failed")).findFirst().orElseThrow();
        assertEquals("läden", failed.entityId());
        assertFalse(failed.target().isEmpty());
        assertTrue(failed.fields().containsValue("RECORDER_NOT_FOUND"), failed.toString());
        assertTrue(failed.level().compareTo(Log.Level.INFO) <= 0, failed.toString());
    }

    @Test
    void policyAndLevelLeaveOut() {
        Log silent = new Log(entries::add).policy(Log.Policy.SILENT);
        newRuntime().createRecorder("r", new RecorderOptions().log(silent)).close();
        Log errors = new Log(entries::add).maxLevel(Log.Level.ERROR);
        newRuntime().createRecorder("r", new RecorderOptions().log(errors)).close();
        assertEquals(List.of(), entries);
    }

    @Test
    void whatASinkThrowsIsLost() {
        Recorder recorder = newRecorder(new RecorderOptions().log(new Log(entry -> {
            entries.add(entry);
            throw new IllegalStateException("no paper");
        })));
        recorder.stop().block(PATIENT);
        assertEquals(RecorderState.STOPPED, recorder.state());
        assertFalse(entries.isEmpty());
    }
}
