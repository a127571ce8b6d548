package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class BatchTest extends Fixture {
    private static final Duration NEVER = Duration.ofHours(1);

    /** A batch that nothing but what the test does sends. */
    private static BatchOf<Numbered> held(Recorder recorder) {
        return NUMBERED.batch(recorder, new BatchOptions().maxDelay(NEVER));
    }

    private static long accepted(Recorder recorder) {
        return recorder.stats().accepted();
    }

    @Test
    void boundedByCount() {
        Recorder recorder = newRecorder();
        try (BatchOf<Numbered> batch = NUMBERED.batch(recorder, new BatchOptions().maxEvents(3).maxDelay(NEVER))) {
            batch.register(ONE);
            batch.register(ONE);
            assertEquals(0, accepted(recorder));
            assertEquals(new BatchStats(2, 0, 0, 0, Status.OK), batch.stats());
            batch.register(ONE);
            assertEquals(3, accepted(recorder));
            assertEquals(new BatchStats(0, 3, 0, 0, Status.OK), batch.stats());
        }
        try (BatchOf<Numbered> one = NUMBERED.batch(recorder, new BatchOptions().maxEvents(1).maxDelay(NEVER))) {
            one.register(ONE);
            assertEquals(4, accepted(recorder));
        }
    }

    @Test
    void boundedByTime() {
        Recorder recorder = newRecorder();
        try (BatchOf<Numbered> batch = NUMBERED.batch(recorder, new BatchOptions().maxDelay(Duration.ofMillis(5)))) {
            for (int round = 1; round <= 3; round++) {
                batch.register(ONE);
                long wanted = round;
                until("the batch is sent in time", () -> accepted(recorder) == wanted);
            }
        }
    }

    @Test
    void sentBeforeWhateverLooks() {
        Runtime runtime = newRuntime();
        Recorder recorder = closing(runtime.createRecorder("r"));
        recorder.registerMetric("m", new Counter());
        BatchOf<Numbered> batch = held(recorder);
        Recorder other = runtime.getRecorder("r"); // another handle of the same recorder
        List<Executable> looks = List.of(
                () -> recorder.snapshot(PATIENT).close(),
                () -> recorder.snapshot(SnapshotMode.RELAXED, PATIENT).close(),
                () -> other.snapshot(PATIENT).close(),
                () -> recorder.flush().block(PATIENT),
                recorder::flushNoWait,
                () -> recorder.stop().block(PATIENT),
                recorder::stopNoWait,
                () -> runtime.stopRecorder("r"));
        long total = 0;
        for (int i = 0; i < looks.size(); i++) {
            if (recorder.state() != RecorderState.RUNNING) {
                until("it is stopped", () -> recorder.state() == RecorderState.STOPPED);
                recorder.start().block(PATIENT);
            }
            batch.register(ONE);
            total++;
            run(looks.get(i));
            assertEquals(total, accepted(recorder), "look " + i);
        }
        recorder.start().block(PATIENT);
        assertEquals(total, at(recorder, "m", "total"));
        batch.register(ONE);
        other.close();
        assertEquals(total + 1, accepted(recorder), "close of another handle");
        batch.register(ONE);
        runtime.shutdown();
        assertEquals(total + 2, recorder.stats().dispatched(), "shutdown");
        batch.close();
    }

    private static void run(Executable call) {
        try {
            call.execute();
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }

    @Test
    void stopAndRemoveAndAsynchronousShutdownSendToo() {
        Runtime runtime = newRuntime();
        Recorder removed = closing(runtime.createRecorder("removed"));
        Recorder left = closing(runtime.createRecorder("left"));
        try (BatchOf<Numbered> one = held(removed);
                BatchOf<Numbered> other = held(left)) {
            one.register(ONE);
            runtime.stopAndRemoveRecorder("removed").close();
            assertEquals(1, removed.stats().dispatched());
            other.register(ONE);
            runtime.shutdownAsync().block(PATIENT);
            assertEquals(1, left.stats().dispatched());
        }
    }

    @Test
    void whatIsRefusedIsCountedAndTold() {
        Recorder recorder = newRecorder();
        AtomicInteger told = new AtomicInteger();
        BatchOf<Numbered> batch = NUMBERED.batch(recorder, new BatchOptions().maxEvents(8).maxDelay(NEVER)
                .onLost((count, status) -> {
                    assertEquals(Status.INVALID_STATE, status);
                    told.addAndGet(count);
                    throw new IllegalStateException("lost");
                }));
        batch.register(ONE);
        recorder.stop().block(PATIENT);
        for (int i = 0; i < 7; i++) {
            batch.register(ONE);
        }
        failure(Status.INVALID_STATE, "INVALID_STATE", () -> batch.register(ONE)); // the eighth sends them
        assertEquals(new BatchStats(0, 1, 0, 8, Status.INVALID_STATE), batch.stats());
        assertEquals(8, told.get());
        MetricsException lost = failure(Status.INVALID_STATE, "INVALID_STATE", batch::close);
        assertTrue(lost.getMessage().startsWith("8 batched events were refused"), lost.getMessage());
        batch.close();
        failure(Status.INVALID_HANDLE, "INVALID_HANDLE", () -> batch.register(ONE));
        failure(Status.INVALID_HANDLE, "INVALID_HANDLE", batch::register);
    }

    @Test
    void pendingLimitHoldsForBatches() {
        for (OverflowPolicy policy : List.of(OverflowPolicy.DROP, OverflowPolicy.RAISE_ERROR)) {
            CountDownLatch gate = new CountDownLatch(1);
            Recorder recorder = newRecorder(new RecorderOptions().queueMaxSize(10).overflowPolicy(policy));
            recorder.registerMetric("m", new Counter() {
                @Override
                public boolean handle(Event event) throws Exception {
                    gate.await();
                    return super.handle(event);
                }
            });
            BatchOf<Numbered> batch = held(recorder);
            for (int i = 0; i < 100; i++) {
                batch.register(ONE);
            }
            if (policy == OverflowPolicy.DROP) {
                batch.send();
                assertEquals(new BatchStats(0, 10, 90, 0, Status.OK), batch.stats());
                batch.close();
            } else {
                failure(Status.QUEUE_OVERFLOW, "QUEUE_OVERFLOW", batch::send);
                assertEquals(new BatchStats(0, 10, 0, 90, Status.QUEUE_OVERFLOW), batch.stats());
                failure(Status.QUEUE_OVERFLOW, "QUEUE_OVERFLOW", batch::close);
            }
            gate.countDown();
        }
    }

    @Test
    void eventsKeepTheirOrderAndFields() {
        Recorder recorder = newRecorder();
        List<Numbered> seen = new ArrayList<>();
        recorder.registerMetric("m", new Counter() {
            @Override
            public boolean handle(Event event) throws Exception {
                seen.add(NUMBERED.of(event));
                return super.handle(event);
            }
        });
        List<Numbered> wanted = new ArrayList<>();
        try (Batch batch = NUMBERED.type().batch(recorder, new BatchOptions().maxEvents(5).maxDelay(NEVER))) {
            batch.put("thread", 7); // stays
            for (int i = 0; i < 100; i++) {
                batch.put("number", i);
                batch.register();
                wanted.add(new Numbered(7, i));
                if (i % 17 == 0) {
                    batch.send();
                }
            }
        }
        recorder.flush().block(PATIENT);
        assertEquals(wanted, seen);
    }

    @Test
    void eventsWithoutAPayload() {
        EventType bare = EventType.declare("java.test.bare");
        Recorder recorder = newRecorder();
        try (Batch batch = bare.batch(recorder, new BatchOptions().maxEvents(4))) {
            for (int i = 0; i < 10; i++) {
                batch.register();
            }
        }
        assertEquals(10, accepted(recorder));
    }

    @Test
    void anyThreadMaySendMeanwhile() throws Exception {
        Recorder recorder = newRecorder(new RecorderOptions().queueMaxSize(1 << 20));
        Counter counter = new Counter();
        recorder.registerMetric("m", counter);
        AtomicBoolean over = new AtomicBoolean();
        AtomicReference<Throwable> failed = new AtomicReference<>();
        BatchOf<Numbered> batch = NUMBERED.batch(recorder, new BatchOptions().maxEvents(64).maxDelay(Duration.ofNanos(1)));
        List<Thread> senders = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            senders.add(new Thread(() -> {
                try {
                    while (!over.get()) {
                        batch.send();
                        recorder.snapshot(PATIENT).close();
                        batch.stats();
                    }
                } catch (Throwable failure) {
                    failed.set(failure);
                }
            }));
        }
        senders.forEach(Thread::start);
        for (int i = 0; i < 100_000; i++) {
            batch.register(ONE);
        }
        batch.close();
        over.set(true);
        for (Thread sender : senders) {
            sender.join();
        }
        assertEquals(null, failed.get());
        assertEquals(100_000, accepted(recorder));
        assertEquals(100_000L, at(recorder, "m", "total"));
        assertEquals(new BatchStats(0, 100_000, 0, 0, Status.OK), batch.stats());
    }

    @Test
    void aCallbackNeverWaitsForWhoIsSending() {
        Recorder recorder = newRecorder(new RecorderOptions().queueMaxSize(1).overflowPolicy(OverflowPolicy.BLOCK)
                .blockTimeout(PATIENT));
        AtomicReference<Batch> batch = new AtomicReference<>();
        CountDownLatch sending = new CountDownLatch(1);
        recorder.registerMetric("m", new Counter() {
            @Override
            public boolean handle(Event event) throws Exception {
                if (total == 0) {
                    sending.await();
                    recorder.flush(); // would send the batch
                    batch.get().send();
                }
                return super.handle(event);
            }
        });
        batch.set(held(recorder));
        for (int i = 0; i < 3; i++) {
            batch.get().register();
        }
        Thread sender = new Thread(() -> batch.get().send());
        sender.start();
        until("the sender holds the batch", () -> recorder.stats().pending() > 0);
        sending.countDown();
        until("all are sent", () -> batch.get().stats().sent() == 3);
        batch.get().close();
    }
}
