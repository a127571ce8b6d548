/* Metrics, hooks and logs that behave as the scenario declares. */
#include "runner.hpp"

/* ---- behaviours ---- */

static Json behaviour_next(Scenario &scenario, Script &script, std::size_t &number)
{
    std::size_t left, index = 0, count = script.behaviours.size();
    {
        std::lock_guard<std::mutex> guard(scenario.lock);
        left = number = ++script.calls;
    }
    for (const Json &behaviour : script.behaviours.entries()) {
        auto many = static_cast<std::size_t>(int_of(behaviour["times"], 1));
        if (left <= many || ++index == count)
            return behaviour;
        left -= many;
    }
    return {};
}

static void behave(Scenario &scenario, const Json &behaviour, const std::string &where)
{
    if (behaviour["gate"])
        gate_pass(scenario, std::string(behaviour["gate"].str()));
    if (behaviour["steps"])
        play_steps(scenario, behaviour["steps"], where);
}

static std::string called(std::size_t number, const std::string &key, const char *function)
{
    return "in call " + std::to_string(number) + " of " + key + "." + function;
}

/* The failure that the behaviour asks for; an empty message is left to the library to find. */
static std::optional<mvx::Failure> failure_of(const Json &behaviour)
{
    if (!behaviour["fail"])
        return std::nullopt;
    return mvx::failed(std::string(behaviour["fail"].str()));
}

/* ---- uses ---- */

std::shared_ptr<DropToken> use_add(Scenario &scenario, const std::string &key, MetricState *metric)
{
    std::lock_guard<std::mutex> guard(scenario.lock);
    Use &use = scenario.uses.emplace_back();
    use.scenario = &scenario;
    use.key = key;
    use.metric = metric;
    return std::make_shared<DropToken>(use);
}

DropToken::~DropToken()
{
    if (use_.metric != nullptr && use_.metric->owner.load(std::memory_order_relaxed) != 0)
        fail(*use_.scenario, use_.key, "dropped while one of its functions runs");
    journal_add(*use_.scenario, use_.key + ".drop");
    if (++use_.drops > 1)
        fail(*use_.scenario, use_.key, "dropped more than once");
}

/* ---- metrics ---- */

namespace {

thread_local char this_thread;

/* Sees that only one thread at a time is inside a metric. */
class Inside {
public:
    Inside(Scenario &scenario, MetricState &metric) : metric_(metric)
    {
        std::uintptr_t nobody = 0, me = reinterpret_cast<std::uintptr_t>(&this_thread);
        /* Relaxed on purpose: this must not lend the library an ordering that it doesn't provide itself. */
        entered_ = metric_.owner.compare_exchange_strong(nobody, me, std::memory_order_relaxed) || nobody == me;
        if (entered_)
            metric_.depth++;
        else
            fail(scenario, metric_.key, "called from two threads at once");
    }
    ~Inside()
    {
        if (entered_ && --metric_.depth == 0)
            metric_.owner.store(0, std::memory_order_relaxed);
    }
    explicit operator bool() const { return entered_; }

private:
    MetricState &metric_;
    bool entered_;
};

void write_value(mvx::Writer &writer, const std::string &key, const Json &value)
{
    if (value["$u64"])
        writer.set(key, std::strtoull(std::string(value["$u64"].str()).c_str(), nullptr, 10));
    else if (value["$f64"]) /* strtod takes NaN, Infinity and -Infinity too */
        writer.set(key, std::strtod(std::string(value["$f64"].str()).c_str(), nullptr));
    else if (value.is_null())
        writer.null(key);
    else if (value.is_boolean())
        writer.set(key, value.is_true());
    else if (value.is_integer())
        writer.set(key, value.as_integer());
    else if (value.is_real())
        writer.set(key, value.as_real());
    else if (value.is_text())
        writer.set(key, value.str());
    else if (value.is_list())
        writer.list(key, [&](mvx::Writer &inner) {
            for (const Json &entry : value.entries())
                write_value(inner, {}, entry);
        });
    else
        writer.map(key, [&](mvx::Writer &inner) {
            for (const auto &[name, member] : value.members())
                write_value(inner, name, member);
        });
}

/* What is registered: every registration is an object of its own, and several may share one state. */
class ScriptedMetric : public mvx::Metric {
public:
    ScriptedMetric(Scenario &scenario, MetricState &state)
        : scenario_(scenario), state_(state), token_(use_add(scenario, state.key, &state))
    {
    }
    const std::string &key() const { return state_.key; }

