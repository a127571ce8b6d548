package dev.mvx.metrics;

/** States of a metric. The order is that of the library's numbers, from 1 on. */
public enum MetricState {
    /** It gets events. */
    ACTIVE,
    /** It failed and gets no more ({@link MetricErrorPolicy#QUARANTINE_METRIC}). */
    QUARANTINED;

    private static final MetricState[] ALL = values();

    static MetricState of(int number) {
        return ALL[number - 1];
    }
}
