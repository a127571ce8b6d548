package dev.mvx.metrics.scenarios;

import java.util.HashMap;
import java.util.Map;

/** Where callbacks are held until a step opens the gate, by name. */
final class Gates {
    private static final class Gate {
        boolean open;
        long reached;
    }

    private final Map<String, Gate> gates = new HashMap<>();
    private boolean allOpen;

    private Gate named(String name) {
        return gates.computeIfAbsent(name, unused -> new Gate());
    }

    synchronized void pass(String name) {
        Gate gate = named(name);
        gate.reached++;
        while (!gate.open && !allOpen) {
            try {
                wait();
            } catch (InterruptedException unexpected) {
                throw new Broken("interrupted at gate " + name);
            }
        }
    }

    synchronized void open(String name) {
        named(name).open = true;
        notifyAll();
    }

    synchronized void openAll() {
        allOpen = true;
        notifyAll();
    }

    synchronized long reached(String name) {
        return named(name).reached;
    }
}
