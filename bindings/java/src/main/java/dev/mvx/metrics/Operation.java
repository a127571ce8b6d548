package dev.mvx.metrics;

/** What a {@link Wait} waits for. The order is that of the library's numbers, from 1 on. */
public enum Operation {
    /** The start of a recorder. */
    START,
    /** The stop of a recorder. */
    STOP,
    /** A flush of a recorder. */
    FLUSH,
    /** The shutdown of a runtime. */
    SHUTDOWN;

    private static final Operation[] ALL = values();

    int code() {
        return ordinal() + 1;
    }

    static Operation of(int number) {
        return ALL[number - 1];
    }
}
