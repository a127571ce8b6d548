/* Steps on recorders and their metrics. */
#include "runner.hpp"

using mvx::Borrowed;
using mvx::Recorder;

static Borrowed<Recorder> recorder_of(Call &call)
{
    return Borrowed<Recorder>(handle_of(call, "recorder", Kind::recorder));
}

static std::optional<std::int64_t> integer_option(const Json &json)
{
    return json ? std::optional(int_of(json)) : std::nullopt;
}

/* ---- making, and the life of a recorder ---- */

mvx::RecorderOptions recorder_options_of(Call &call)
{
    Json json = call["options"];
    mvx::RecorderOptions options;
    only_keys(json, "entity_id name_space queue_max_size queue_max_bytes overflow_policy block_timeout_ms "
                    "metric_error_policy hooks log", "options");
    options.entity_id = text_of(json["entity_id"]);
    options.name_space = text_of(json["name_space"]);
    options.queue_max_size = integer_option(json["queue_max_size"]);
    options.queue_max_bytes = integer_option(json["queue_max_bytes"]);
    options.overflow_policy = option_of<mvx::OverflowPolicy>(overflow_policies, json["overflow_policy"]);
    if (json["block_timeout_ms"])
        options.block_timeout = std::chrono::milliseconds(int_of(json["block_timeout_ms"]));
    options.metric_error_policy = option_of<mvx::MetricErrorPolicy>(metric_error_policies, json["metric_error_policy"]);
    if (json["hooks"])
        options.hooks = hooks_use(call.scenario, json["hooks"]);
    if (json["log"])
        options.log = log_use(call.scenario, json["log"]);
    return options;
}

static mvx::Result<Recorder> create(Call &call)
{
    if (!call["runtime"] || call["runtime"]["$null"]) {
        call.scenario.default_runtime_used = true;
        return Recorder::create(recorder_options_of(call));
    }
    Borrowed<mvx::Runtime> runtime(handle_of(call, "runtime", Kind::runtime));
    return Recorder::create(*runtime, recorder_options_of(call));
}

static Json recorder_create(Call &call)
{
    auto recorder = create(call);
    Json got = result(recorder);
    if (recorder)
        give(call, "as", Kind::recorder, std::move(*recorder));
    return got;
}

static Json recorder_clone(Call &call)
{
    auto clone = recorder_of(call)->clone();
    Json got = result(clone);
    if (clone)
        give(call, "as", Kind::recorder, std::move(*clone));
    return got;
}

/* start, stop and flush: with `block` the step's result is that of the operation. */
static Json operate(Call &call, mvx::Result<mvx::Wait> (Recorder::*waiting)() const,
                    mvx::Result<void> (Recorder::*only)(mvx::NoWait) const)
{
    auto recorder = recorder_of(call);
    if (!call["wait"] && !call["block"].is_true())
        return result(((*recorder).*only)(mvx::no_wait));
    auto wait = ((*recorder).*waiting)();
    if (wait && call["block"].is_true()) {
        mvx::Status status = wait->block(patience);
        if (status != mvx::Status::ok)
            throw Broken(std::string("waiting for the operation gave ") + to_string(status));
        return result(wait->get());
    }
    Json got = result(wait);
    if (wait)
        give(call, "wait", Kind::wait, std::move(*wait));
    return got;
}

static Json recorder_start(Call &call) { return operate(call, &Recorder::start, &Recorder::start); }
static Json recorder_stop(Call &call) { return operate(call, &Recorder::stop, &Recorder::stop); }
static Json recorder_flush(Call &call) { return operate(call, &Recorder::flush, &Recorder::flush); }
static Json recorder_cancel(Call &call) { return result(recorder_of(call)->cancel()); }

static Json recorder_state(Call &call) { return state_result(recorder_of(call)->state(), recorder_states); }
static Json recorder_last_error(Call &call) { return kept_error_result(recorder_of(call)->last_error()); }

static Json text_result(const mvx::Result<std::string> &text)
{
    Json got = result(text);
    if (text)
        got.set("text", Json::text(*text));
    return got;
}

static Json recorder_entity_id(Call &call) { return text_result(recorder_of(call)->entity_id()); }
static Json recorder_name_space(Call &call) { return text_result(recorder_of(call)->name_space()); }

static Json recorder_stats(Call &call)
{
    auto stats = recorder_of(call)->stats();
    Json got = result(stats), counts = Json::object();
    if (!stats)
        return got;
    if (stats->accepted != stats->dispatched + stats->discarded + stats->pending)
        throw Broken("accepted isn't dispatched + discarded + pending");
    const std::pair<const char *, std::uint64_t> all[] = {
        {"accepted", stats->accepted},
        {"dispatched", stats->dispatched},
        {"dropped", stats->dropped},
        {"refused", stats->refused},
        {"discarded", stats->discarded},
        {"pending", stats->pending},
        {"pending_max", stats->pending_max},
        {"pending_bytes", stats->pending_bytes},
        {"quarantined_metrics", stats->quarantined_metrics},
        {"lag_ns", static_cast<std::uint64_t>(stats->lag.count())}};
    for (const auto &[name, count] : all)
        counts.set(name, Json::integer(static_cast<std::int64_t>(count)));
    got.set("stats", counts);
    return got;
}

