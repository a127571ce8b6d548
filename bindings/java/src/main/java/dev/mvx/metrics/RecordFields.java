package dev.mvx.metrics;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;

/** Writes and reads one component of a record; {@link RecordCodec} puts them together. */
final class RecordFields {
    private static final MethodHandles.Lookup LOOKUP = MethodHandles.lookup();

    private RecordFields() {}

    /** (value, buffer, base) to nothing. */
    static MethodHandle writer(String name, Class<?> type, Field field) {
        if (type.isPrimitive()) {
            return MethodHandles.insertArguments(find("put", void.class, type, ByteBuffer.class, int.class, int.class), 3,
                    field.offset());
        }
        if (field.kind() == FieldKind.TEXT) {
            return MethodHandles.insertArguments(
                    find("putText", void.class, String.class, ByteBuffer.class, int.class, int.class, int.class,
                            String.class),
                    3, field.offset(), field.size(), name);
        }
        if (type.isEnum()) {
            return MethodHandles.insertArguments(
                            find("putEnum", void.class, Enum.class, ByteBuffer.class, int.class, int.class, int[].class,
                                    String.class),
                            3, field.offset(), symbols(type), name)
                    .asType(MethodType.methodType(void.class, type, ByteBuffer.class, int.class));
        }
        return MethodHandles.insertArguments(
                find("put", void.class, type, ByteBuffer.class, int.class, int.class, String.class), 3, field.offset(),
                name);
    }

    /** (buffer, base) to a value. */
    static MethodHandle reader(Class<?> type, Field field) {
        if (field.kind() == FieldKind.TEXT) {
            return MethodHandles.insertArguments(
                    find("getText", String.class, ByteBuffer.class, int.class, int.class, int.class), 2, field.offset(),
                    field.size());
        }
        if (type.isEnum()) {
            return MethodHandles.insertArguments(
                            find("getEnum", Object.class, ByteBuffer.class, int.class, int.class, Object[].class,
                                    int[].class),
                            2, field.offset(), type.getEnumConstants(), symbols(type))
                    .asType(MethodType.methodType(type, ByteBuffer.class, int.class));
        }
        return MethodHandles.insertArguments(
                find("get" + type.getSimpleName(), type, ByteBuffer.class, int.class, int.class), 2, field.offset());
    }

    /** (buffer, base) to nothing: makes bytes zero. */
    static MethodHandle zeros(int from, int end) {
        return MethodHandles.insertArguments(
                find("putZeros", void.class, ByteBuffer.class, int.class, int.class, int.class), 2, from, end);
    }

    private static MethodHandle find(String name, Class<?> result, Class<?>... arguments) {
        try {
            return LOOKUP.findStatic(RecordFields.class, name, MethodType.methodType(result, arguments));
        } catch (ReflectiveOperationException impossible) {
            throw new AssertionError(impossible);
        }
    }

    static int[] symbols(Class<?> type) {
        Object[] constants = type.getEnumConstants();
        int[] symbols = new int[constants.length];
        for (int i = 0; i < symbols.length; i++) {
            symbols[i] = Symbol.intern(((Enum<?>) constants[i]).name()).number();
        }
        return symbols;
    }

    static <T> T present(T value, String name) {
        if (value == null) {
            throw new NullPointerException(name + " is null");
        }
        return value;
    }

    static void put(byte value, ByteBuffer to, int base, int offset) {
        to.put(base + offset, value);
    }

    static void put(short value, ByteBuffer to, int base, int offset) {
        to.putShort(base + offset, value);
    }

    static void put(int value, ByteBuffer to, int base, int offset) {
        to.putInt(base + offset, value);
    }

    static void put(long value, ByteBuffer to, int base, int offset) {
        to.putLong(base + offset, value);
    }

    static void put(float value, ByteBuffer to, int base, int offset) {
        to.putFloat(base + offset, value);
    }

    static void put(double value, ByteBuffer to, int base, int offset) {
        to.putDouble(base + offset, value);
    }

    static void put(boolean value, ByteBuffer to, int base, int offset) {
        to.put(base + offset, (byte) (value ? 1 : 0));
    }

    static void put(Symbol value, ByteBuffer to, int base, int offset, String name) {
        to.putInt(base + offset, present(value, name).number());
    }

    static void put(String value, ByteBuffer to, int base, int offset, String name) {
        to.putInt(base + offset, Symbol.intern(present(value, name)).number());
    }

    static void putText(String value, ByteBuffer to, int base, int offset, int size, String name) {
        Utf8.put(present(value, name), to, base + offset, size);
    }

    static void putEnum(Enum<?> value, ByteBuffer to, int base, int offset, int[] symbols, String name) {
        to.putInt(base + offset, symbols[present(value, name).ordinal()]);
    }

    static void putZeros(ByteBuffer to, int base, int from, int end) {
        for (int i = from; i < end; i += Long.BYTES) {
            to.putLong(base + i, 0);
        }
    }

    static byte getbyte(ByteBuffer from, int base, int offset) {
        return from.get(base + offset);
    }

    static short getshort(ByteBuffer from, int base, int offset) {
        return from.getShort(base + offset);
    }

    static int getint(ByteBuffer from, int base, int offset) {
        return from.getInt(base + offset);
    }

    static long getlong(ByteBuffer from, int base, int offset) {
        return from.getLong(base + offset);
    }

    static float getfloat(ByteBuffer from, int base, int offset) {
        return from.getFloat(base + offset);
    }

    static double getdouble(ByteBuffer from, int base, int offset) {
        return from.getDouble(base + offset);
    }

    static boolean getboolean(ByteBuffer from, int base, int offset) {
        return from.get(base + offset) != 0;
    }

    static Symbol getSymbol(ByteBuffer from, int base, int offset) {
        return new Symbol(from.getInt(base + offset));
    }

    static String getString(ByteBuffer from, int base, int offset) {
        return Symbol.textOf(from.getInt(base + offset));
    }

    static String getText(ByteBuffer from, int base, int offset, int size) {
        return Utf8.get(from, base + offset, size);
    }

    /** A symbol that is none of the constants, as another language may record it, becomes null. */
    static Object getEnum(ByteBuffer from, int base, int offset, Object[] constants, int[] symbols) {
        int symbol = from.getInt(base + offset);
        for (int i = 0; i < symbols.length; i++) {
            if (symbols[i] == symbol) {
                return constants[i];
            }
        }
        return null;
    }
}
