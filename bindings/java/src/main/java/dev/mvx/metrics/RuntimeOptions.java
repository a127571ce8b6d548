package dev.mvx.metrics;

import java.time.Duration;
import java.util.Objects;

/**
 * Options of a runtime; what is not set has its default. A size or time of 0 is refused here, one that is negative by the
 * library, both with INVALID_ARGUMENT. For one thread; copied where they are used.
 */
public final class RuntimeOptions {
    private String namespace = "";
    private String threadNamePrefix = "";
    private long recorderQueueMaxSize;
    private long recorderQueueMaxBytes;
    private OverflowPolicy recorderOverflowPolicy;
    private int workerThreads;
    private long shutdownTimeout;
    private Log log;

    /** All defaults. */
    public RuntimeOptions() {}

    /**
     * Names the runtime, in logs and as the default of its recorders.
     *
     * @param name {@code mvx} by default
     * @return this
     */
    public RuntimeOptions namespace(String name) {
        namespace = Objects.requireNonNull(name, "name");
        return this;
    }

    /**
     * Begins the names of the runtime's threads.
     *
     * @param prefix {@code mvx} by default
     * @return this
     */
    public RuntimeOptions threadNamePrefix(String prefix) {
        threadNamePrefix = Objects.requireNonNull(prefix, "prefix");
        return this;
    }

    /**
     * Bounds the pending events of each recorder.
     *
     * @param events 10,000 by default
     * @return this
     */
    public RuntimeOptions recorderQueueMaxSize(long events) {
        recorderQueueMaxSize = Options.notZero("recorder_queue_max_size", events);
        return this;
    }

    /**
     * Bounds the bytes of pending events of each recorder: an event takes its payload and 16 more.
     *
     * @param bytes 16 MiB by default
     * @return this
     */
    public RuntimeOptions recorderQueueMaxBytes(long bytes) {
        recorderQueueMaxBytes = Options.notZero("recorder_queue_max_bytes", bytes);
        return this;
    }

    /**
     * What recorders that the runtime creates do with an event at the pending limit.
     *
     * @param policy DROP by default
     * @return this
     */
    public RuntimeOptions recorderOverflowPolicy(OverflowPolicy policy) {
        recorderOverflowPolicy = Objects.requireNonNull(policy, "policy");
        return this;
    }

    /**
     * How many threads coordinate. Dispatching and callbacks have further ones, as many as are busy at once.
     *
     * @param threads 1 by default, at most 1,024
     * @return this
     */
    public RuntimeOptions workerThreads(int threads) {
        workerThreads = (int) Options.notZero("worker_threads", threads);
        return this;
    }

    /**
     * Bounds a shutdown.
     *
     * @param timeout 5 s by default
     * @return this
     */
    public RuntimeOptions shutdownTimeout(Duration timeout) {
        shutdownTimeout = Options.notZero("shutdown_timeout_ns", timeout);
        return this;
    }

    /**
     * Where the runtime logs, and its recorders where they name no log of their own.
     *
     * @param log none by default
     * @return this
     */
    public RuntimeOptions log(Log log) {
        this.log = Objects.requireNonNull(log, "log");
        return this;
    }

    long create() {
        long[] numbers = {
            recorderQueueMaxSize, recorderQueueMaxBytes, Options.code(recorderOverflowPolicy), workerThreads,
            shutdownTimeout,
        };
        return Native.runtimeCreate(
                Native.utf8(namespace), Native.utf8(threadNamePrefix), Options.join(numbers, Log.numbers(log)),
                Log.kept(log));
    }
}
