package dev.mvx.metrics;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

/**
 * Batches that are open, by their recorder, so that whoever stops a recorder or looks at it sends them first. A recorder has
 * many handles; its identity finds it by all of them.
 */
final class OpenBatches {
    private static final Map<Recorder.Identity, Set<Batch>> OPEN = new HashMap<>();
    private static volatile int count; // without batches nobody pays for them

    private OpenBatches() {}

    /** Threads that don't keep a JVM alive, and end when there is nothing to do. */
    private static final class Timer {
        private static final ThreadFactory DAEMONS = work -> {
            Thread thread = new Thread(work, "mvx-batches");
            thread.setDaemon(true);
            return thread;
        };
        private static final ScheduledThreadPoolExecutor CLOCK = new ScheduledThreadPoolExecutor(1, DAEMONS);
        // A batch whose recorder blocks must not hold up the others.
        private static final ExecutorService SENDERS = Executors.newCachedThreadPool(DAEMONS);

        static {
            CLOCK.setKeepAliveTime(10, TimeUnit.SECONDS);
            CLOCK.allowCoreThreadTimeOut(true);
        }
    }

    static void later(Batch batch, long nanos) {
        Timer.CLOCK.schedule(() -> Timer.SENDERS.execute(batch::overdue), nanos, TimeUnit.NANOSECONDS);
    }

    static synchronized void add(Recorder.Identity identity, Batch batch) {
        OPEN.computeIfAbsent(identity, unused -> new HashSet<>()).add(batch);
        count++;
    }

    static synchronized void remove(Recorder.Identity identity, Batch batch) {
        Set<Batch> batches = OPEN.get(identity);
        if (batches != null && batches.remove(batch)) {
            count--;
            if (batches.isEmpty()) {
                OPEN.remove(identity);
            }
        }
    }

    static boolean any() {
        return count > 0;
    }

    /** What is refused thereby is counted by its batch. */
    static void sendOf(Recorder recorder) {
        Recorder.Identity identity;
        try {
            identity = recorder.identity();
        } catch (MetricsException closed) {
            return; // the call that follows gets the same error
        }
        List<Batch> found;
        synchronized (OpenBatches.class) {
            found = List.copyOf(OPEN.getOrDefault(identity, Set.of()));
        }
        found.forEach(Batch::sendQuietly);
    }

    /** For runtimes, which don't tell which recorders are theirs. */
    static void sendAll() {
        if (!any()) {
            return;
        }
        List<Batch> found = new ArrayList<>();
        synchronized (OpenBatches.class) {
            OPEN.values().forEach(found::addAll);
        }
        found.forEach(Batch::sendQuietly);
    }
}
