package dev.mvx.metrics.scenarios;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** What a scenario gives as numbers, texts and constants. */
final class Given {
    private Given() {}

    static long integer(Object from, String key, long otherwise) {
        Object value = Json.get(from, key);
        if (value == null) {
            return otherwise;
        }
        if (!(value instanceof Long)) {
            throw new Broken("'" + key + "' must be an integer");
        }
        return (Long) value;
    }

    /** A string, or {"$repeat", "times"}, or the bytes of {"$hex"}; empty where it is absent. */
    static String text(Object value) {
        if (value == null) {
            return "";
        }
        if (value instanceof String) {
            return (String) value;
        }
        if (Json.get(value, "$repeat") != null) {
            return ((String) Json.get(value, "$repeat")).repeat((int) integer(value, "times", 0));
        }
        if (Json.get(value, "$null") != null) {
            throw new Unsayable("NULL in place of a text");
        }
        try {
            byte[] bytes = hex(value);
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException invalid) {
            throw new Unsayable("a text that is no valid UTF-8");
        }
    }

    /** The bytes of {"$hex"}. */
    static byte[] hex(Object value) {
        if (!(Json.get(value, "$hex") instanceof String)) {
            throw new Broken("this is no text: " + Json.show(value));
        }
        return HexFormat.of().parseHex(((String) Json.get(value, "$hex")).replace(" ", ""));
    }

    static <E extends Enum<E>> E constant(Class<E> kind, Object value) {
        if (value instanceof Long) {
            throw new Unsayable("a number in place of a constant");
        }
        try {
            return Enum.valueOf(kind, (String) value);
        } catch (IllegalArgumentException | NullPointerException unknown) {
            throw new Broken("unknown constant " + Json.show(value));
        }
    }

    static void refuseStructSize(Object struct) {
        if (Json.get(struct, "struct_size") != null) {
            throw new Unsayable("the size of a struct");
        }
    }
}
