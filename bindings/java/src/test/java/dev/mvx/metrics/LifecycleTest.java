package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LifecycleTest extends Fixture {
    @Test
    void runtimeGoesThroughItsStates() {
        Runtime runtime = closing(Runtime.create(new RuntimeOptions().namespace("orders").threadNamePrefix("orders")));
        assertEquals(RuntimeState.VIRGIN, runtime.state());
        runtime.start();
        runtime.start();
        assertEquals(RuntimeState.RUNNING, runtime.state());
        try (Recorder recorder = runtime.createRecorder("r")) {
            assertEquals("orders", recorder.namespace());
        }
        runtime.shutdown();
        runtime.shutdown();
        assertEquals(RuntimeState.CLOSED, runtime.state());
        assertEquals(Optional.empty(), runtime.lastError());
        failure(Status.INVALID_STATE, "INVALID_RUNTIME_STATE", runtime::start);
    }

    @Test
    void shutdownCanBeWaitedFor() {
        Runtime runtime = newRuntime();
        try (Wait wait = runtime.shutdownAsync()) {
            wait.block(PATIENT);
            assertEquals(Operation.SHUTDOWN, wait.result().operation());
        }
        assertEquals(RuntimeState.CLOSED, runtime.state());
    }

    @Test
    void registryOfRecorders() {
        Runtime runtime = newRuntime();
        Recorder recorder = closing(runtime.createRecorder(" säve ", new RecorderOptions().namespace("n")));
        assertEquals("säve", recorder.entityId());
        assertEquals("n", recorder.namespace());
        assertEquals(List.of("säve"), runtime.listRecorderIds());
        NUMBERED.register(recorder, ONE);
        recorder.flush().block(PATIENT);
        try (Recorder other = runtime.getRecorder("säve")) {
            assertEquals(1, other.stats().accepted());
        }
        assertTrue(runtime.tryGetRecorder("none").isEmpty());
        runtime.tryGetRecorder("säve").orElseThrow().close();
        runtime.stopRecorder("säve");
        runtime.stopRecorder("säve");
        assertEquals(RecorderState.STOPPED, recorder.state());
        runtime.stopAndRemoveRecorder("säve").close();
        assertEquals(List.of(), runtime.listRecorderIds());
        failure(Status.NOT_FOUND, "RECORDER_NOT_FOUND", () -> runtime.stopAndRemoveRecorder("säve"));
    }

    @Test
    void recorderGoesThroughItsStates() {
        Recorder recorder = closing(Recorder.create(newRuntime(), new RecorderOptions().entityId("e")));
        assertEquals(RecorderState.VIRGIN, recorder.state());
        recorder.start().block(PATIENT);
        assertEquals(RecorderState.RUNNING, recorder.state());
        recorder.stop().block(PATIENT);
        assertEquals(RecorderState.STOPPED, recorder.state());
        failure(Status.INVALID_STATE, "INVALID_RECORDER_STATE", () -> recorder.stop().block());
        failure(Status.INVALID_STATE, "INVALID_RECORDER_STATE", recorder::stopNoWait);
        failure(Status.INVALID_STATE, "INVALID_STATE", () -> NUMBERED.register(recorder, ONE));
        recorder.startNoWait();
        until("it runs again", () -> recorder.state() == RecorderState.RUNNING);
        recorder.flushNoWait();
        recorder.cancel();
        recorder.cancel();
        assertEquals(RecorderState.CANCELLED, recorder.state());
        assertEquals("DISPATCHER_UNEXPECTEDLY_CANCELLED", recorder.lastError().orElseThrow().reason());
        failure(Status.INVALID_STATE, "INVALID_RECORDER_STATE", () -> recorder.flush().block());
    }

    @Test
    void firstEventStartsARecorderOfTheDefaultRuntime() {
        Recorder recorder = closing(Recorder.create());
        Counter counter = new Counter();
        recorder.registerMetric("m", counter);
        NUMBERED.register(recorder, ONE);
        recorder.flush().block(PATIENT);
        until("it runs", () -> recorder.state() == RecorderState.RUNNING);
        assertEquals(1L, at(recorder, "m", "total"));
        try (Runtime runtime = Runtime.defaultRuntime()) {
            assertEquals(RuntimeState.RUNNING, runtime.state());
            recorder.stop().block(PATIENT);
            runtime.shutdown();
            assertEquals(RuntimeState.CLOSED, runtime.state());
        }
    }

    @Test
    void statsAddUp() {
        Recorder recorder = newRecorder();
        for (int i = 0; i < 100; i++) {
            NUMBERED.register(recorder, ONE);
        }
        recorder.flush().block(PATIENT);
        Stats stats = recorder.stats();
        assertEquals(100, stats.accepted());
        assertEquals(100, stats.dispatched());
        assertEquals(0, stats.dropped() + stats.refused() + stats.discarded() + stats.pending());
        assertFalse(stats.lag().isNegative());
    }

    @Test
    void closingTheLastHandleStopsInTheBackground() {
        Counter counter = new Counter();
        Recorder recorder = Recorder.create(newRuntime(), new RecorderOptions());
        recorder.registerMetric("m", counter);
        NUMBERED.register(recorder, ONE);
        recorder.close();
        recorder.close();
        until("its metric is dropped", () -> counter.drops == 1);
        assertEquals(1, counter.total);
    }

    @Test
    void libraryHasAVersion() {
        assertTrue(Library.version().matches("\\d+\\.\\d+\\.\\d+.*"), Library.version());
        assertEquals(1, Library.abiVersion());
    }
}
