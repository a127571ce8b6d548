package dev.mvx.metrics;

/** How a filter compares a field with a value. The order is that of the library's numbers, from 1 on. */
public enum Comparison {
    /** Equal. */
    EQ,
    /** Not equal. */
    NE,
    /** The field is less. */
    LT,
    /** Less or equal. */
    LE,
    /** The field is greater. */
    GT,
    /** Greater or equal. */
    GE;

    int code() {
        return ordinal() + 1;
    }
}
