package dev.mvx.metrics;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads the details of errors, which the library writes: valid JSON, a few levels deep. */
final class Json {
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(String text) {
        Object value = new Json(text).value();
        return value instanceof Map ? (Map<String, Object>) value : Map.of();
    }

    static String quote(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char letter : text.toCharArray()) {
            if (letter == '"' || letter == '\\') {
                out.append('\\').append(letter);
            } else if (letter < ' ') {
                out.append(String.format("\\u%04x", (int) letter));
            } else {
                out.append(letter);
            }
        }
        return out.append('"').toString();
    }

    private char peek() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        return at < text.length() ? text.charAt(at) : '\0';
    }

    private boolean takes(char letter) {
        if (peek() != letter) {
            return false;
        }
        at++;
        return true;
    }

    private void expect(char letter) {
        if (!takes(letter)) {
            throw new IllegalArgumentException("no " + letter + " at " + at + " of " + text);
        }
    }

    private Object value() {
        switch (peek()) {
            case '{':
                return map();
            case '[':
                return list();
            case '"':
                return string();
            default:
                return word();
        }
    }

    private Map<String, Object> map() {
        Map<String, Object> map = new LinkedHashMap<>();
        expect('{');
        while (!takes('}')) {
            peek();
            String key = string();
            expect(':');
            map.put(key, value());
            takes(',');
        }
        return Collections.unmodifiableMap(map);
    }

    private List<Object> list() {
        List<Object> list = new ArrayList<>();
        expect('[');
        while (!takes(']')) {
            list.add(value());
            takes(',');
        }
        return Collections.unmodifiableList(list);
    }

    private String string() {
        expect('"');
        StringBuilder out = new StringBuilder();
        for (;;) {
            char letter = text.charAt(at++);
            if (letter == '"') {
                return out.toString();
            }
            out.append(letter == '\\' ? escape() : letter);
        }
    }

    private char escape() {
        char letter = text.charAt(at++);
        switch (letter) {
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                at += 4;
                return (char) Integer.parseInt(text.substring(at - 4, at), 16);
            default:
                return letter;
        }
    }

    private Object word() {
        int begin = at;
        while (at < text.length() && ",]} \t\r\n".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        String word = text.substring(begin, at);
        switch (word) {
            case "null":
                return null;
            case "true":
                return true;
            case "false":
                return false;
            default:
                return number(word);
        }
    }

    private static Object number(String word) {
        if (word.chars().anyMatch(letter -> letter == '.' || letter == 'e' || letter == 'E')) {
            return Double.valueOf(word);
        }
        BigInteger whole = new BigInteger(word);
        return whole.bitLength() < Long.SIZE ? (Object) whole.longValue() : whole;
    }
}
