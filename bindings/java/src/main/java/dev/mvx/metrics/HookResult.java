package dev.mvx.metrics;

/** What a hook returns. One that throws has failed. The order is that of the library's numbers. */
public enum HookResult {
    /** It is done. */
    DONE,
    /** It finishes later, by its {@link Completion}. Only dispatching of its own recorder waits for it. */
    PENDING;

    int code() {
        return ordinal();
    }
}
