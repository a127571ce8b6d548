package dev.mvx.metrics;

/** What a snapshot shows. The order is that of the library's numbers. */
public enum SnapshotMode {
    /**
     * Every event that was accepted before, where the recorder is RUNNING; in other states, and from one of its callbacks,
     * what was dispatched so far. So wait for the start, or flush, before you rely on it.
     */
    CONSISTENT,
    /** What was dispatched so far, without waiting for events. */
    RELAXED
}
