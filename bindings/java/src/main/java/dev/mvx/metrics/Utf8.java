package dev.mvx.metrics;

import java.nio.ByteBuffer;

/** Texts in fields, without garbage. */
final class Utf8 {
    private static final int REPLACEMENT = 0xFFFD;

    private Utf8() {}

    /** Writes a text, and a NUL after it where there is room. Nothing is written where the text is too long. */
    static void put(String text, ByteBuffer to, int offset, int size) {
        if (length(text) > size) {
            throw new IllegalArgumentException("the text has " + length(text) + " bytes, the field " + size);
        }
        int at = offset;
        for (int i = 0; i < text.length(); ) {
            int point = point(text, i);
            i += point == REPLACEMENT ? 1 : Character.charCount(point);
            if (point < 0x80) {
                to.put(at++, (byte) point);
            } else if (point < 0x800) {
                to.put(at++, (byte) (0xC0 | point >> 6));
                to.put(at++, (byte) (0x80 | point & 0x3F));
            } else if (point < 0x10000) {
                to.put(at++, (byte) (0xE0 | point >> 12));
                to.put(at++, (byte) (0x80 | point >> 6 & 0x3F));
                to.put(at++, (byte) (0x80 | point & 0x3F));
            } else {
                to.put(at++, (byte) (0xF0 | point >> 18));
                to.put(at++, (byte) (0x80 | point >> 12 & 0x3F));
                to.put(at++, (byte) (0x80 | point >> 6 & 0x3F));
                to.put(at++, (byte) (0x80 | point & 0x3F));
            }
        }
        if (at < offset + size) {
            to.put(at, (byte) 0);
        }
    }

    private static int length(String text) {
        int length = 0;
        for (int i = 0; i < text.length(); ) {
            int point = point(text, i);
            i += point == REPLACEMENT ? 1 : Character.charCount(point);
            length += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        }
        return length;
    }

    /** Half of a surrogate pair is no text. */
    private static int point(String text, int index) {
        int point = text.codePointAt(index);
        return point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE ? REPLACEMENT : point;
    }

    /** The text in a field: it ends at the first NUL or after {@code size} bytes. */
    static String get(ByteBuffer from, int offset, int size) {
        int length = 0;
        while (length < size && from.get(offset + length) != 0) {
            length++;
        }
        byte[] utf8 = new byte[length];
        for (int i = 0; i < length; i++) {
            utf8[i] = from.get(offset + i);
        }
        return Native.text(utf8);
    }
}
