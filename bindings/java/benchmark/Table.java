import java.util.Arrays;
import java.util.Locale;

/** Prints comparisons as one table. */
final class Table {
    private final StringBuilder lines = new StringBuilder();

    Table() {
        lines.append(String.format("%-35s %7s   %-57s %7s   %6s   %-6s %s%n", "ours", "ns", "floor or peer", "ns", "ratio",
                "due", "met"));
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    /** The ratio is the median of the rounds' own, which a slow moment hardly moves. */
    void compare(Row ours, Row other, double atMost) {
        double[] ratios = new double[ours.nanos.length];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = ours.nanos[i] / other.nanos[i];
        }
        double ratio = median(ratios);
        String due = atMost > 0 ? "<= " + (long) atMost : "-";
        String met = atMost > 0 ? ratio <= atMost ? "yes" : "NO" : "";
        lines.append(String.format(Locale.ROOT, "%-35s %7.1f   %-57s %7.1f   %6.2f   %-6s %s", ours.name,
                median(ours.nanos), other.name, median(other.nanos), ratio, due, met).stripTrailing()).append('\n');
    }

    @Override
    public String toString() {
        return lines.toString();
    }
}
