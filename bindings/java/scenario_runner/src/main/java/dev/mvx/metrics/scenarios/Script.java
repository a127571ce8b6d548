package dev.mvx.metrics.scenarios;

import dev.mvx.metrics.Completion;
import dev.mvx.metrics.HookResult;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** What a callback does at its first call, its second, and so on. */
final class Script {
    private final Scenario scenario;
    private final String function;
    private final List<Object> behaviours;
    private final AtomicLong calls = new AtomicLong();

    /** How a behaviour fails: its message is the cause of the error that the library makes of it. */
    static final class Failure extends Exception {
        private static final long serialVersionUID = 1;

        Failure(String message) {
            super(message);
        }
    }

    Script(Scenario scenario, String function, Object behaviours) {
        this.scenario = scenario;
        this.function = function;
        this.behaviours = Json.list(behaviours);
    }

    /** Carries out what is due at this call, and says whether the event is to be ignored. */
    boolean ignores() throws Failure {
        long call = calls.incrementAndGet();
        Object behaviour = behaviour(call);
        carryOut(behaviour, where(call));
        return Json.isTrue(behaviour, "ignore");
    }

    /** The same for a hook. */
    HookResult runHook(Completion completion) throws Failure {
        long call = calls.incrementAndGet();
        Object behaviour = behaviour(call);
        boolean pending = Json.get(behaviour, "pending") != null && scenario.leavesPending(
                (String) Json.get(behaviour, "pending"), completion, where(call));
        carryOut(behaviour, where(call));
        return pending && !scenario.isCleaning() ? HookResult.PENDING : HookResult.DONE;
    }

    private String where(long call) {
        return "in call " + call + " of " + function;
    }

    private Object behaviour(long call) {
        long left = call;
        for (Object behaviour : behaviours) {
            Object times = Json.get(behaviour, "times");
            long lasts = times == null ? 1 : (Long) times;
            if (left <= lasts) {
                return behaviour;
            }
            left -= lasts;
        }
        return behaviours.isEmpty() ? null : behaviours.get(behaviours.size() - 1);
    }

    private void carryOut(Object behaviour, String where) throws Failure {
        if (Json.get(behaviour, "gate") != null) {
            scenario.gates.pass((String) Json.get(behaviour, "gate"));
        }
        scenario.playSteps(Json.get(behaviour, "steps"), where);
        if (Json.get(behaviour, "fail") != null) {
            String message = (String) Json.get(behaviour, "fail");
            throw new Failure(message);
        }
    }
}