    mvx::MetricOptions options() const override
    {
        mvx::MetricOptions options;
        options.event_types = event_types_of(scenario_, state_.config["events"]);
        options.commutative = state_.config["commutative"].is_true();
        options.batches = state_.config["batch"].is_true();
        return options;
    }

    mvx::Handled handle_event(const mvx::EventView &event) override
    {
        Inside inside(scenario_, state_);
        return inside ? handle_one(event) : mvx::ignored;
    }

    mvx::Handled handle_batch(const mvx::EventBatch &batch) override
    {
        if (batch.size() == 0 || batch.size() > 256)
            fail(scenario_, state_.key, "got a batch of " + std::to_string(batch.size()) + " events");
        return mvx::Metric::handle_batch(batch);
    }

    mvx::Outcome snapshot(mvx::Writer &writer) override
    {
        Inside inside(scenario_, state_);
        if (!inside)
            return mvx::failed();
        std::size_t number;
        journal_add(scenario_, state_.key + ".snapshot");
        Json behaviour = behaviour_next(scenario_, state_.snapshot, number);
        behave(scenario_, behaviour, called(number, state_.key, "snapshot"));
        if (auto failure = failure_of(behaviour))
            return *failure;
        if (state_.kind == "fixed") {
            for (const auto &[key, value] : state_.config["gives"].members())
                write_value(writer, key, value);
        } else if (state_.kind == "count") {
            writer.set("total", state_.total);
            if (state_.config["by"])
                write_value(writer, "by", state_.by);
        } else if (state_.kind == "list") {
            write_value(writer, "values", state_.values);
        } else {
            write_value(writer, "value", state_.last);
        }
        return mvx::done;
    }

private:
    mvx::Handled handle_one(const mvx::EventView &seen)
    {
        Event *event = event_typed(scenario_, seen.type());
        if (event == nullptr) {
            fail(scenario_, state_.key, "got an event of a type that the scenario doesn't declare");
            return mvx::ignored;
        }
        if (seen.type_name() != event->name || seen.raw()->struct_size < sizeof *seen.raw())
            fail(scenario_, state_.key, "the event's type name or struct_size is wrong");
        journal_add(scenario_, state_.key + ".handle " + event_show(*event, seen.payload(), seen.size()));
        if (state_.first_time.count() == 0 || seen.time() < state_.first_time)
            state_.first_time = seen.time();
        state_.last_time = std::max(state_.last_time, seen.time());
        std::size_t number;
        Json behaviour = behaviour_next(scenario_, state_.handle, number);
        behave(scenario_, behaviour, called(number, state_.key, "handle"));
        if (auto failure = failure_of(behaviour))
            return *failure;
        if (behaviour["ignore"].is_true())
            return mvx::ignored;
        take(*event, seen);
        return mvx::changed;
    }

    void take(const Event &event, const mvx::EventView &seen)
    {
        Json by = state_.config["by"], field = state_.config["field"];
        state_.total++;
        if (by) {
            Json value = payload_field(event, by.str(), seen.payload(), seen.size());
            std::string key = value.is_text() ? std::string(value.str()) : value.dump();
            state_.by.set(key, Json::integer(state_.by[key.c_str()].as_integer() + 1));
        }
        state_.last = field ? payload_field(event, field.str(), seen.payload(), seen.size()) : Json::text(event.key);
        if (state_.kind == "list")
            state_.values.add(state_.last);
    }

    Scenario &scenario_;
    MetricState &state_;
    std::shared_ptr<DropToken> token_;
};

} // namespace

std::shared_ptr<mvx::Metric> metric_use(Scenario &scenario, const Json &key)
{
    auto found = scenario.metrics.find(std::string(key.str()));
    if (found == scenario.metrics.end())
        throw Broken("unknown metric " + key.dump());
    return std::make_shared<ScriptedMetric>(scenario, found->second);
}

Json metric_object(Scenario &, const mvx::Metric *metric, const void *user_data)
{
    if (user_data == nullptr)
        return Json::null();
    auto *scripted = dynamic_cast<const ScriptedMetric *>(metric);
    return Json::text(scripted != nullptr ? scripted->key() : "(unknown)");
}

/* ---- hooks ---- */

