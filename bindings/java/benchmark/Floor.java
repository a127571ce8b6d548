/** Empty calls into C. */
abstract class Floor extends Row {
    private long returned;

    private Floor(String name) {
        super(name);
    }

    @Override
    final void verify(long recorded) {
        expect(0, returned);
    }

    static Floor buffer() {
        return new Floor("empty JNI call") {
            @Override
            void record(int events) {
                for (int i = 0; i < events; i++) {
                    super.returned += Empty.record(1L << 62, 7, 1L << 40, 16);
                }
            }
        };
    }

    static Floor array() {
        byte[] payload = new byte[16];
        return new Floor("empty JNI call, byte[]") {
            @Override
            void record(int events) {
                for (int i = 0; i < events; i++) {
                    super.returned += Empty.recordArray(1L << 62, 7, payload, 0, 16);
                }
            }
        };
    }
}
