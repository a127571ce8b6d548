/* Checks a scenario before it is played: what is misspelt must not pass. */
#include <cstdio>

#include "runner.hpp"

static const char *const common_keys = "do expect background thread note";
static const char *const stats_keys = "accepted dispatched dropped refused discarded pending pending_max pending_bytes "
                                      "quarantined_metrics lag_ns";

const Op *op_find(std::string_view name)
{
    for (const auto *table : {&runtime_ops, &recorder_ops, &event_ops, &snapshot_ops, &wait_ops, &flow_ops}) {
        for (const Op &op : *table) {
            if (name == op.name)
                return &op;
        }
    }
    return nullptr;
}

static bool word_in(std::string_view words, std::string_view word)
{
    while (!words.empty()) {
        std::size_t end = std::min(words.find(' '), words.size());
        if (words.substr(0, end) == word)
            return true;
        words.remove_prefix(std::min(end + 1, words.size()));
    }
    return false;
}

std::string stranger(const Json &object, std::string_view keys, std::string_view more)
{
    if (object && !object.is_object())
        return "(no object)";
    for (const auto &[key, value] : object.members()) {
        if (!word_in(keys, key) && !word_in(more, key))
            return key.empty() ? "(an empty key)" : key;
    }
    return {};
}

void only_keys(const Json &object, std::string_view keys, const char *what)
{
    std::string key = stranger(object, keys);
    if (!key.empty())
        throw Broken("unknown key '" + key + "' in " + what);
}

namespace {

class Check {
public:
    explicit Check(const std::string &path) : path_(path) {}

    bool passed() const { return passed_; }

    void require(bool holds, const std::string &where, const std::string &what)
    {
        if (!holds) {
            std::printf("%s: %s: %s\n", path_.c_str(), where.c_str(), what.c_str());
            passed_ = false;
        }
    }

    void keys(const Json &object, const std::string &where, std::string_view known, std::string_view more = {})
    {
        std::string key = stranger(object, known, more);
        require(key.empty(), where, "unknown key '" + key + "'");
    }

    void steps(const Json &list, const std::string &within)
    {
        require(!list || list.is_list(), within, "'steps' is no list");
        std::size_t number = 0;
        for (const Json &one : list.entries())
            step(one, within + "step " + std::to_string(++number));
    }

    void behaviours(const Json &callbacks)
    {
        for (const auto &[key, callback] : callbacks.members()) {
            for (const auto &[function, list] : callback.members()) {
                if (function != "handle" && function != "snapshot" && function.compare(0, 3, "on_") != 0)
                    continue;
                std::string where = key + "." + function + " ";
                require(list.is_list(), where, "must be a list");
                for (const Json &behaviour : list.entries()) {
                    keys(behaviour, where, "times gate steps fail pending ignore");
                    steps(behaviour["steps"], where);
                }
            }
        }
    }

private:
    void error(const Json &json, const std::string &where)
    {
        if (!json.is_object())
            return;
        keys(json, where, "status reason message message_contains details cause");
        error(json["cause"], where);
    }

    void stats(const Json &json, const std::string &where)
    {
        keys(json, where, stats_keys);
        for (const auto &[key, value] : json.members()) {
            if (value.is_object())
                keys(value, where, "at_least at_most");
        }
    }

    /* What a step hands over. */
    void declared(const Json &json, const std::string &where)
    {
        Json options = json["options"], spec = json["spec"];
        if (options && !options["$null"])
            keys(options, where + ", options", "name_space log struct_size",
                 json["do"].is_text("runtime_create")
                     ? "recorder_queue_max_size recorder_queue_max_bytes recorder_overflow_policy worker_threads "
                       "shutdown_timeout_ms thread_name_prefix"
                     : "entity_id queue_max_size queue_max_bytes overflow_policy block_timeout_ms metric_error_policy "
                       "hooks");
        if (spec && !spec["$null"])
            keys(spec, where + ", spec",
                 "name unit help kind flags events value_field filters group_by max_series bounds relative_error "
                 "struct_size");
        for (const Json &filter : spec["filters"].entries())
            keys(filter, where + ", filter", "field op value value_kind");
        for (const Json &field : json["fields"].entries())
            keys(field, where + ", field", "name kind offset size");
    }

    void step(const Json &json, const std::string &where)
    {
        const Op *op = op_find(json["do"].str());
        require(op != nullptr, where, "unknown operation '" + std::string(json["do"].str()) + "'");
        if (op == nullptr)
            return;
        Json expect = json["expect"];
        keys(json, where, common_keys, op->keys);
        keys(expect, where + ", expect", "status", op->gives);
        error(expect["error"], where);
        stats(expect["stats"], where);
        stats(json["stats"], where);
        declared(json, where);
        for (const Json &row : expect["metrics"].entries())
            keys(row, where, "name kind state object error");
        if (json["step"])
            step(json["step"], where + ", step");
        steps(json["steps"], where + ", ");
    }

    const std::string &path_;
    bool passed_ = true;
};

} // namespace

bool scenario_check(const std::string &path, const Json &root)
{
    Check check(path);
    check.keys(root, "scenario", "name shows covers needs own_process events metrics hooks logs steps");
    check.require(root["name"].is_text(path.substr(path.rfind('/') + 1)), "scenario", "the name is not that of the file");
    for (const char *key : {"covers", "steps"})
        check.require(root[key].size() > 0, "scenario", std::string("missing '") + key + "'");
    check.require(!root["shows"].str().empty(), "scenario", "missing 'shows'");
    for (const Json &need : root["needs"].entries())
        check.require(need.is_text("raw") || need.is_text("fd") || need.is_text("fork"), "scenario", "unknown need");
    for (const auto &[key, event] : root["events"].members()) {
        check.keys(event, "event " + key, "fields timed release");
        for (const Json &field : event["fields"].entries())
            check.keys(field, "event " + key, "name kind size");
    }
    for (const auto &[key, metric] : root["metrics"].members())
        check.keys(metric, "metric " + key, "kind by field gives events batch commutative handle snapshot without struct_size");
    for (const auto &[key, hooks] : root["hooks"].members())
        check.keys(hooks, "hooks " + key, "on_starting on_stopped on_metric_changed struct_size");
    for (const auto &[key, log] : root["logs"].members())
        check.keys(log, "log " + key, "policy max_level struct_size");
    check.behaviours(root["metrics"]);
    check.behaviours(root["hooks"]);
    check.steps(root["steps"], "");
    return check.passed();
}

/* ---- what C++ has no words for ---- */

static bool contains(std::string_view words, const std::string &word) { return word_in(words, word); }

static std::string unplayable_in(const Json &json, bool in_options)
{
    for (const auto &[key, value] : json.members()) {
        if (contains("struct_size null_out without", key))
            return key == "struct_size" ? "sizes of structs" : key == "null_out" ? "NULL as an out-parameter"
                                                                                 : "functions left NULL";
        if (contains("as metric spec callback options", key) && value["$null"])
            return "NULL in place of an object";
        if (!contains("payload payloads", key) && value["$null"].is_integer())
            return "NULL as a text";
        if (in_options && value.is_integer() && value.as_integer() == 0)
            return "0 in place of a default";
        std::string inner = key == "payload" ? "" : unplayable_in(value, key == "options");
        if (!inner.empty())
            return inner;
    }
    for (const Json &entry : json.entries()) {
        std::string inner = unplayable_in(entry, false);
        if (!inner.empty())
            return inner;
    }
    return {};
}

std::string unplayable(const Json &root)
{
    for (const Json &need : root["needs"].entries()) {
        if (need.is_text("raw"))
            return unplayable_in(root, false);
    }
    return {};
}
