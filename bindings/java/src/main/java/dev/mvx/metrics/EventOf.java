package dev.mvx.metrics;

import java.lang.ref.Reference;
import java.util.List;
import java.util.Objects;

/**
 * An event type whose events are records. Declare it once and keep it in a static field:
 *
 * <pre>{@code
 * record SaveAttempt(String outcome, double seconds) {}
 *
 * static final EventOf<SaveAttempt> SAVE = EventOf.declare("document_storage.save.attempt", SaveAttempt.class);
 * }</pre>
 *
 * <p>Components may be byte, short, int, long, float, double, boolean, {@link Symbol}, String and enums. A String is
 * interned: use it for texts that repeat, or give it a length with {@link EventField}. An enum is the symbol of its
 * constant's name. Fields are called like the components, in snake case, and lie as a C compiler would lay them out, so
 * that another language can declare the same event type. Any thread.
 *
 * @param <E> the record
 */
public final class EventOf<E extends Record> {
    private final EventType type;
    private final Class<E> record;
    private final RecordCodec codec;
    private final int number; // of the type: a call finds it with one load
    private final int length;

    private EventOf(EventType type, Class<E> record, RecordCodec codec) {
        this.type = type;
        this.record = record;
        this.codec = codec;
        this.number = type.number();
        this.length = type.length();
    }

    /**
     * Declares an event type whose fields are the components of a record. Reflection is needed here only.
     *
     * @param <E> the record
     * @param name 1 to 255 bytes, such as {@code document_storage.save.attempt}
     * @param record the record's class
     * @return the event type
     * @throws IllegalArgumentException if the class is no record, or has a component that can't be a field
     * @throws MetricsException as {@link EventType#declare(String, Field...)} says
     */
    public static <E extends Record> EventOf<E> declare(String name, Class<E> record) {
        return declare(name, record, false);
    }

    /**
     * The same, of events that carry the time of their registration.
     *
     * @param <E> the record
     * @param name 1 to 255 bytes
     * @param record the record's class
     * @return the event type
     * @throws IllegalArgumentException if the class is no record, or has a component that can't be a field
     * @throws MetricsException as {@link EventType#declare(String, Field...)} says
     */
    public static <E extends Record> EventOf<E> declareTimed(String name, Class<E> record) {
        return declare(name, record, true);
    }

    private static <E extends Record> EventOf<E> declare(String name, Class<E> record, boolean timed) {
        RecordCodec codec = new RecordCodec(Objects.requireNonNull(record, "record"));
        return new EventOf<>(EventType.declareLaidOut(name, List.copyOf(codec.fields), timed), record, codec);
    }

    /**
     * The event type, for metrics.
     *
     * @return the type
     */
    public EventType type() {
        return type;
    }

    /**
     * Records one event, which is copied. Returns also where the policy DROP dropped it.
     *
     * @param recorder where it goes
     * @param event the event; its components are not null
     * @throws MetricsException as {@link Recorder#registerEvent(EventType, byte[])} says
     */
    public void register(Recorder recorder, E event) {
        Status.check(record(recorder, event));
    }

    /**
     * Records one event and says what came of it.
     *
     * @param recorder where it goes
     * @param event the event; its components are not null
     * @return OK, or why the event was not queued
     */
    public Status tryRegister(Recorder recorder, E event) {
        return Status.of(record(recorder, event));
    }

    private int record(Recorder recorder, E event) {
        if (codec.small) {
            int status = Native.recordWords(
                    recorder.number, number, codec.first(event), codec.second(event), length);
            Reference.reachabilityFence(recorder);
            return status;
        }
        Scratch scratch = Scratch.take();
        try {
            codec.write(event, scratch.memory, 0);
            return Native.record(recorder.number, number, scratch.address, length);
        } finally {
            scratch.giveBack();
            Reference.reachabilityFence(recorder);
        }
    }

    /**
     * The record of an event that a metric or hook sees.
     *
     * @param event the event
     * @return the record, or null where the event is of another type
     */
    public E of(Event event) {
        if (event.typeNumber() != number) {
            return null;
        }
        return record.cast(codec.read(event.memory(length), event.base()));
    }

    /**
     * A reusable buffer, to record events of this type without garbage.
     *
     * @param recorder where they go
     * @return the buffer, for one thread at a time
     */
    public EventBuffer buffer(Recorder recorder) {
        return type.buffer(recorder);
    }

    /**
     * A batch with default options.
     *
     * @param recorder where events go
     * @return the batch, to be closed
     * @throws MetricsException INVALID_HANDLE where the recorder is closed
     */
    public BatchOf<E> batch(Recorder recorder) {
        return batch(recorder, new BatchOptions());
    }

    /**
     * A batch: it holds events back and records many with one call.
     *
     * @param recorder where events go
     * @param options its bounds
     * @return the batch, to be closed
     * @throws MetricsException INVALID_HANDLE where the recorder is closed
     */
    public BatchOf<E> batch(Recorder recorder, BatchOptions options) {
        return new BatchOf<>(type, codec, recorder, options);
    }
}
