package dev.mvx.metrics;

/** What the failure of a metric leads to. The order is that of the library's numbers, from 1 on. */
public enum MetricErrorPolicy {
    /** The recorder is FAILURE. The default. */
    FAIL_RECORDER,
    /** Only the metric gets no more events. */
    QUARANTINE_METRIC
}
