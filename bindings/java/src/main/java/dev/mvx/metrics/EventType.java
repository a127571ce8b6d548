package dev.mvx.metrics;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * A type of event, for events whose shape is known only at run time; {@link EventOf} declares one by a record. Types live
 * as long as the process, and their numbers are the same in every language of it. Any thread.
 */
public final class EventType {
    private static final int TIMED = 1;

    /** By their numbers, so that dispatching finds them without garbage. Grows; never changed in place but to fill a gap. */
    private static volatile EventType[] known = {};

    private final int number;
    private final String name;
    private final List<Field> fields;
    private final Map<String, Integer> indexes = new HashMap<>();
    private final int length;

    private EventType(int number, String name, List<Field> fields) {
        this.number = number;
        this.name = name;
        this.fields = fields;
        int end = 0;
        for (int i = 0; i < fields.size(); i++) {
            indexes.put(fields.get(i).name(), i);
            end = Math.max(end, fields.get(i).offset() + fields.get(i).size());
        }
        this.length = end + 7 & ~7;
    }

    /**
     * Declares a type, or finds the one that was declared with the same name and fields.
     *
     * @param name 1 to 255 bytes, such as {@code document_storage.save.attempt}
     * @param fields what native metrics and logs can read; none: the payload is opaque to them
     * @return the type
     * @throws MetricsException INVALID_ARGUMENT, ALREADY_EXISTS (the name was declared with something else), LIMIT_REACHED
     */
    public static EventType declare(String name, Field... fields) {
        return declare(name, List.of(fields), 0, null);
    }

    /**
     * Begins a declaration whose fields are laid out one after the other, as a C compiler would.
     *
     * @param name 1 to 255 bytes
     * @return what the declaration is made with
     */
    public static Builder builder(String name) {
        return new Builder(name);
    }

    /**
     * The type with a number, wherever it was declared. Its fields are known only where this JVM declared it.
     *
     * @param number what {@link #number()} gave, or another language
     * @return the type
     * @throws MetricsException INVALID_ARGUMENT where there is none
     */
    public static EventType of(int number) {
        EventType[] types = known;
        EventType type = number >= 0 && number < types.length ? types[number] : null;
        if (type != null) {
            return type;
        }
        try {
            return keep(new EventType(number, Native.text(Native.eventTypeName(number)), List.of()));
        } catch (MetricsException unknown) {
            throw MetricsException.badArgument("number", "there is no event type " + number);
        }
    }

    static EventType declareLaidOut(String name, List<Field> fields, boolean timed) {
        return declare(name, fields, timed ? TIMED : 0, null);
    }

    private static EventType declare(String name, List<Field> fields, int flags, Object release) {
        byte[][] names = new byte[fields.size()][];
        int[] numbers = new int[3 * names.length];
        for (int i = 0; i < names.length; i++) {
            Field field = fields.get(i);
            names[i] = Native.utf8(field.name());
            numbers[3 * i] = field.kind().code();
            numbers[3 * i + 1] = field.offset();
            numbers[3 * i + 2] = field.size();
        }
        int number =
                Native.eventTypeDeclare(Native.utf8(Objects.requireNonNull(name, "name")), names, numbers, flags, release);
        return keep(new EventType(number, name, fields));
    }

    private static synchronized EventType keep(EventType type) {
        EventType[] types = known;
        int room = Integer.highestOneBit(Math.max(32, type.number)) * 2;
        EventType[] grown = Arrays.copyOf(types, Math.max(types.length, room));
        EventType before = grown[type.number];
        if (before != null && before.fields.size() >= type.fields.size()) {
            return before;
        }
        grown[type.number] = type;
        known = grown;
        return type;
    }

    static int[] numbers(List<EventType> types) {
        return types.stream().mapToInt(EventType::number).toArray();
    }

    /**
     * Its number.
     *
     * @return never 0
     */
    public int number() {
        return number;
    }

    /**
     * The name that it was declared with.
     *
     * @return the name
     */
    public String name() {
        return name;
    }