static mvx::Outcome run_hook(const DropToken &token, Script &script, const char *function, mvx::HookCall &call)
{
    Scenario &scenario = *token.use().scenario;
    std::size_t number;
    Json behaviour = behaviour_next(scenario, script, number);
    if (behaviour["pending"] && !scenario.cleaning) {
        mvx::Completion completion = call.defer();
        if (object_bind(scenario, Kind::completion, std::string(behaviour["pending"].str()), completion.handle()))
            (void)completion.release();
        else
            fail(scenario, called(number, token.use().key, function), "the token's name is taken");
        if (scenario.cleaning) /* too late to be seen by the clearing away */
            (void)completion.done();
    }
    behave(scenario, behaviour, called(number, token.use().key, function));
    if (auto failure = failure_of(behaviour))
        return *failure;
    return mvx::done;
}

mvx::Hooks hooks_use(Scenario &scenario, const Json &key)
{
    auto found = scenario.hooks.find(std::string(key.str()));
    if (found == scenario.hooks.end())
        throw Broken("unknown hooks " + key.dump());
    HooksState *state = &found->second;
    std::shared_ptr<DropToken> token = use_add(scenario, found->first);
    mvx::Hooks hooks;
    /* The token must be in the library's hands also where no hook is installed. */
    if (state->config["on_starting"] || state->config.size() == 0)
        hooks.on_starting = [token, state](mvx::HookCall &call) {
            journal_add(*token->use().scenario, token->use().key + ".on_starting");
            return run_hook(*token, state->on_starting, "on_starting", call);
        };
    if (state->config["on_stopped"])
        hooks.on_stopped = [token, state](mvx::HookCall &call) {
            journal_add(*token->use().scenario, token->use().key + ".on_stopped");
            return run_hook(*token, state->on_stopped, "on_stopped", call);
        };
    if (state->config["on_metric_changed"])
        hooks.on_metric_changed = [token, state](const mvx::MetricChange &change, mvx::HookCall &call) {
            Scenario &of = *token->use().scenario;
            Event *event = event_typed(of, change.event.type());
            Json object = metric_object(of, change.metric.get(), change.user_data);
            journal_add(of, token->use().key + ".on_metric_changed " + std::string(change.metric_name) + " " +
                                (object.is_null() ? "-" : std::string(object.str())) + " " +
                                (event != nullptr ? event_show(*event, change.event.payload(), change.event.size())
                                                  : "(unknown)"));
            return run_hook(*token, state->on_metric_changed, "on_metric_changed", call);
        };
    return hooks;
}

/* ---- logs ---- */

mvx::Log log_use(Scenario &scenario, const Json &key)
{
    auto found = scenario.logs.find(std::string(key.str()));
    if (found == scenario.logs.end())
        throw Broken("unknown log " + key.dump());
    mvx::Log log;
    if (found->second["policy"])
        log.policy = value_of<mvx::LogPolicy>(log_policies, found->second["policy"]);
    if (found->second["max_level"])
        log.max_level = value_of<mvx::LogLevel>(log_levels, found->second["max_level"]);
    log.write = [token = use_add(scenario, found->first)](const mvx::LogRecord &record) {
        journal_add(*token->use().scenario, token->use().key + ".log " + std::string(record.event()) + " " +
                                                std::string(record.entity_id()));
    };
    return log;
}

/* ---- making ---- */

void callbacks_make(Scenario &scenario)
{
    for (const auto &[key, config] : scenario.root["metrics"].members()) {
        MetricState &metric = scenario.metrics[key];
        metric.key = key;
        metric.config = config;
        metric.kind = config["kind"].str();
        if (metric.kind != "count" && metric.kind != "last" && metric.kind != "list" && metric.kind != "fixed")
            throw Broken("metric '" + key + "' is of an unknown kind");
        metric.handle.behaviours = config["handle"];
        metric.snapshot.behaviours = config["snapshot"];
    }
    for (const auto &[key, config] : scenario.root["hooks"].members()) {
        HooksState &hooks = scenario.hooks[key];
        hooks.config = config;
        hooks.on_starting.behaviours = config["on_starting"];
        hooks.on_stopped.behaviours = config["on_stopped"];
        hooks.on_metric_changed.behaviours = config["on_metric_changed"];
    }
    for (const auto &[key, config] : scenario.root["logs"].members())
        scenario.logs[key] = config;
}
