package dev.mvx.metrics.scenarios;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;

/** The threads of a scenario: its jobs, and those that steps name. */
final class Workers {
    private static final Runnable END = () -> {};

    private static final class Named {
        final BlockingQueue<Runnable> steps = new LinkedBlockingQueue<>();
        Thread thread;
    }

    private final Map<String, Thread> jobs = new HashMap<>();
    private final Map<String, Named> threads = new HashMap<>();

    /** A thread that does not keep the process, should it hang. */
    static Thread start(String name, Runnable run) {
        Thread thread = new Thread(run, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException unexpected) {
            throw new Broken("interrupted while waiting for " + thread.getName());
        }
    }

    synchronized void startJob(String name, Runnable run) {
        if (jobs.containsKey(name)) {
            throw new Broken("the job '" + name + "' is there already");
        }
        jobs.put(name, start(name, run));
    }

    synchronized Thread job(Object name) {
        Thread job = jobs.get(name);
        if (job == null) {
            throw new Broken("there is no job " + Json.show(name));
        }
        return job;
    }

    /** Plays a step on the thread of that name, and waits for it. */
    void playOn(String name, Runnable step) {
        CountDownLatch played = new CountDownLatch(1);
        threadNamed(name).steps.add(() -> {
            try {
                step.run();
            } finally {
                played.countDown();
            }
        });
        try {
            played.await();
        } catch (InterruptedException unexpected) {
            throw new Broken("interrupted while waiting for thread " + name);
        }
    }

    private synchronized Named threadNamed(String name) {
        return threads.computeIfAbsent(name, unused -> {
            Named made = new Named();
            made.thread = start(name, () -> playAll(made.steps));
            return made;
        });
    }

    private static void playAll(BlockingQueue<Runnable> steps) {
        try {
            for (Runnable step = steps.take(); step != END; step = steps.take()) {
                step.run();
            }
        } catch (InterruptedException unexpected) {
            throw new Broken("a thread was interrupted");
        }
    }

    synchronized void endAll() {
        jobs.values().forEach(Workers::join);
        threads.values().forEach(named -> {
            named.steps.add(END);
            join(named.thread);
        });
    }
}
