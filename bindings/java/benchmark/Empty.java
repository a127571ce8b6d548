/** The floor: calls into C that do nothing, with the arguments of those that record. */
final class Empty {
    static {
        System.load(System.getProperty("benchmark.empty"));
    }

    private Empty() {}

    static native int record(long recorder, int type, long address, int length);

    static native int recordArray(long recorder, int type, byte[] payload, int offset, int length);
}
