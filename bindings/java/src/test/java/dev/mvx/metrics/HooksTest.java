package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class HooksTest extends Fixture {
    private final ConcurrentLinkedQueue<String> calls = new ConcurrentLinkedQueue<>();

    private Recorder virgin(Hooks hooks) {
        return closing(Recorder.create(newRuntime(), new RecorderOptions().hooks(hooks)));
    }

    @Test
    void hooksRunInOrder() {
        AtomicInteger drops = new AtomicInteger();
        Counter metric = new Counter();
        Hooks hooks = new Hooks()
                .onStarting(() -> calls.add("starting"))
                .onStopped(() -> calls.add("stopped"))
                .onMetricChanged((name, changed, event) -> {
                    assertSame(name.equals("m") ? metric : null, changed);
                    calls.add(name + " " + NUMBERED.of(event).number());
                })
                .onDropped(drops::incrementAndGet);
        Recorder recorder = virgin(hooks);
        hooks.onStopped(() -> calls.add("not this one")); // options were copied
        recorder.registerMetric("m", metric);
        recorder.registerNativeMetric(NativeMetric.counter("native").eventTypes(NUMBERED.type()));
        NUMBERED.register(recorder, new Numbered(0, 1));
        NUMBERED.register(recorder, new Numbered(0, 2));
        recorder.flush().block(PATIENT);
        until("it runs", () -> recorder.state() == RecorderState.RUNNING);
        recorder.stop().block(PATIENT);
        assertEquals(List.of("starting", "m 1", "native 1", "m 2", "native 2", "stopped"), new ArrayList<>(calls));
        assertEquals(0, drops.get());
        recorder.close();
        until("the hooks are dropped", () -> drops.get() == 1);
    }

    @Test
    void hooksMayFinishLater() throws Exception {
        LinkedBlockingQueue<Completion> tokens = new LinkedBlockingQueue<>();
        CompletableFuture<String> later = new CompletableFuture<>();
        Recorder recorder = virgin(new Hooks()
                .onStarting(completion -> {
                    tokens.add(completion);
                    return HookResult.PENDING;
                })
                .onStopped(completion -> completion.after(later)));
        Wait start = closing(recorder.start());
        Completion token = tokens.take();
        assertFalse(start.await(Duration.ofMillis(20)));
        assertEquals(RecorderState.STARTING, recorder.state());
        Completion.fromHandle(token.handle()).done();
        start.block(PATIENT);
        failure(Status.INVALID_HANDLE, "INVALID_HANDLE", token::done);
        Wait stop = closing(recorder.stop());
        assertFalse(stop.await(Duration.ofMillis(20)));
        later.complete("");
        stop.block(PATIENT);
    }

    @Test
    void hooksFail() {
        Recorder recorder = virgin(new Hooks().onStarting(() -> {
            throw new Exception("kein Boden");
        }));
        MetricsException failure =
                failure(Status.HOOK_FAILED, "ON_STARTING_HOOK_FAILED", () -> recorder.start().block(PATIENT));
        assertEquals("kein Boden", failure.getCause().getMessage());
        assertEquals(RecorderState.FAILURE, recorder.state());

        Recorder other = virgin(new Hooks().onStopped(completion -> {
            return completion.after(CompletableFuture.supplyAsync(() -> {
                throw new IllegalStateException("too late");
            }));
        }));
        other.start().block(PATIENT);
        failure = failure(Status.HOOK_FAILED, "ON_STOPPED_HOOK_FAILED", () -> other.stop().block(PATIENT));
        assertEquals("too late", failure.getCause().getMessage());

        Recorder silent = virgin(new Hooks().onStarting(completion -> {
            completion.fail("");
            return HookResult.PENDING;
        }));
        failure = failure(Status.HOOK_FAILED, "ON_STARTING_HOOK_FAILED", () -> silent.start().block(PATIENT));
        assertEquals("the hook failed", failure.getCause().getMessage());

        Recorder nothing = virgin(new Hooks().onStarting(completion -> null));
        failure(Status.HOOK_FAILED, "ON_STARTING_HOOK_FAILED", () -> nothing.start().block(PATIENT));
    }

    @Test
    void aFailingChangeHookFailsTheRecorder() {
        Recorder recorder = virgin(new Hooks()
                .onMetricChanged((name, metric, event, completion) -> {
                    completion.fail("no change");
                    return HookResult.PENDING;
                })
                .onStopped(() -> calls.add("clean-up")));
        recorder.registerMetric("m", new Counter());
        NUMBERED.register(recorder, ONE);
        until("it failed", () -> recorder.state() == RecorderState.FAILURE && calls.contains("clean-up"));
        assertEquals("no change", recorder.lastError().orElseThrow().getCause().getMessage());
    }

    @Test
    void tokenOfAHookThatWasDoneIsNoLongerValid() throws Exception {
        LinkedBlockingQueue<Completion> tokens = new LinkedBlockingQueue<>();
        Recorder recorder = virgin(new Hooks().onStarting(completion -> {
            tokens.add(completion);
            return HookResult.DONE;
        }));
        recorder.start().block(PATIENT);
        Completion token = tokens.take();
        failure(Status.INVALID_HANDLE, "INVALID_HANDLE", () -> token.fail("x"));
        assertNull(recorder.lastError().orElse(null));
    }
}
