package dev.mvx.metrics;

/** What happens to an event at the pending limit. The order is that of the library's numbers, from 1 on. */
public enum OverflowPolicy {
    /** The call succeeds, the event is not queued and is counted as dropped. The default of a runtime's recorders. */
    DROP,
    /** QUEUE_OVERFLOW; the event is not queued and is counted as refused. The default of {@link Recorder#create}. */
    RAISE_ERROR,
    /** The call waits for room, up to the block time-out, then TIMEOUT. Callbacks don't wait: WOULD_DEADLOCK. */
    BLOCK
}
