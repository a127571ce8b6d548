package dev.mvx.metrics.scenarios;

import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * JSON as the runner needs it: objects keep their order, integers and reals stay apart, and what is absent (null) is not the
 * null of JSON. A value is {@link #NULL}, Boolean, Long, BigInteger (over Long.MAX_VALUE), Double, String, List or Map.
 */
final class Json {
    /** The null of JSON. */
    static final Object NULL = new Object() {
        @Override
        public String toString() {
            return "null";
        }
    };

    private Json() {}

    static Object parse(String text) throws IOException {
        JsonReader reader = new JsonReader(new StringReader(text));
        reader.setStrictness(Strictness.STRICT);
        Object value = read(reader);
        if (reader.peek() != JsonToken.END_DOCUMENT) {
            throw new IOException("there is more after the value");
        }
        return value;
    }

    private static Object read(JsonReader reader) throws IOException {
        switch (reader.peek()) {
            case BEGIN_OBJECT:
                return readMap(reader);
            case BEGIN_ARRAY:
                List<Object> list = new ArrayList<>();
                reader.beginArray();
                while (reader.hasNext()) {
                    list.add(read(reader));
                }
                reader.endArray();
                return list;
            case STRING:
                return reader.nextString();
            case NUMBER:
                return number(reader.nextString());
            case BOOLEAN:
                return reader.nextBoolean();
            case NULL:
                reader.nextNull();
                return NULL;
            default:
                throw new IOException("no value at " + reader.getPath());
        }
    }

    private static Map<String, Object> readMap(JsonReader reader) throws IOException {
        Map<String, Object> map = new LinkedHashMap<>();
        reader.beginObject();
        while (reader.hasNext()) {
            String key = reader.nextName();
            if (map.put(key, read(reader)) != null) {
                throw new IOException("the key \"" + key + "\" is there twice");
            }
        }
        reader.endObject();
        return map;
    }

    private static Object number(String word) {
        if (word.chars().anyMatch(letter -> letter == '.' || letter == 'e' || letter == 'E')) {
            return Double.valueOf(word);
        }
        BigInteger whole = new BigInteger(word);
        return whole.bitLength() < Long.SIZE ? (Object) whole.longValue() : whole;
    }

    /** Looks into what may be no object at all. */
    static Object get(Object value, String key) {
        return value instanceof Map ? ((Map<?, ?>) value).get(key) : null;
    }

    @SuppressWarnings("unchecked")
    static Set<String> keys(Object value) {
        return value instanceof Map ? ((Map<String, Object>) value).keySet() : Set.of();
    }

    @SuppressWarnings("unchecked")
    static List<Object> list(Object value) {
        return value instanceof List ? (List<Object>) value : List.of();
    }

    static String text(Object value, String otherwise) {
        return value instanceof String ? (String) value : otherwise;
    }

    static boolean isTrue(Object value, String key) {
        return Boolean.TRUE.equals(get(value, key));
    }

    /** An object of the given keys and values. */
    static Map<String, Object> map(Object... pairs) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            map.put((String) pairs[i], pairs[i + 1]);
        }
        return map;
    }

    /** Whether a value is as expected; "$any" takes any that is there. */
    static boolean same(Object expected, Object got) {
        if ("$any".equals(expected)) {
            return got != null;
        }
        if (expected instanceof Map && got instanceof Map) {
            return keys(expected).equals(keys(got))
                    && keys(expected).stream().allMatch(key -> same(get(expected, key), get(got, key)));
        }
        if (expected instanceof List && got instanceof List) {
            Iterator<Object> others = list(got).iterator();
            return list(expected).size() == list(got).size()
                    && list(expected).stream().allMatch(item -> same(item, others.next()));
        }
        if (expected instanceof Double && got instanceof Double) {
            return expected.equals(got) || ((Double) expected).doubleValue() == (Double) got;
        }
        return expected == null ? got == null : expected.equals(got);
    }

    static boolean sameOrder(Object expected, Object got) {
        return List.copyOf(keys(expected)).equals(List.copyOf(keys(got)));
    }

    static String show(Object value) {
        StringBuilder out = new StringBuilder();
        write(out, value);
        return out.toString();
    }

    private static void write(StringBuilder out, Object value) {
        if (value == null) {
            out.append("nothing");
        } else if (value instanceof String) {
            out.append(new JsonPrimitive((String) value));
        } else if (value instanceof Map) {
            String separator = "{";
            for (String key : keys(value)) {
                write(out.append(separator), key);
                write(out.append(':'), get(value, key));
                separator = ",";
            }
            out.append(separator.equals("{") ? "{}" : "}");
        } else if (value instanceof List) {
            String separator = "[";
            for (Object item : list(value)) {
                write(out.append(separator), item);
                separator = ",";
            }
            out.append(separator.equals("[") ? "[]" : "]");
        } else {
            out.append(value);
        }
    }
}
