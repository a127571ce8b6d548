package dev.mvx.metrics;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Objects;

/**
 * The payload of the next event, written field by field. Fields are named by their index in {@link EventType#fields()},
 * which is fastest, or by their name. What was put stays until it is overwritten, so a field that is the same for many
 * events is put once; what was never put is zero. Nothing here makes garbage, except a text that is interned for the first
 * time. For one thread at a time.
 */
public abstract class EventFields {
    final EventType type;
    final ByteBuffer memory;
    final long address;
    private static final FieldKind[] KINDS = FieldKind.values();
    private static final int F64 = FieldKind.F64.ordinal();
    private static final int F32 = FieldKind.F32.ordinal();
    private static final int BOOL = FieldKind.BOOL.ordinal();
    private static final int SYMBOL = FieldKind.SYMBOL.ordinal();

    // Of each field: its kind in the upper half, its offset in the lower. So one look tells all.
    private final int[] places;

    EventFields(EventType type) {
        this.type = Objects.requireNonNull(type, "type");
        List<Field> fields = type.fields();
        places = new int[fields.size()];
        for (int i = 0; i < places.length; i++) {
            places[i] = fields.get(i).kind().ordinal() << Short.SIZE | fields.get(i).offset();
        }
        memory = ByteBuffer.allocateDirect(Math.max(8, type.length())).order(ByteOrder.nativeOrder());
        address = Native.addressOf(memory);
    }

    private static int kind(int place) {
        return place >> Short.SIZE;
    }

    private static int offset(int place) {
        return place & 0xFFFF;
    }

    /**
     * The type of the events.
     *
     * @return the type
     */
    public final EventType type() {
        return type;
    }

    /**
     * Sets a field of whole numbers, or of floating point numbers.
     *
     * @param field the field's index
     * @param value the value; for {@link FieldKind#U64}, its bits
     * @throws IllegalArgumentException if the field can't hold it
     */
    public final void put(int field, long value) {
        int place = places[field];
        int at = offset(place);
        switch (KINDS[kind(place)]) {
            case I64:
            case U64:
                memory.putLong(at, value);
                break;
            case I32:
                check(field, value, Integer.MIN_VALUE, Integer.MAX_VALUE);
                memory.putInt(at, (int) value);
                break;
            case U32:
                check(field, value, 0, 0xFFFF_FFFFL);
                memory.putInt(at, (int) value);
                break;
            case I16:
                check(field, value, Short.MIN_VALUE, Short.MAX_VALUE);
                memory.putShort(at, (short) value);
                break;
            case U16:
                check(field, value, 0, 0xFFFF);
                memory.putShort(at, (short) value);
                break;
            case I8:
                check(field, value, Byte.MIN_VALUE, Byte.MAX_VALUE);
                memory.put(at, (byte) value);
                break;
            case U8:
                check(field, value, 0, 0xFF);
                memory.put(at, (byte) value);
                break;
            default:
                put(field, (double) value);
        }
    }

    /**
     * Sets a field of floating point numbers.
     *
     * @param field the field's index
     * @param value the value
     * @throws IllegalArgumentException if the field is of another kind
     */
    public final void put(int field, double value) {
        int place = places[field];
        if (kind(place) == F64) {
            memory.putDouble(offset(place), value);
        } else if (kind(place) == F32) {
            memory.putFloat(offset(place), (float) value);
        } else {
            throw wrongKind(field, "a number");
        }
    }

    /**
     * Sets a field of truth values.
     *
     * @param field the field's index
     * @param value the value
     * @throws IllegalArgumentException if the field is of another kind
     */
    public final void put(int field, boolean value) {
        int place = places[field];
        if (kind(place) != BOOL) {
            throw wrongKind(field, "a truth value");
        }
        memory.put(offset(place), (byte) (value ? 1 : 0));
    }

    /**
     * Sets a symbol.
     *
     * @param field the field's index
     * @param value the value
     * @throws IllegalArgumentException if the field is of another kind
     */
    public final void put(int field, Symbol value) {
        int place = places[field];
        if (kind(place) != SYMBOL) {
            throw wrongKind(field, "a symbol");
        }
        memory.putInt(offset(place), value.number());
    }

    /**
     * Sets a text, or a symbol, which is interned.
     *
     * @param field the field's index
     * @param value the value
     * @throws IllegalArgumentException if the field is of another kind, or the text is too long for it
     */
    public final void put(int field, String value) {
        int place = places[field];
        if (kind(place) == SYMBOL) {
            memory.putInt(offset(place), Symbol.intern(value).number());
        } else if (KINDS[kind(place)] == FieldKind.TEXT) {
            int size = type.fields().get(field).size();
            Utf8.put(Objects.requireNonNull(value, "value"), memory, offset(place), size);
        } else {
            throw wrongKind(field, "a text");
        }
    }

    /**
     * Sets a field by its name.
     *
     * @param field the field's name
     * @param value the value
     * @throws IllegalArgumentException if there is no such field, or it can't hold the value
     */
    public final void put(String field, long value) {
        put(type.indexOf(field), value);
    }

    /**
     * Sets a field by its name.
     *
     * @param field the field's name
     * @param value the value
     * @throws IllegalArgumentException if there is no such field, or it can't hold the value
     */
    public final void put(String field, double value) {
        put(type.indexOf(field), value);
    }

    /**
     * Sets a field by its name.
     *
     * @param field the field's name
     * @param value the value
     * @throws IllegalArgumentException if there is no such field, or it can't hold the value
     */
    public final void put(String field, boolean value) {
        put(type.indexOf(field), value);
    }

    /**
     * Sets a field by its name.
     *
     * @param field the field's name
     * @param value the value
     * @throws IllegalArgumentException if there is no such field, or it can't hold the value
     */
    public final void put(String field, Symbol value) {
        put(type.indexOf(field), value);
    }

    /**
     * Sets a field by its name.
     *
     * @param field the field's name
     * @param value the value
     * @throws IllegalArgumentException if there is no such field, or it can't hold the value
     */
    public final void put(String field, String value) {
        put(type.indexOf(field), value);
    }

    private void check(int field, long value, long least, long most) {
        if (value < least || value > most) {
            throw wrongKind(field, String.valueOf(value));
        }
    }

    private IllegalArgumentException wrongKind(int field, String value) {
        Field of = type.fields().get(field);
        return new IllegalArgumentException(of.name() + " of " + type + " is " + of.kind() + ", which can't hold " + value);
    }
}
