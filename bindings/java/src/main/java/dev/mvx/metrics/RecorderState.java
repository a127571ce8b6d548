package dev.mvx.metrics;

/** States of a recorder. The order is that of the library's numbers. */
public enum RecorderState {
    /** Created, not started; an event starts it. */
    VIRGIN,
    /** The hook on starting runs; events are accepted and wait. */
    STARTING,
    /** Events are dispatched. */
    RUNNING,
    /** What was accepted is dispatched, then the hook on stopping runs. */
    STOPPING,
    /** It can be started again, and its metrics keep their values. */
    STOPPED,
    /** A hook or metric failed; for good. */
    FAILURE,
    /** Cancelled; for good. */
    CANCELLED;

    private static final RecorderState[] ALL = values();

    static RecorderState of(int number) {
        return ALL[number];
    }
}
