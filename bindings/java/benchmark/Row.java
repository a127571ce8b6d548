/** One way to record, made ready, and what it was seen to cost. */
abstract class Row {
    final String name;
    double[] nanos; // an event, by round
    long bytes; // allocated by all events of all rounds

    Row(String name) {
        this.name = name;
    }

    /** Records events. Each row has a loop of its own, which is compiled for that row alone. */
    abstract void record(int events);

    /** Makes room for the next round; not measured. */
    void settle() {}

    /**
     * Makes sure that all that was recorded has arrived: nothing was refused, and nothing was optimized away.
     *
     * @param recorded how many events
     */
    abstract void verify(long recorded);

    /** For {@link #verify}. */
    final void expect(long recorded, double arrived) {
        if (arrived != recorded) {
            throw new IllegalStateException(name + ": " + recorded + " recorded, " + arrived + " arrived");
        }
    }
}