    /**
     * Its fields, in the order of declaration; none where another language declared it.
     *
     * @return the fields
     */
    public List<Field> fields() {
        return fields;
    }

    /**
     * The bytes of a payload with all fields, rounded up to a multiple of 8.
     *
     * @return the length
     */
    public int length() {
        return length;
    }

    /**
     * Where a field stands in {@link #fields()}, for {@link EventFields}.
     *
     * @param field its name
     * @return its index
     * @throws IllegalArgumentException if there is no such field
     */
    public int indexOf(String field) {
        Integer index = indexes.get(Objects.requireNonNull(field, "field"));
        if (index == null) {
            throw new IllegalArgumentException(name + " has no field " + field);
        }
        return index;
    }

    /**
     * A reusable buffer, to record events of this type without garbage.
     *
     * @param recorder where they go
     * @return the buffer, for one thread at a time
     */
    public EventBuffer buffer(Recorder recorder) {
        return new EventBuffer(this, recorder);
    }

    /**
     * A batch with default options; see {@link #batch(Recorder, BatchOptions)}.
     *
     * @param recorder where events go
     * @return the batch, to be closed
     */
    public Batch batch(Recorder recorder) {
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
    public Batch batch(Recorder recorder, BatchOptions options) {
        return new Batch(this, recorder, options);
    }

    /** Two objects stand for the same type if their numbers are the same. */
    @Override
    public boolean equals(Object other) {
        return other instanceof EventType && ((EventType) other).number == number;
    }

    @Override
    public int hashCode() {
        return number;
    }

    @Override
    public String toString() {
        return name;
    }

    /** A declaration in the making; for one thread. */
    public static final class Builder {
        private final String name;
        private final List<Field> fields = new ArrayList<>();
        private int end;
        private int flags;
        private Consumer<ByteBuffer> release;
        private Runnable dropped;

        private Builder(String name) {
            this.name = Objects.requireNonNull(name, "name");
        }

        /**
         * Adds a field, at the next offset that its kind may lie at.
         *
         * @param field its name
         * @param kind its kind, which is no text
         * @return this
         */
        public Builder field(String field, FieldKind kind) {
            return add(field, kind, kind.size);
        }

        /**
         * Adds a text, which ends at the first NUL or after {@code size} bytes of UTF-8.
         *
         * @param field its name
         * @param size its bytes
         * @return this
         */
        public Builder text(String field, int size) {
            return add(field, FieldKind.TEXT, size);
        }

        private Builder add(String field, FieldKind kind, int size) {
            int offset = end + kind.alignment() - 1 & -kind.alignment();
            fields.add(new Field(field, kind, offset, size));
            end = offset + size;
            return this;
        }

        /**
         * Events carry the time of their registration. Without, they carry the time at which the library took up the
         * batch that they came in, which costs nothing.
         *
         * @return this
         */
        public Builder timed() {
            flags = TIMED;
            return this;
        }

        /**
         * Has a function called once for each accepted event, after its dispatch or when it is discarded, with a copy of
         * its payload; never for an event that was refused or dropped. It runs on a thread of the library, or on the one
         * that cancels the recorder; what it throws is lost. Such a type can be declared once only.
         *
         * @param release the function
         * @return this
         */
        public Builder release(Consumer<ByteBuffer> release) {
            this.release = Objects.requireNonNull(release, "release");
            return this;
        }

        /**
         * Runs once where a declaration with a release function fails; an event type lives as long as the process.
         *
         * @param dropped the function
         * @return this
         */
        public Builder onDropped(Runnable dropped) {
            this.dropped = Objects.requireNonNull(dropped, "dropped");
            return this;
        }

        /**
         * Declares the type.
         *
         * @return the type
         * @throws MetricsException as {@link EventType#declare(String, Field...)} says
         */
        public EventType declare() {
            return EventType.declare(
                    name, List.copyOf(fields), flags, release == null ? null : new Use.Release(release, dropped));
        }
    }
}
