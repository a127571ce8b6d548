package dev.mvx.metrics.scenarios;

import dev.mvx.metrics.Log;

/** Logs that note their records in the journal. */
final class ScriptedLog {
    private ScriptedLog() {}

    static Log use(Scenario scenario, String key) {
        Object config = Json.get(Json.get(scenario.root, "logs"), key);
        if (config == null) {
            throw new Broken("unknown log '" + key + "'");
        }
        Given.refuseStructSize(config);
        Log log = new Log(entry -> scenario.journal.note(key + ".log " + entry.event() + " " + entry.entityId()));
        if (Json.get(config, "policy") != null) {
            log.policy(Given.constant(Log.Policy.class, Json.get(config, "policy")));
        }
        if (Json.get(config, "max_level") != null) {
            log.maxLevel(Given.constant(Log.Level.class, Json.get(config, "max_level")));
        }
        return log.onDropped(scenario.use(key)::dropped);
    }
}
