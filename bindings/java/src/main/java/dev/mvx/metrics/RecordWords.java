package dev.mvx.metrics;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteOrder;
import java.util.List;

/** Makes a word of a payload out of a record, without memory between. */
final class RecordWords {
    private static final MethodHandles.Lookup LOOKUP = MethodHandles.lookup();
    private static final boolean LITTLE = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;

    private RecordWords() {}

    /**
     * (record) to a word of its payload; none of its fields is a text.
     *
     * @param accessors (record) to the value of each field
     */
    static MethodHandle word(Class<?> type, List<Field> fields, List<MethodHandle> accessors, int index) {
        MethodHandle word = MethodHandles.dropArguments(MethodHandles.constant(long.class, 0L), 0, type);
        for (int i = 0; i < fields.size(); i++) {
            Field field = fields.get(i);
            if (field.offset() / Long.BYTES == index) {
                MethodHandle bits = MethodHandles.filterReturnValue(accessors.get(i),
                        placed(type, field, accessors.get(i).type().returnType()));
                MethodHandle either = MethodHandles.filterArguments(
                        find("either", long.class, long.class), 0, word, bits);
                word = MethodHandles.permuteArguments(either, word.type(), 0, 0);
            }
        }
        return word;
    }

    /** (value) to a word in which it is where it belongs. */
    private static MethodHandle placed(Class<?> record, Field field, Class<?> type) {
        int at = field.offset() % Long.BYTES;
        int shift = Byte.SIZE * (LITTLE ? at : Long.BYTES - field.size() - at);
        long mask = -1L >>> Long.SIZE - Byte.SIZE * field.size();
        MethodHandle place = MethodHandles.insertArguments(find("place", long.class, long.class, int.class), 1, mask, shift);
        return MethodHandles.filterReturnValue(bits(record.getSimpleName() + "." + field.name(), type), place);
    }

    private static MethodHandle bits(String name, Class<?> type) {
        if (type.isPrimitive()) {
            return find("bits", type);
        }
        if (type.isEnum()) {
            return MethodHandles.insertArguments(find("bits", Enum.class, int[].class, String.class), 1,
                    RecordFields.symbols(type), name).asType(MethodType.methodType(long.class, type));
        }
        return MethodHandles.insertArguments(find("bits", type, String.class), 1, name);
    }

    private static MethodHandle find(String name, Class<?>... arguments) {
        try {
            return LOOKUP.findStatic(RecordWords.class, name, MethodType.methodType(long.class, arguments));
        } catch (ReflectiveOperationException impossible) {
            throw new AssertionError(impossible);
        }
    }

    static long either(long these, long those) {
        return these | those;
    }

    static long place(long bits, long mask, int shift) {
        return (bits & mask) << shift;
    }

    static long bits(byte value) {
        return value;
    }

    static long bits(short value) {
        return value;
    }

    static long bits(int value) {
        return value;
    }

    static long bits(long value) {
        return value;
    }

    static long bits(float value) {
        return Float.floatToRawIntBits(value);
    }

    static long bits(double value) {
        return Double.doubleToRawLongBits(value);
    }

    static long bits(boolean value) {
        return value ? 1 : 0;
    }

    static long bits(Symbol value, String name) {
        return RecordFields.present(value, name).number();
    }

    static long bits(String value, String name) {
        return Symbol.intern(RecordFields.present(value, name)).number();
    }

    static long bits(Enum<?> value, int[] symbols, String name) {
        return symbols[RecordFields.present(value, name).ordinal()];
    }
}
