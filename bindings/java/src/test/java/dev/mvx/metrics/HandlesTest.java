package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class HandlesTest extends Fixture {
    @Test
    void closedRecorderIsAnInvalidHandle() {
        Recorder recorder = newRecorder();
        EventBuffer buffer = NUMBERED.buffer(recorder);
        recorder.close();
        recorder.close();
        assertEquals(0, recorder.handle());
        List<Executable> calls = List.of(
                recorder::start, recorder::stop, recorder::flush, recorder::startNoWait, recorder::stopNoWait,
                recorder::flushNoWait, recorder::cancel, recorder::state, recorder::lastError, recorder::entityId,
                recorder::namespace, recorder::stats, recorder::iterMetrics, recorder::copy, recorder::release,
                buffer::register, () -> recorder.snapshot(PATIENT), () -> recorder.registerMetric("m", new Counter()),
                () -> recorder.registerNativeMetric(NativeMetric.counter("c").eventTypes(NUMBERED.type())),
                () -> recorder.registerEvent(NUMBERED.type(), new byte[8]),
                () -> recorder.registerEvents(NUMBERED.type(), new byte[8], 8, 1),
                () -> NUMBERED.register(recorder, ONE), () -> NUMBERED.batch(recorder));
        for (Executable call : calls) {
            failure(Status.INVALID_HANDLE, "INVALID_HANDLE", call);
        }
        assertEquals(Status.INVALID_HANDLE, buffer.tryRegister());
        assertEquals(Status.INVALID_HANDLE, NUMBERED.tryRegister(recorder, ONE));
    }

    @Test
    void closedRuntimeIsAnInvalidHandle() {
        Runtime runtime = Runtime.create();
        Runtime copy = runtime.copy();
        runtime.close();
        runtime.close();
        List<Executable> calls = List.of(
                runtime::start, runtime::shutdown, runtime::shutdownAsync, runtime::state, runtime::lastError,
                runtime::listRecorderIds, runtime::copy, runtime::release, () -> runtime.createRecorder("r"),
                () -> runtime.getRecorder("r"), () -> runtime.tryGetRecorder("r"), () -> runtime.stopRecorder("r"),
                () -> runtime.stopAndRemoveRecorder("r"), () -> Recorder.create(runtime, new RecorderOptions()));
        for (Executable call : calls) {
            failure(Status.INVALID_HANDLE, "INVALID_HANDLE", call);
        }
        assertEquals(RuntimeState.VIRGIN, copy.state());
        try (Runtime again = Runtime.fromHandle(copy.release())) {
            again.start();
            again.shutdown();
        }
    }

    @Test
    void madeUpHandlesAreInvalid() {
        for (long number : new long[] {0, 1, -1, 0x7FFF_0000_1234L, newRuntime().handle()}) {
            Recorder recorder = Recorder.fromHandle(number);
            failure(Status.INVALID_HANDLE, "INVALID_HANDLE", recorder::state);
            failure(Status.INVALID_HANDLE, "INVALID_HANDLE", () -> NUMBERED.register(recorder, ONE));
            recorder.release();
            Wait wait = Wait.fromHandle(number);
            failure(Status.INVALID_HANDLE, "INVALID_HANDLE", wait::block);
            wait.release();
            failure(Status.INVALID_HANDLE, "INVALID_HANDLE", () -> Completion.fromHandle(number).done());
        }
    }

    private static void inThreads(int count, Executable work) throws Exception {
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            threads.add(new Thread(() -> {
                try {
                    work.execute();
                } catch (Throwable failure) {
                    failures.add(failure);
                }
            }));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(List.of(), failures);
    }

    /** What may be closed meanwhile, or not be over. */
    private static void closable(Executable call) throws Throwable {
        try {
            call.execute();
        } catch (MetricsException failure) {
            assertTrue(Set.of(Status.INVALID_HANDLE, Status.NOT_READY).contains(failure.status()), failure.toString());
        }
    }

    @Test
    void useAfterCloseFromOtherThreads() throws Exception {
        Runtime runtime = newRuntime();
        AtomicReference<Recorder> shared = new AtomicReference<>(runtime.createRecorder("r"));
        AtomicReference<Snapshot> snapshot = new AtomicReference<>(shared.get().snapshot(PATIENT));
        AtomicReference<Wait> wait = new AtomicReference<>(shared.get().flush());
        shared.get().registerMetric("m", new Counter());
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger rounds = new AtomicInteger();
        CyclicBarrier begin = new CyclicBarrier(6);
        inThreads(6, () -> {
            begin.await();
            if (rounds.getAndIncrement() == 0) { // one thread closes
                for (int i = 0; i < 300; i++) {
                    Recorder recorder = shared.get();
                    shared.set(recorder.copy());
                    recorder.close();
                    snapshot.get().close();
                    snapshot.set(shared.get().snapshot(PATIENT));
                    wait.get().close();
                    wait.set(shared.get().flush());
                }
                over.set(true);
                return;
            }
            while (!over.get()) { // the others use what may be closed
                Recorder recorder = shared.get();
                EventBuffer buffer = NUMBERED.buffer(recorder);
                for (int i = 0; i < 50; i++) {
                    closable(buffer::register);
                    closable(() -> NUMBERED.register(recorder, ONE));
                }
                closable(recorder::stats);
                closable(recorder::iterMetrics);
                closable(() -> recorder.snapshot(PATIENT).close());
                closable(() -> snapshot.get().toJson());
                closable(() -> snapshot.get().values());
                closable(() -> wait.get().block(PATIENT));
                closable(() -> wait.get().future());
                closable(() -> wait.get().result());
            }
        });
        assertEquals(RecorderState.RUNNING, shared.get().state());
        shared.get().close();
        snapshot.get().close();
        wait.get().close();
    }

    private static void collect(WeakReference<?> gone) {
        until("it is collected", () -> {
            System.gc();
            return gone.get() == null;
        });
    }

    @Test
    void whatWasForgottenIsFreed() {
        Counter counter = new Counter();
        WeakReference<?> gone = forgotten(counter);
        collect(gone);
        until("its metric is dropped", () -> counter.drops == 1);
        assertEquals(100, counter.total);
    }

    private WeakReference<?> forgotten(Counter counter) {
        Recorder recorder = Recorder.create(newRuntime(), new RecorderOptions());
        recorder.registerMetric("m", counter);
        for (int i = 0; i < 100; i++) {
            NUMBERED.register(recorder, ONE);
        }
        recorder.flush();
        recorder.snapshot(PATIENT).values();
        return new WeakReference<>(recorder);
    }

    @Test
    void bufferKeepsItsRecorder() {
        Counter counter = new Counter();
        Runtime runtime = newRuntime();
        Recorder made = Recorder.create(runtime, new RecorderOptions());
        made.registerMetric("m", counter);
        EventBuffer buffer = NUMBERED.buffer(made);
        made = null;
        for (int i = 0; i < 20; i++) {
            System.gc();
            buffer.register();
        }
        until("all came", () -> counter.total == 20);
        assertEquals(0, counter.drops);
    }

    @Test
    void garbageIsCollectedInAnyOrder() throws Exception {
        AtomicInteger drops = new AtomicInteger();
        for (int round = 0; round < 20; round++) {
            Runtime runtime = newRuntime();
            Recorder recorder = Recorder.create(runtime, new RecorderOptions().hooks(new Hooks()
                    .onMetricChanged((name, metric, event) -> {})
                    .onDropped(drops::incrementAndGet)));
            recorder.registerMetric("m", new Counter());
            List<Object> things = new ArrayList<>(List.of(
                    recorder, recorder.copy(), recorder.start(), recorder.flush(), recorder.flush().future(),
                    NUMBERED.buffer(recorder), recorder.snapshot(PATIENT), recorder.iterMetrics()));
            NUMBERED.register(recorder, ONE);
            recorder = null;
            Collections.shuffle(things, ThreadLocalRandom.current());
            while (!things.isEmpty()) {
                Object thing = things.remove(things.size() - 1);
                if (thing instanceof AutoCloseable && ThreadLocalRandom.current().nextBoolean()) {
                    ((AutoCloseable) thing).close();
                }
                thing = null;
                if (things.size() == 4) {
                    System.gc();
                }
            }
        }
        until("all hooks are dropped", () -> {
            System.gc();
            return drops.get() == 20;
        });
    }

    @Test
    void handlesAreNotUsedUpByWhatIsForgotten() {
        Recorder recorder = newRecorder();
        for (int i = 0; i < 20_000; i++) {
            recorder.flush().block(PATIENT);
        }
        assertNull(recorder.lastError().orElse(null));
    }
}
