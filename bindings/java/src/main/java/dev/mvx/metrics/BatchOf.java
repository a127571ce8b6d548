package dev.mvx.metrics;

/**
 * A batch of events that are records; see {@link EventOf#batch(Recorder)}.
 *
 * @param <E> the record
 */
public final class BatchOf<E extends Record> extends Batch {
    private final RecordCodec codec;

    BatchOf(EventType type, RecordCodec codec, Recorder recorder, BatchOptions options) {
        super(type, recorder, options);
        this.codec = codec;
    }

    /**
     * Takes an event into the batch. Where that fills the batch it is sent.
     *
     * @param event the event; its components are not null
     * @throws MetricsException what sending it throws; INVALID_HANDLE where the batch is closed
     */
    public void register(E event) {
        register(codec, event);
    }
}
