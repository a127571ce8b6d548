package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What recording costs the garbage collector. */
class GarbageTest extends Fixture {
    private static final int EVENTS = 100_000;
    /** For what a loop makes besides: classes that are loaded, compiled code that is thrown away. */
    private static final long CONSTANT = 16_384;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static long allocated() {
        return THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
    }

    private interface Recording {
        void event(int number);
    }

    private static void makesNoGarbage(String what, Recording recording) {
        for (int i = 0; i < 100; i++) {
            recording.event(i);
        }
        long before = allocated();
        for (int i = 0; i < EVENTS; i++) {
            recording.event(i);
        }
        long bytes = allocated() - before;
        assertTrue(bytes <= CONSTANT, what + ": " + bytes + " bytes for " + EVENTS + " events");
    }

    private Recorder counting(RecorderOptions options) {
        Recorder recorder = newRecorder(options);
        recorder.registerNativeMetric(NativeMetric.counter("c").eventTypes(NUMBERED.type()));
        return recorder;
    }

    @Test
    void theMeasureSeesGarbage() {
        long before = allocated();
        byte[][] kept = new byte[100][];
        for (int i = 0; i < kept.length; i++) {
            kept[i] = new byte[1000];
        }
        assertTrue(allocated() - before > CONSTANT);
        assertEquals(1000, kept[99].length);
    }

    @Test
    void buffersMakeNone() {
        Recorder recorder = counting(new RecorderOptions());
        EventBuffer buffer = NUMBERED.buffer(recorder);
        makesNoGarbage("by index", number -> {
            buffer.put(1, number);
            buffer.register();
        });
        makesNoGarbage("by name", number -> {
            buffer.put("number", number);
            buffer.tryRegister();
        });
        EventBuffer texts = RecordsTest.TEXTS.buffer(recorder);
        String[] words = {"one", "two", "drei"};
        makesNoGarbage("texts and symbols", number -> {
            texts.put("route", words[number % 3]);
            texts.put("note", words[number % 3]);
            texts.register();
        });
    }

    @Test
    void recordsThatAreThereMakeNone() {
        Recorder recorder = counting(new RecorderOptions().folding(Folding.OFF).queueMaxSize(1 << 20));
        makesNoGarbage("a record", number -> NUMBERED.register(recorder, ONE));
    }

    @Test
    void arraysMakeNone() {
        Recorder recorder = counting(new RecorderOptions());
        byte[] payload = new byte[8];
        makesNoGarbage("an array", number -> recorder.tryRegisterEvent(NUMBERED.type(), payload));
        ByteBuffer direct = ByteBuffer.allocateDirect(8);
        makesNoGarbage("a direct buffer", number -> recorder.registerEvent(NUMBERED.type(), direct));
    }

    @Test
    void refusedEventsMakeNone() {
        Recorder recorder = counting(new RecorderOptions());
        EventBuffer buffer = NUMBERED.buffer(recorder);
        recorder.stop().block(PATIENT);
        makesNoGarbage("a refused event", number -> buffer.tryRegister());
    }

    @Test
    void batchesMakeNone() {
        Recorder recorder = counting(new RecorderOptions());
        try (BatchOf<Numbered> batch = NUMBERED.batch(recorder, new BatchOptions().maxDelay(Duration.ofHours(1)))) {
            makesNoGarbage("a batch of records", number -> batch.register(ONE));
            makesNoGarbage("a batch of fields", number -> {
                batch.put(1, number);
                batch.register();
            });
        }
    }

    /** The library's thread measures itself, from its second batch on. */
    private static final class Measured extends Counter {
        final AtomicLong bytes = new AtomicLong();
        private long before = -1;

        @Override
        public boolean handle(Event event) throws Exception {
            total += NUMBERED.type().number() == event.type().number() ? event.getInt(4) : 0;
            return true;
        }

        @Override
        public void handleBatch(Events events) throws Exception {
            if (before >= 0) {
                bytes.addAndGet(allocated() - before);
            }
            super.handleBatch(events);
            before = allocated();
        }
    }

    @Test
    void metricsMakeNone() {
        Recorder recorder = newRecorder(new RecorderOptions().queueMaxSize(1 << 20));
        Measured metric = new Measured();
        recorder.registerMetric("m", metric);
        EventBuffer buffer = NUMBERED.buffer(recorder);
        buffer.put(1, 1);
        for (int i = 0; i < EVENTS; i++) {
            buffer.register();
        }
        recorder.flush().block(PATIENT);
        assertEquals(EVENTS, metric.total);
        assertTrue(metric.bytes.get() <= CONSTANT, metric.bytes + " bytes between batches");
    }
}
