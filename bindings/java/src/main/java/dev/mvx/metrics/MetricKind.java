package dev.mvx.metrics;

/** Kinds of metrics. The order is that of the library's numbers, from 1 on. */
public enum MetricKind {
    /** Of a host language: a {@link Metric}, or another language's. */
    VTABLE,
    /** A sum that only grows; a value that is negative, infinite or not a number is left out of it, and counted. */
    COUNTER,
    /** A sum that grows and shrinks. */
    UP_DOWN_COUNTER,
    /** The last value. */
    GAUGE,
    /** How many values lie between given bounds. */
    HISTOGRAM,
    /** How many values lie between bounds that grow by powers of 2. */
    EXPONENTIAL_HISTOGRAM,
    /** Quantiles with a stated relative error. */
    QUANTILE_SKETCH,
    /** How many different values there were. */
    DISTINCT_COUNT;

    private static final MetricKind[] ALL = values();

    int code() {
        return ordinal() + 1;
    }

    static MetricKind of(int number) {
        return ALL[number - 1];
    }
}
