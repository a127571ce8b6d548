package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class WaitTest extends Fixture {
    private final CountDownLatch gate = new CountDownLatch(1);
    private Recorder recorder;

    /** A flush that is over when the gate opens. */
    private Wait pending() {
        recorder = newRecorder();
        closing(gate::countDown);
        recorder.registerMetric("m", new Counter() {
            @Override
            public boolean handle(Event event) throws Exception {
                gate.await();
                return super.handle(event);
            }
        });
        NUMBERED.register(recorder, ONE);
        return closing(recorder.flush());
    }

    @Test
    void blockingHasATimeout() {
        Wait wait = pending();
        failure(Status.TIMEOUT, "TIMEOUT", () -> wait.block(Duration.ofMillis(5)));
        failure(Status.TIMEOUT, "TIMEOUT", () -> wait.block(Duration.ofSeconds(-1)));
        assertFalse(wait.await(Duration.ofMillis(5)));
        assertFalse(wait.isDone());
        failure(Status.NOT_READY, "NOT_READY", wait::result);
        gate.countDown();
        wait.block();
        wait.block(Duration.ofSeconds(Long.MAX_VALUE));
        assertTrue(wait.isDone());
        assertEquals(new Wait.Result(Operation.FLUSH, Optional.empty()), wait.result());
    }

    @Test
    void futureEndsWithTheOperation() throws Exception {
        Wait wait = pending();
        CompletableFuture<Void> future = wait.future();
        CompletableFuture<String> after = future.thenApply(nothing -> Thread.currentThread().isDaemon() ? "daemon" : "");
        assertThrows(TimeoutException.class, () -> future.get(5, TimeUnit.MILLISECONDS));
        wait.close(); // the future still ends
        gate.countDown();
        assertEquals("daemon", after.get(20, TimeUnit.SECONDS));
    }

    @Test
    void futureFailsWithTheException() {
        recorder = newRecorder();
        recorder.stop().block(PATIENT);
        CompletableFuture<Void> future = recorder.stop().future();
        assertTrue(future.isCompletedExceptionally()); // over already
        ExecutionException failure = assertThrows(ExecutionException.class, future::get);
        MetricsException cause = assertInstanceOf(MetricsException.class, failure.getCause());
        assertEquals("INVALID_RECORDER_STATE", cause.reason());
        assertEquals("STOPPED", cause.details().get("recorder_state"));
    }

    @Test
    void cancellingTheFutureLeavesTheOperationAlone() {
        Wait wait = pending();
        CompletableFuture<Void> future = wait.future();
        assertTrue(future.cancel(true));
        gate.countDown();
        wait.block(PATIENT);
        assertTrue(future.isCancelled());
    }

    @Test
    void callbacksOfCompletion() {
        Wait wait = pending();
        AtomicInteger drops = new AtomicInteger();
        List<String> called = new ArrayList<>();
        wait.onComplete((operation, failure) -> called.add(operation + " " + failure), drops::incrementAndGet);
        wait.onComplete((operation, failure) -> {
            throw new IllegalStateException("lost");
        }, drops::incrementAndGet);
        assertEquals(List.of(), called);
        gate.countDown();
        until("both are dropped", () -> drops.get() == 2);
        assertEquals(List.of("FLUSH null"), called);
        Thread caller = Thread.currentThread();
        wait.onComplete((operation, failure) -> called.add("here " + (Thread.currentThread() == caller)));
        assertEquals("here true", called.get(1));
        wait.close();
        failure(Status.INVALID_HANDLE, "INVALID_HANDLE",
                () -> wait.onComplete((operation, failure) -> called.add("never"), drops::incrementAndGet));
        assertEquals(3, drops.get());
        assertEquals(2, called.size());
    }

    @Test
    void cancelEndsWhatIsUnderWay() {
        Wait wait = pending();
        CompletableFuture<Void> future = wait.future();
        recorder.cancel();
        MetricsException failure =
                failure(Status.CANCELLED, "DISPATCHER_UNEXPECTEDLY_CANCELLED", () -> wait.block(PATIENT));
        assertEquals(failure.reason(), wait.result().error().orElseThrow().reason());
        assertThrows(Exception.class, () -> future.get(20, TimeUnit.SECONDS));
        gate.countDown();
    }

    @Test
    void allWaitersGetTheSame() {
        Wait wait = pending();
        Wait first = closing(recorder.stop());
        Wait second = closing(Wait.fromHandle(recorder.stop().release()));
        gate.countDown();
        first.block(PATIENT);
        second.block(PATIENT);
        wait.block(PATIENT);
        assertEquals(first.result(), second.result());
        assertEquals(Operation.STOP, second.result().operation());
    }

    @Test
    void fileDescriptorIsThere() throws Exception {
        Wait wait = pending();
        assertTrue(Files.exists(Path.of("/proc/self/fd/" + wait.fd())));
        gate.countDown();
        wait.block(PATIENT);
    }

    @Test
    void closedWaitIsAnInvalidHandle() {
        Wait wait = pending();
        wait.close();
        wait.close();
        assertEquals(0, wait.handle());
        for (Executable call : List.<Executable>of(
                wait::block, () -> wait.block(PATIENT), wait::result, wait::future, wait::fd, wait::isDone, wait::release)) {
            failure(Status.INVALID_HANDLE, "INVALID_HANDLE", call);
        }
        gate.countDown();
    }
}
