package dev.mvx.metrics;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.Objects;

/**
 * An event as a metric or hook sees it. The object is used again for the next event, so it is good until the callback
 * returns, or asks for the next one: {@link #copy()} what is to be kept. Afterwards its methods throw
 * IllegalStateException. Reading numbers makes no garbage.
 */
public final class Event {
    private ByteBuffer memory;
    private int base;
    private int length = -1;
    private int type;
    private long time;

    Event() {}

    void set(ByteBuffer from, int begin, int size, int number, long unixNanos) {
        memory = from;
        base = begin;
        length = size;
        type = number;
        time = unixNanos;
    }

    void end() {
        length = -1;
    }

    int base() {
        return base;
    }

    int typeNumber() {
        check();
        return type;
    }

    /** The memory that holds at least so many bytes of payload. */
    ByteBuffer memory(int bytes) {
        Objects.checkFromIndexSize(0, bytes, check());
        return memory;
    }

    private int check() {
        if (length < 0) {
            throw new IllegalStateException("the event is gone; copy() what is to be kept");
        }
        return length;
    }

    private int at(int offset, int size) {
        return base + Objects.checkFromIndexSize(offset, size, check());
    }

    /**
     * Its event type.
     *
     * @return the type
     */
    public EventType type() {
        check();
        return EventType.of(type);
    }

    /**
     * The number of bytes of the payload.
     *
     * @return the length
     */
    public int length() {
        return check();
    }

    /**
     * When the event was registered, of a timed event type; otherwise when the library took up its batch.
     *
     * @return nanoseconds since the Unix epoch
     */
    public long timeUnixNanos() {
        check();
        return time;
    }

    /**
     * {@link #timeUnixNanos()} as an Instant.
     *
     * @return the time
     */
    public Instant time() {
        long nanos = timeUnixNanos();
        return Instant.ofEpochSecond(Math.floorDiv(nanos, 1_000_000_000L), Math.floorMod(nanos, 1_000_000_000L));
    }

    /**
     * The payload, read-only, in the byte order of the machine. Its bytes are good as long as this event.
     *
     * @return the bytes
     */
    public ByteBuffer payload() {
        return memory.slice(base, check()).asReadOnlyBuffer().order(ByteOrder.nativeOrder());
    }

    /**
     * An event of its own, which stays good.
     *
     * @return the copy
     */
    public Event copy() {
        ByteBuffer kept = ByteBuffer.allocate(check()).order(ByteOrder.nativeOrder());
        kept.put(0, memory, base, length);
        Event copy = new Event();
        copy.set(kept, 0, length, type, time);
        return copy;
    }

    /**
     * Reads a byte or a truth value of the payload.
     *
     * @param offset where it is
     * @return the number
     * @throws IndexOutOfBoundsException if the payload is shorter
     */
    public byte getByte(int offset) {
        return memory.get(at(offset, 1));
    }

    /**
     * Reads two bytes of the payload.
     *
     * @param offset where they begin
     * @return the number
     * @throws IndexOutOfBoundsException if the payload is shorter
     */
    public short getShort(int offset) {
        return memory.getShort(at(offset, 2));
    }

    /**
     * Reads four bytes of the payload, such as a symbol's number.
     *
     * @param offset where they begin
     * @return the number
     * @throws IndexOutOfBoundsException if the payload is shorter
     */
    public int getInt(int offset) {
        return memory.getInt(at(offset, 4));
    }

    /**
     * Reads eight bytes of the payload.
     *
     * @param offset where they begin
     * @return the number
     * @throws IndexOutOfBoundsException if the payload is shorter
     */
    public long getLong(int offset) {
        return memory.getLong(at(offset, 8));
    }

    /**
     * Reads a float of the payload.
     *
     * @param offset where it begins
     * @return the number
     * @throws IndexOutOfBoundsException if the payload is shorter
     */
    public float getFloat(int offset) {
        return memory.getFloat(at(offset, 4));
    }

    /**
     * Reads a double of the payload.
     *
     * @param offset where it begins
     * @return the number
     * @throws IndexOutOfBoundsException if the payload is shorter
     */
    public double getDouble(int offset) {
        return memory.getDouble(at(offset, 8));
    }

    /**
     * Reads the text of a symbol of the payload.
     *
     * @param offset where the symbol is
     * @return the text; empty for what is no symbol
     * @throws IndexOutOfBoundsException if the payload is shorter
     */
    public String getSymbol(int offset) {
        return Symbol.textOf(getInt(offset));
    }

    /**
     * Reads a text of the payload, which ends at the first NUL or after {@code size} bytes.
     *
     * @param offset where it begins
     * @param size the size of its field
     * @return the text
     * @throws IndexOutOfBoundsException if the payload is shorter
     */
    public String getText(int offset, int size) {
        return Utf8.get(memory, at(offset, size), size);
    }

    /**
     * Reads a declared field by its name.
     *
     * @param field its name
     * @return a Long, BigInteger (U64 over Long.MAX_VALUE), Double, Boolean, or String for symbols and texts
     * @throws IllegalArgumentException if the event type, as this JVM knows it, has no such field
     */
    public Object get(String field) {
        EventType of = type();
        Field found = of.fields().get(of.indexOf(field));
        int offset = found.offset();
        switch (found.kind()) {
            case I8:
                return (long) getByte(offset);
            case I16:
                return (long) getShort(offset);
            case I32:
                return (long) getInt(offset);
            case I64:
                return getLong(offset);
            case U8:
                return getByte(offset) & 0xFFL;
            case U16:
                return getShort(offset) & 0xFFFFL;
            case U32:
                return getInt(offset) & 0xFFFF_FFFFL;
            case U64:
                return Packed.unsigned(getLong(offset));
            case F32:
                return (double) getFloat(offset);
            case F64:
                return getDouble(offset);
            case BOOL:
                return getByte(offset) != 0;
            case SYMBOL:
                return getSymbol(offset);
            default:
                return getText(offset, found.size());
        }
    }
}
