package dev.mvx.metrics;

/**
 * Whether events that only native counters want may be counted without going through the queue. The order is that of the
 * library's numbers, from 1 on.
 */
public enum Folding {
    /** They may. The default. */
    ON,
    /** Every event goes through the queue. */
    OFF
}
