package dev.mvx.metrics;

import java.time.Duration;
import java.util.Objects;

/**
 * Options of a recorder; what is not set has its default. A size or time of 0 is refused here, one that is negative by the
 * library, both with INVALID_ARGUMENT. For one thread; copied where they are used.
 */
public final class RecorderOptions {
    private String entityId = "";
    private String namespace = "";
    private long queueMaxSize;
    private long queueMaxBytes;
    private OverflowPolicy overflowPolicy;
    private long blockTimeout;
    private MetricErrorPolicy metricErrorPolicy;
    private Folding folding;
    private Hooks hooks;
    private Log log;

    /** All defaults. */
    public RecorderOptions() {}

    /**
     * Names the recorder in logs and snapshots.
     *
     * @param id trimmed; by default the recorder id where a runtime creates it, otherwise random
     * @return this
     */
    public RecorderOptions entityId(String id) {
        entityId = Objects.requireNonNull(id, "id");
        return this;
    }

    /**
     * Sets the namespace.
     *
     * @param name the runtime's by default
     * @return this
     */
    public RecorderOptions namespace(String name) {
        namespace = Objects.requireNonNull(name, "name");
        return this;
    }

    /**
     * Bounds the pending events.
     *
     * @param events the runtime's by default
     * @return this
     */
    public RecorderOptions queueMaxSize(long events) {
        queueMaxSize = Options.notZero("queue_max_size", events);
        return this;
    }

    /**
     * Bounds the bytes of pending events.
     *
     * @param bytes the runtime's by default
     * @return this
     */
    public RecorderOptions queueMaxBytes(long bytes) {
        queueMaxBytes = Options.notZero("queue_max_bytes", bytes);
        return this;
    }

    /**
     * What happens to an event at the pending limit.
     *
     * @param policy the runtime's by default where it creates the recorder, otherwise RAISE_ERROR
     * @return this
     */
    public RecorderOptions overflowPolicy(OverflowPolicy policy) {
        overflowPolicy = Objects.requireNonNull(policy, "policy");
        return this;
    }

    /**
     * How long BLOCK waits for room.
     *
     * @param timeout 1 s by default
     * @return this
     */
    public RecorderOptions blockTimeout(Duration timeout) {
        blockTimeout = Options.notZero("block_timeout_ns", timeout);
        return this;
    }

    /**
     * What the failure of a metric leads to.
     *
     * @param policy FAIL_RECORDER by default
     * @return this
     */
    public RecorderOptions metricErrorPolicy(MetricErrorPolicy policy) {
        metricErrorPolicy = Objects.requireNonNull(policy, "policy");
        return this;
    }

    /**
     * Whether events that only native counters want may be counted without going through the queue.
     *
     * @param folding ON by default
     * @return this
     */
    public RecorderOptions folding(Folding folding) {
        this.folding = Objects.requireNonNull(folding, "folding");
        return this;
    }

    /**
     * What runs as the recorder starts, stops, and as its metrics change.
     *
     * @param hooks none by default
     * @return this
     */
    public RecorderOptions hooks(Hooks hooks) {
        this.hooks = Objects.requireNonNull(hooks, "hooks");
        return this;
    }

    /**
     * Where the recorder logs.
     *
     * @param log the runtime's by default
     * @return this
     */
    public RecorderOptions log(Log log) {
        this.log = Objects.requireNonNull(log, "log");
        return this;
    }

    /** Without an id: outside of the registry. */
    long create(long runtime, String id) {
        long[] numbers = {
            queueMaxSize, queueMaxBytes, Options.code(overflowPolicy), blockTimeout, Options.code(metricErrorPolicy),
            Options.code(folding), hooks == null ? 0 : hooks.installed(),
        };
        return Native.recorderCreate(
                runtime, Native.utf8(id), Native.utf8(entityId), Native.utf8(namespace),
                Options.join(numbers, Log.numbers(log)), hooks == null ? null : hooks.kept(), Log.kept(log));
    }
}
