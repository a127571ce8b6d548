package dev.mvx.metrics.scenarios;

import dev.mvx.metrics.EventFields;
import dev.mvx.metrics.EventType;
import dev.mvx.metrics.Field;
import dev.mvx.metrics.Symbol;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Payloads of events, field by field and as bytes. */
final class Payloads {
    private Payloads() {}

    /** Whether a payload is given by its fields; otherwise as bytes. */
    static boolean hasFields(Object given) {
        return !Json.keys(given).isEmpty() && Json.keys(given).stream().noneMatch(key -> key.startsWith("$"));
    }

    /** The bytes of {"$hex"} and {"$zeros"}; none where there is no payload. */
    static byte[] bytes(Object given) {
        if (Json.get(given, "$null") != null) {
            throw new Unsayable("NULL in place of a payload");
        }
        if (Json.get(given, "$zeros") != null) {
            return new byte[(int) Given.integer(given, "$zeros", 0)];
        }
        return Json.keys(given).isEmpty() ? new byte[0] : Given.hex(given);
    }

    static void checkFields(EventType type, Object given) {
        Set<String> names = new HashSet<>();
        type.fields().forEach(field -> names.add(field.name()));
        if (!names.equals(Json.keys(given))) {
            throw new Broken("the payload must give each field of the event: " + names);
        }
    }

    /** Puts every field into what the binding offers for it. */
    static void put(EventFields into, Object given) {
        checkFields(into.type(), given);
        List<Field> fields = into.type().fields();
        for (int i = 0; i < fields.size(); i++) {
            Object value = Json.get(given, fields.get(i).name());
            switch (fields.get(i).kind()) {
                case BOOL:
                    into.put(i, (boolean) value);
                    break;
                case SYMBOL:
                case TEXT:
                    into.put(i, Given.text(value));
                    break;
                case F32:
                case F64:
                    into.put(i, Values.real(value));
                    break;
                default:
                    into.put(i, Values.whole(value));
            }
        }
    }

    /** The same as bytes. */
    static byte[] pack(EventType type, Object given) {
        checkFields(type, given);
        ByteBuffer bytes = ByteBuffer.allocate(type.length()).order(ByteOrder.nativeOrder());
        for (Field field : type.fields()) {
            put(bytes, field, Json.get(given, field.name()));
        }
        return bytes.array();
    }

    private static void put(ByteBuffer bytes, Field field, Object value) {
        int at = field.offset();
        switch (field.kind()) {
            case I8:
            case U8:
                bytes.put(at, (byte) Values.whole(value));
                break;
            case BOOL:
                bytes.put(at, (byte) ((boolean) value ? 1 : 0));
                break;
            case I16:
            case U16:
                bytes.putShort(at, (short) Values.whole(value));
                break;
            case I32:
            case U32:
                bytes.putInt(at, (int) Values.whole(value));
                break;
            case I64:
            case U64:
                bytes.putLong(at, Values.whole(value));
                break;
            case F32:
                bytes.putFloat(at, (float) Values.real(value));
                break;
            case F64:
                bytes.putDouble(at, Values.real(value));
                break;
            case SYMBOL:
                bytes.putInt(at, Symbol.intern(Given.text(value)).number());
                break;
            default:
                byte[] text = Given.text(value).getBytes(StandardCharsets.UTF_8);
                bytes.put(at, text, 0, Math.min(text.length, field.size()));
        }
    }

    /** The value of a field as the scenarios show it; null where the payload is too short. */
    static Object read(Field field, ByteBuffer payload) {
        int at = field.offset();
        if (at + field.size() > payload.limit()) {
            return Json.NULL;
        }
        switch (field.kind()) {
            case I8:
                return (long) payload.get(at);
            case U8:
                return payload.get(at) & 0xFFL;
            case BOOL:
                return payload.get(at) != 0;
            case I16:
                return (long) payload.getShort(at);
            case U16:
                return payload.getShort(at) & 0xFFFFL;
            case I32:
                return (long) payload.getInt(at);
            case U32:
                return payload.getInt(at) & 0xFFFF_FFFFL;
            case I64:
                return payload.getLong(at);
            case U64:
                long bits = payload.getLong(at);
                return bits >= 0 ? (Object) bits : Long.toUnsignedString(bits);
            case F32:
                return (double) payload.getFloat(at);
            case F64:
                return payload.getDouble(at);
            case SYMBOL:
                return new Symbol(payload.getInt(at)).text();
            default:
                byte[] text = new byte[field.size()];
                payload.get(at, text);
                int end = 0;
                while (end < text.length && text[end] != 0) {
                    end++;
                }
                return new String(text, 0, end, StandardCharsets.UTF_8);
        }
    }

    /** What the binding's own reading gives for a field, as the scenarios show it. */
    static Object shown(Object value) {
        return value instanceof BigInteger ? value.toString() : value;
    }
}