static Json recorder_free(Call &call)
{
    std::uintptr_t handle = handle_of(call, "recorder", Kind::recorder);
    object_freed(call, Kind::recorder, "recorder");
    (void)Recorder::adopt(handle);
    return Json::object();
}

/* ---- metrics ---- */

static Json recorder_register_metric(Call &call)
{
    std::string name = text_of(call["name"] ? call["name"] : call["metric"]);
    return result(recorder_of(call)->register_metric(name, metric_use(call.scenario, call["metric"])));
}

static decltype(mvx::Filter::value) filter_value(const Json &value, const Json &kind)
{
    std::string named = kind ? std::string(kind.str())
                        : value.is_text()    ? "STR"
                        : value.is_boolean() ? "BOOL"
                        : value.is_real()    ? "F64"
                                             : "I64";
    if (named == "STR")
        return std::string(value.str());
    if (named == "BOOL")
        return value.is_boolean() ? value.is_true() : value.as_integer() != 0;
    if (named == "F64")
        return value.as_real();
    if (named == "U64") /* a text serves the integers that a JSON library doesn't hold */
        return value.is_text() ? std::uint64_t{std::strtoull(std::string(value.str()).c_str(), nullptr, 10)}
                               : static_cast<std::uint64_t>(value.as_integer());
    if (named != "I64")
        throw Broken("C++ has no filter of the kind " + kind.dump());
    return value.as_integer();
}

static mvx::NativeMetric native_metric_of(Call &call, const Json &json)
{
    only_keys(json, "name unit help kind flags events value_field filters group_by max_series bounds relative_error",
              "the spec");
    mvx::NativeMetric metric;
    metric.name = text_of(json["name"]);
    metric.unit = text_of(json["unit"]);
    metric.help = text_of(json["help"]);
    metric.kind = value_of<mvx::MetricKind>(metric_kinds, json["kind"]);
    metric.flags = static_cast<std::uint32_t>(int_of(json["flags"]));
    metric.event_types = event_types_of(call.scenario, json["events"]);
    metric.value_field = text_of(json["value_field"]);
    for (const Json &filter : json["filters"].entries()) {
        only_keys(filter, "field op value value_kind", "a filter");
        metric.filters.push_back({text_of(filter["field"]), value_of<mvx::FilterOp>(filter_ops, filter["op"]),
                                  filter_value(filter["value"], filter["value_kind"])});
    }
    for (const Json &field : json["group_by"].entries())
        metric.group_by.push_back(text_of(field));
    metric.max_series = integer_option(json["max_series"]);
    for (const Json &bound : json["bounds"].entries())
        metric.bounds.push_back(bound.as_real());
    if (json["relative_error"])
        metric.relative_error = json["relative_error"].as_real();
    return metric;
}

static Json recorder_register_native_metric(Call &call)
{
    return result(recorder_of(call)->register_native_metric(native_metric_of(call, call["spec"])));
}

static Json recorder_iter_metrics(Call &call)
{
    Json rows = Json::list();
    auto stop_after = static_cast<std::size_t>(int_of(call["stop_after"]));
    auto visited = recorder_of(call)->iter_metrics([&](const mvx::MetricInfo &metric) {
        Json row = Json::object();
        row.set("name", Json::text(metric.name));
        row.set("kind", name_of(metric_kinds, static_cast<std::int64_t>(metric.kind)));
        row.set("state", name_of(metric_states, static_cast<std::int64_t>(metric.state)));
        row.set("object", metric_object(call.scenario, metric.metric.get(), metric.user_data));
        row.set("error", error_json(metric.error));
        rows.add(row);
        return stop_after == 0 || rows.size() < stop_after;
    });
    Json got = result(visited);
    got.set("metrics", rows);
    return got;
}

const std::vector<Op> recorder_ops{
    {"recorder_create", "runtime options as", "error", recorder_create},
    {"recorder_clone", "recorder as", "", recorder_clone},
    {"recorder_start", "recorder wait block", "error", recorder_start},
    {"recorder_stop", "recorder wait block", "error", recorder_stop},
    {"recorder_flush", "recorder wait block", "error", recorder_flush},
    {"recorder_cancel", "recorder", "error", recorder_cancel},
    {"recorder_state", "recorder null_out", "state", recorder_state},
    {"recorder_last_error", "recorder null_out", "error", recorder_last_error},
    {"recorder_entity_id", "recorder null_out", "text matches contains", recorder_entity_id},
    {"recorder_name_space", "recorder null_out", "text matches contains", recorder_name_space},
    {"recorder_stats", "recorder null_out struct_size", "stats", recorder_stats},
    {"recorder_free", "recorder", "", recorder_free},
    {"recorder_register_metric", "recorder metric name", "error", recorder_register_metric},
    {"recorder_register_native_metric", "recorder spec", "error", recorder_register_native_metric},
    {"recorder_iter_metrics", "recorder stop_after null_out", "error metrics", recorder_iter_metrics},
};
