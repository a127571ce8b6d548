package dev.mvx.metrics;

import java.time.Duration;
import java.util.Objects;

/** Bounds of what a {@link Batch} holds; what is not set has its default. For one thread; copied where it is used. */
public final class BatchOptions {
    private static final int MOST_EVENTS = 1 << 16;

    int maxEvents = 512;
    long maxDelayNanos = 10_000_000;
    OnLost onLost;

    /** All defaults. */
    public BatchOptions() {}

    /** Is told of events that a batch took in and the recorder did not. */
    @FunctionalInterface
    public interface OnLost {
        /**
         * Called whenever events were refused or dropped as a batch was sent, on the thread that sent it. It must not use
         * the batch. What it throws is lost.
         *
         * @param count how many
         * @param status why they were refused; OK where they were dropped
         */
        void lost(int count, Status status);
    }

    /**
     * How many events are held at most.
     *
     * @param events 512 by default; 1 to 65,536
     * @return this
     * @throws MetricsException INVALID_ARGUMENT
     */
    public BatchOptions maxEvents(int events) {
        if (events < 1 || events > MOST_EVENTS) {
            throw MetricsException.badArgument("max_events", "a batch holds 1 to 65,536 events, not " + events);
        }
        maxEvents = events;
        return this;
    }

    /**
     * How long an event is held at most.
     *
     * @param delay 10 ms by default
     * @return this
     * @throws MetricsException INVALID_ARGUMENT where it is not positive
     */
    public BatchOptions maxDelay(Duration delay) {
        long nanos = Options.nanos(delay);
        if (nanos <= 0) {
            throw MetricsException.badArgument("max_delay", "the longest delay must be positive, not " + delay);
        }
        maxDelayNanos = nanos;
        return this;
    }

    /**
     * Is told of what is lost.
     *
     * @param callback none by default
     * @return this
     */
    public BatchOptions onLost(OnLost callback) {
        onLost = Objects.requireNonNull(callback, "callback");
        return this;
    }
}
