package dev.mvx.metrics;

/** The library's numbers for kinds of values. */
final class ValueKind {
    static final int NULL = 0;
    static final int BOOL = 1;
    static final int I64 = 2;
    static final int U64 = 3;
    static final int F64 = 4;
    static final int STR = 5;
    static final int LIST = 6;
    static final int MAP = 7;

    private ValueKind() {}
}
