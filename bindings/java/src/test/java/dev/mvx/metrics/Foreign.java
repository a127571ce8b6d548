package dev.mvx.metrics;

/** A C library that uses the same copy of mvx_metrics; see src/test/c/foreign.c. */
final class Foreign {
    static {
        Library.version(); // loads the library that it needs
        System.load(System.getProperty("mvx.test.build") + "/libforeign.so");
    }

    private Foreign() {}

    static native int eventType();

    static native int record(long recorder, int count);

    static native long newRecorder();

    static native void freeRecorder(long recorder);

    static native int registerMetric(long recorder);

    static native long heapInUse();
}
