package dev.mvx.metrics;

import java.time.Duration;

/**
 * Counts of a recorder since it was created. At every moment accepted = dispatched + discarded + pending. What a
 * {@link Batch} holds is not counted yet.
 *
 * @param accepted events that were accepted
 * @param dispatched of these: that every metric has handled
 * @param dropped events that the policy DROP let go of at the pending limit
 * @param refused events that were refused at the pending limit, with an error
 * @param discarded accepted, but not dispatched: the recorder failed or was cancelled
 * @param pending events that are pending now, the one being handled included
 * @param pendingMax the most events that were pending at once
 * @param pendingBytes bytes of pending events
 * @param quarantinedMetrics metrics that were quarantined
 * @param lag how far dispatching is behind recording
 */
public record Stats(
        long accepted, long dispatched, long dropped, long refused, long discarded, long pending, long pendingMax,
        long pendingBytes, long quarantinedMetrics, Duration lag) {}
