import dev.mvx.metrics.Folding;
import dev.mvx.metrics.Runtime;
import java.util.ArrayList;
import java.util.List;

/**
 * What recording an event costs from Java: against the floor, an empty call into C with the same arguments, and against what
 * people use today. All in one run.
 */
public final class Benchmark {
    private final List<Row> all = new ArrayList<>();

    private <R extends Row> R row(R row) {
        all.add(row);
        return row;
    }

    public static void main(String[] arguments) {
        try (Runtime runtime = Runtime.create()) {
            runtime.start();
            new Benchmark().run(runtime);
            runtime.shutdown();
        }
    }

    private void run(Runtime runtime) {
        Row empty = row(Floor.buffer());
        Row emptyArray = row(Floor.array());
        List<Row> direct = new ArrayList<>();
        List<Row> arrays = new ArrayList<>();
        List<Row> batches = new ArrayList<>();
        for (Folding folding : Folding.values()) {
            direct.add(row(Ours.bufferAsItIs(runtime, folding)));
            direct.add(row(Ours.buffer(runtime, folding)));
            direct.add(row(Ours.record(runtime, folding)));
            arrays.add(row(Ours.array(runtime, folding)));
            batches.add(row(Ours.batch(runtime, folding)));
        }
        List<Row> peers = Peers.all();
        all.addAll(peers);

        Rounds rounds = new Rounds();
        rounds.measure(all);

        System.out.printf("Java %s, ns an event of 16 bytes, processor time of the thread that records, medians of %d"
                + " rounds of %d%n%n", System.getProperty("java.version"), Rounds.MEASURED, Rounds.EVENTS);
        Table table = new Table();
        direct.forEach(ours -> table.compare(ours, empty, 2));
        arrays.forEach(ours -> table.compare(ours, emptyArray, 2));
        batches.forEach(ours -> table.compare(ours, empty, 0));
        Row buffer = direct.get(1);
        for (Row peer : peers) {
            table.compare(buffer, peer, Peers.isDue(peer) ? 1 : 0);
        }
        System.out.println(table);

        System.out.printf("%-57s %6s   %-6s %s%n", "garbage", "bytes", "due", "met");
        for (Row row : all) {
            double bytes = (double) row.bytes / Rounds.MEASURED / Rounds.EVENTS;
            // Below that it is none of any event: the timer of a batch, now and then.
            String due = row instanceof Ours ? bytes < 0.05 ? "0      yes" : "0      NO" : "-";
            System.out.printf("%-57s %6.1f   %s%n", row.name, bytes, due);
        }
    }
}
