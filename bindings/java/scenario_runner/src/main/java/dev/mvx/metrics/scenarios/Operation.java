package dev.mvx.metrics.scenarios;

import java.util.Map;
import java.util.Set;

/** What a step can do: the keys that it may have, what its expectation may have, and how it is played. */
record Operation(Set<String> keys, Set<String> gives, Play play) {
    /** Plays a step. */
    @FunctionalInterface
    interface Play {
        /** Gives what came of it, to be compared with what is expected. */
        Map<String, Object> play(Call call);
    }
}
