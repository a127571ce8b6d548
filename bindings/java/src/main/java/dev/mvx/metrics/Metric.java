package dev.mvx.metrics;

import java.util.List;

/**
 * Decides which events matter to it and how they change its state.
 *
 * <p>The metrics of a recorder are called one at a time, on threads of the library, never from two at once, so a metric
 * needs no lock of its own. What {@link #handle} or {@link #handleBatch} throws makes the recorder FAILURE, or quarantines
 * the metric, as the recorder's {@link MetricErrorPolicy} says; its message is the cause of the error. A metric is kept
 * until the library lets go of it, and with it all that it refers to.
 */
public interface Metric {
    /**
     * Handles one event.
     *
     * @param event good until this returns
     * @return whether the metric changed
     * @throws Exception if it failed
     */
    boolean handle(Event event) throws Exception;

    /**
     * Handles a batch of events, in order, which came in one call from the library; by default one after the other. Where
     * it fails in the midst, the whole batch counts as the failure.
     *
     * @param events good until this returns; those that changed the metric are to be {@linkplain Events#markChanged marked}
     * @throws Exception if it failed
     */
    default void handleBatch(Events events) throws Exception {
        while (events.next()) {
            if (handle(events.event())) {
                events.markChanged();
            }
        }
    }

    /**
     * Writes the state into a map that is open already. What this throws makes the snapshot fail; the recorder goes on.
     *
     * @param writer good until this returns
     * @throws Exception if it failed
     */
    void snapshot(Writer writer) throws Exception;

    /**
     * The event types that it wants; others never reach it. Asked for once, at registration.
     *
     * @return the types; none: all
     */
    default List<EventType> eventTypes() {
        return List.of();
    }

    /**
     * Whether the order of events of different threads does not matter to it, which makes recording them faster. Asked for
     * once, at registration.
     *
     * @return true if it does not
     */
    default boolean commutative() {
        return false;
    }

    /**
     * Whether each event is to come in a call of its own, and {@link #handleBatch} never to be called. Asked for once, at
     * registration.
     *
     * @return true if so
     */
    default boolean oneByOne() {
        return false;
    }

    /**
     * Called once for each registration, when the metric was replaced, its recorder is gone, or the registration failed;
     * never while another method runs. What it throws is lost.
     */
    default void dropped() {}
}
