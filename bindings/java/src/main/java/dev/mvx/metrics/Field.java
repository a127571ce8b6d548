package dev.mvx.metrics;

import java.util.Objects;

/**
 * A declared field of a payload. Numbers are in the byte order of the machine and may lie unaligned.
 *
 * @param name unique within its event type; 1 to 255 bytes
 * @param kind how its bytes are read
 * @param offset where it begins, in bytes
 * @param size its bytes: those of its kind, or the length of a text
 */
public record Field(String name, FieldKind kind, int offset, int size) {
    /**
     * A field with a size of its own. All but null is checked where the event type is declared.
     *
     * @param name its name
     * @param kind its kind
     * @param offset where it begins
     * @param size its bytes
     */
    public Field {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(kind, "kind");
    }

    /**
     * A field with the size of its kind.
     *
     * @param name its name
     * @param kind its kind, which is no text
     * @param offset where it begins
     */
    public Field(String name, FieldKind kind, int offset) {
        this(name, kind, offset, Objects.requireNonNull(kind, "kind").size);
    }
}
