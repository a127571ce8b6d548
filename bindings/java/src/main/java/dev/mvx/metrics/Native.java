package dev.mvx.metrics;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The natives. Handles and addresses are longs, texts UTF-8; a failure is thrown as a {@link MetricsException}. */
final class Native {
    static {
        NativeLibrary.load();
    }

    private Native() {}

    /** UTF-8, not Java's modified form of it; null stays null. */
    static byte[] utf8(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }

    static byte[][] utf8(List<String> texts) {
        return texts.stream().map(Native::utf8).toArray(byte[][]::new);
    }

    static String text(byte[] utf8) {
        return new String(utf8, StandardCharsets.UTF_8);
    }

    static native byte[] version();
    static native int abiVersion();

    static native long runtimeCreate(byte[] namespace, byte[] threadNamePrefix, long[] numbers, Object log);
    static native long runtimeDefault();
    static native long runtimeClone(long runtime);
    static native void runtimeStart(long runtime);
    static native void runtimeShutdown(long runtime);
    static native long runtimeShutdownAsync(long runtime);
    static native int runtimeState(long runtime);
    static native MetricsException runtimeLastError(long runtime);
    static native long runtimeRecorder(long runtime, int how, byte[] id);
    static native byte[] runtimeRecorderIds(long runtime);
    static native void runtimeFree(long runtime);

    static native long recorderCreate(
            long runtime, byte[] id, byte[] entityId, byte[] namespace, long[] numbers, Object hooks, Object log);
    static native long recorderClone(long recorder);
    static native long recorderOperate(long recorder, int operation, boolean waits);
    static native void recorderCancel(long recorder);
    static native int recorderState(long recorder);
    static native MetricsException recorderLastError(long recorder);
    static native byte[] recorderEntityId(long recorder);
    static native byte[] recorderNameSpace(long recorder);
    static native long[] recorderStats(long recorder);
    static native void recorderIterMetrics(long recorder, List<MetricInfo> list);
    static native void recorderFree(long recorder);

    static native int record(long recorder, int type, long address, int length);
    static native int recordWords(long recorder, int type, long first, long second, int length);
    static native int recordArray(long recorder, int type, byte[] payload, int offset, int length);
    static native long recordMany(long recorder, int type, long address, int lengthEach, int count);
    static native long recordManyArray(long recorder, int type, byte[] payloads, int lengthEach, int count);
    static native long addressOf(ByteBuffer direct);

    static native long userNew(Object object);
    static native void registerMetric(
            long recorder, byte[] name, long user, int[] types, int flags, boolean oneByOne);
    static native void registerNativeMetric(
            long recorder, byte[][] texts, long[] numbers, int[] types, byte[][] groupBy, byte[][] filterTexts,
            long[] filterNumbers, double[] bounds, double relativeError);
    static native void callbackErrorSet(long error, byte[] message);
    static native boolean inCallback();
    static native int write(long writer, byte[] key, int kind, long bits, byte[] text);

    static native long snapshotTake(long recorder, int mode, long timeoutNanos);
    static native byte[] snapshotRead(long snapshot);
    static native byte[] snapshotJson(long snapshot);
    static native byte[] snapshotOpenMetrics(long snapshot);
    static native void snapshotFree(long snapshot);

    static native int eventTypeDeclare(
            byte[] name, byte[][] fieldNames, int[] fieldNumbers, int flags, Object release);
    static native byte[] eventTypeName(int type);
    static native int intern(byte[] text);
    static native byte[] symbolText(int symbol);

    static native int waitBlock(long wait, long timeoutNanos);
    static native int waitResult(long wait, MetricsException[] room);
    static native void waitOnComplete(long wait, Object callback);
    static native int waitFd(long wait);
    static native void waitFree(long wait);
    static native int completionDone(long completion, byte[] message);
}
