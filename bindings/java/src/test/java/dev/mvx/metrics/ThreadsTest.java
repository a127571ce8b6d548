package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

class ThreadsTest extends Fixture {
    private final List<Thread> threads = new CopyOnWriteArrayList<>();

    private final Counter metric = new Counter() {
        @Override
        public boolean handle(Event event) throws Exception {
            threads.add(Thread.currentThread());
            return super.handle(event);
        }
    };

    @Test
    void threadsAttachOnceAsDaemonsAndDetachAtTheirEnd() {
        Runtime runtime = newRuntime(new RuntimeOptions().threadNamePrefix("java-test"));
        Recorder recorder = closing(runtime.createRecorder("r"));
        recorder.registerMetric("m", metric);
        for (int i = 0; i < 50; i++) {
            NUMBERED.register(recorder, ONE);
            recorder.flush().block(PATIENT);
        }
        assertEquals(50, threads.size());
        for (Thread thread : threads) {
            assertTrue(thread.isDaemon());
            assertTrue(thread.getName().startsWith("java-test"), thread.getName());
            assertNotSame(Thread.currentThread(), thread);
        }
        // Attaching anew would give the same thread another object.
        Set<Long> ids = Set.copyOf(threads.stream().map(Thread::getId).toList());
        assertTrue(ids.size() < 10, ids.size() + " threads for 50 events");
        runtime.shutdown();
        until("they are detached", () -> threads.stream().noneMatch(Thread::isAlive));
    }

    @Test
    void threadsOfARuntimeOfAnotherLanguageDetachToo() {
        Recorder recorder = closing(Recorder.create()); // the default runtime knows nothing of Java
        recorder.registerMetric("m", metric);
        NUMBERED.register(recorder, ONE);
        recorder.flush().block(PATIENT);
        assertTrue(threads.get(0).isDaemon());
        recorder.stop().block(PATIENT);
        try (Runtime runtime = Runtime.defaultRuntime()) {
            runtime.shutdown();
        }
        until("it is detached", () -> !threads.get(0).isAlive());
    }

    @Test
    void javaThreadsStayWhatTheyAre() {
        Recorder recorder = newRecorder();
        recorder.stop().onComplete((operation, failure) -> threads.add(Thread.currentThread()));
        until("it is over", () -> threads.size() == 1);
        recorder.stop().onComplete((operation, failure) -> threads.add(Thread.currentThread()));
        assertSame(Thread.currentThread(), threads.get(1));
        assertTrue(Thread.currentThread().isAlive());
    }
}
