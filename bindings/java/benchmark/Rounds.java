import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;

/**
 * Measures all rows in rounds that take turns, so that what slows the machine down for a while counts on all sides. It is the
 * thread that records that is measured: neither what the library's threads do meanwhile, nor the collector of garbage.
 */
final class Rounds {
    static final int WARMING_UP = 60;
    static final int MEASURED = 300;
    static final int EVENTS = 20_000;

    private final ThreadMXBean thread = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private long spent;
    private long allocated;

    void measure(List<Row> rows) {
        for (Row row : rows) {
            row.nanos = new double[MEASURED];
        }
        for (int round = -WARMING_UP; round < MEASURED; round++) {
            for (Row row : rows) {
                once(row);
                row.settle();
                if (round >= 0) {
                    row.nanos[round] = (double) spent / EVENTS;
                    row.bytes += allocated;
                }
            }
        }
        for (Row row : rows) {
            row.verify((long) (WARMING_UP + MEASURED) * EVENTS);
        }
    }

    /** The processor time and the garbage of the thread that records. */
    private void once(Row row) {
        long bytes = thread.getCurrentThreadAllocatedBytes();
        long begun = thread.getCurrentThreadCpuTime();
        row.record(EVENTS);
        spent = thread.getCurrentThreadCpuTime() - begun;
        allocated = thread.getCurrentThreadAllocatedBytes() - bytes;
    }
}
