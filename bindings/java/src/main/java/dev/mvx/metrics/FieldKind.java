package dev.mvx.metrics;

/** Kinds of fields of an event. The order is that of the library's numbers, from 1 on. */
public enum FieldKind {
    /** A byte. */
    I8(1),
    /** A short. */
    I16(2),
    /** An int. */
    I32(4),
    /** A long. */
    I64(8),
    /** One byte, without a sign. */
    U8(1),
    /** Two bytes, without a sign. */
    U16(2),
    /** Four bytes, without a sign. */
    U32(4),
    /** Eight bytes, without a sign. */
    U64(8),
    /** A float. */
    F32(4),
    /** A double. */
    F64(8),
    /** One byte, 0 is false. */
    BOOL(1),
    /** A {@link Symbol}. */
    SYMBOL(4),
    /** Bytes of UTF-8 that end at the first NUL or after the size of the field. */
    TEXT(0);

    /** Its bytes; 0: as many as the field says. */
    final int size;

    FieldKind(int size) {
        this.size = size;
    }

    int code() {
        return ordinal() + 1;
    }

    int alignment() {
        return Math.max(1, size);
    }
}
