package dev.mvx.metrics;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Numbers and texts that came in one crossing. */
final class Packed {
    private Packed() {}

    static ByteBuffer of(byte[] packed) {
        return ByteBuffer.wrap(packed).order(ByteOrder.nativeOrder());
    }

    static String text(ByteBuffer from) {
        byte[] utf8 = new byte[from.getInt()];
        from.get(utf8);
        return Native.text(utf8);
    }

    static List<String> texts(ByteBuffer from) {
        int count = from.getInt();
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            texts.add(text(from));
        }
        return Collections.unmodifiableList(texts);
    }

    /** A value of a snapshot. */
    static Object value(ByteBuffer from) {
        int kind = from.getInt();
        switch (kind) {
            case ValueKind.NULL:
                return null;
            case ValueKind.BOOL:
                return from.getInt() != 0;
            case ValueKind.I64:
                return from.getLong();
            case ValueKind.U64:
                return unsigned(from.getLong());
            case ValueKind.F64:
                return from.getDouble();
            case ValueKind.STR:
                return text(from);
            case ValueKind.LIST:
                return list(from);
            case ValueKind.MAP:
                return map(from);
            default:
                throw new IllegalStateException("a value of an unknown kind, " + kind);
        }
    }

    static Object unsigned(long bits) {
        return bits >= 0 ? (Object) bits : new BigInteger(Long.toUnsignedString(bits));
    }

    private static List<Object> list(ByteBuffer from) {
        int length = from.getInt();
        List<Object> list = new ArrayList<>();
        for (int i = 0; i < length; i++) {
            list.add(value(from));
        }
        return Collections.unmodifiableList(list);
    }

    private static Map<String, Object> map(ByteBuffer from) {
        int length = from.getInt();
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < length; i++) {
            String key = text(from);
            map.put(key, value(from));
        }
        return Collections.unmodifiableMap(map);
    }
}
