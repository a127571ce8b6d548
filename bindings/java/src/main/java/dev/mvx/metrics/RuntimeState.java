package dev.mvx.metrics;

/** States of a runtime. The order is that of the library's numbers. */
public enum RuntimeState {
    /** Created, not started. */
    VIRGIN,
    /** Its threads are being started. */
    STARTING,
    /** Ready for recorders. */
    RUNNING,
    /** It is being shut down. */
    STOPPING,
    /** Shut down, for good. */
    CLOSED,
    /** It failed to start, or recorders failed to stop; for good. */
    FAILURE;

    private static final RuntimeState[] ALL = values();

    static RuntimeState of(int number) {
        return ALL[number];
    }
}
