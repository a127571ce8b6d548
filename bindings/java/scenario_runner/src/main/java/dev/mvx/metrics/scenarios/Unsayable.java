package dev.mvx.metrics.scenarios;

/** What Java has no way to say: a step that needs it is left out, and counted aloud. */
final class Unsayable extends RuntimeException {
    private static final long serialVersionUID = 1;

    Unsayable(String what) {
        super(what);
    }
}
