package dev.mvx.metrics.scenarios;

/** A step that can't be played as it is written, or that shows a fault which no expectation names. */
final class Broken extends RuntimeException {
    private static final long serialVersionUID = 1;

    Broken(String message) {
        super(message);
    }
}
