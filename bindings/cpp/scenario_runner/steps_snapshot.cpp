/* Steps on snapshots. */
#include <cmath>

#include "runner.hpp"

static Json real_json(double real)
{
    if (std::isnan(real))
        return Json::text("NaN");
    if (std::isinf(real))
        return Json::text(real > 0 ? "Infinity" : "-Infinity");
    return Json::real(real);
}

static Json value_json(mvx::Value value)
{
    switch (value.kind()) {
    case mvx::ValueKind::null: return Json::null();
    case mvx::ValueKind::boolean: return Json::boolean(value.as_bool().value());
    case mvx::ValueKind::i64: return Json::integer(value.as_i64().value());
    case mvx::ValueKind::u64: {
        std::uint64_t natural = value.as_u64().value();
        return natural <= INT64_MAX ? Json::integer(static_cast<std::int64_t>(natural))
                                    : Json::real(static_cast<double>(natural));
    }
    case mvx::ValueKind::f64: return real_json(value.as_f64().value());
    case mvx::ValueKind::str: return Json::text(value.as_str().value());
    case mvx::ValueKind::list: {
        Json list = Json::list();
        for (std::size_t i = 0; i < value.size(); i++)
            list.add(value_json(value[i]));
        return list;
    }
    case mvx::ValueKind::map: {
        Json map = Json::object();
        for (std::size_t i = 0; i < value.size(); i++)
            map.set(value.key_at(i), value_json(value[value.key_at(i)]));
        return map;
    }
    }
    throw Broken("a value of an unknown kind");
}

/* Reads a snapshot in both ways that the library offers; they must agree. */
static void snapshot_show(Json &got, const mvx::Snapshot &snapshot)
{
    Json order = Json::list(), values = Json::object();
    for (std::size_t i = 0; i < snapshot.size(); i++) {
        std::string_view name = snapshot.name_at(i);
        order.add(Json::text(name));
        values.set(name, value_json(snapshot[name]));
    }
    std::string text = snapshot.to_json().value();
    Json parsed = Json::parse(text);
    /* jansson has no integers over INT64_MAX: then only the syntax is checked here, and `text` by the scenario. */
    if (!parsed && Json::parse(text, JSON_DECODE_INT_AS_REAL))
        parsed = values;
    if (!(parsed == values))
        throw Broken("the snapshot's values are " + values.dump() + ", its JSON is " + text);
    got.set("text", Json::text(text));
    got.set("snapshot", values);
    got.set("order", order);
}

static Json recorder_snapshot(Call &call)
{
    mvx::Borrowed<mvx::Recorder> recorder(handle_of(call, "recorder", Kind::recorder));
    auto mode = call["mode"] ? value_of<mvx::SnapshotMode>(snapshot_modes, call["mode"]) : mvx::SnapshotMode::consistent;
    mvx::Nanoseconds limit = call["timeout_ms"] ? std::chrono::milliseconds(int_of(call["timeout_ms"])) : patience;
    auto snapshot = recorder->snapshot(mode, limit);
    Json got = result(snapshot);
    if (snapshot) {
        snapshot_show(got, *snapshot);
        give(call, "as", Kind::snapshot, std::move(*snapshot));
    }
    return got;
}

/* Snapshots are no handles that are looked up, but objects: the name of a freed one can't be used. */
static mvx_snapshot *snapshot_of(Call &call)
{
    return reinterpret_cast<mvx_snapshot *>(handle_of(call, "snapshot", Kind::snapshot));
}

static Json snapshot_read(Call &call)
{
    mvx::Snapshot snapshot(snapshot_of(call));
    Json got = result_plain(mvx::Status::ok);
    try {
        snapshot_show(got, snapshot);
    } catch (...) {
        snapshot.release();
        throw;
    }
    snapshot.release();
    return got;
}

static Json snapshot_to_openmetrics(Call &call)
{
    mvx::Snapshot snapshot(snapshot_of(call));
    auto text = snapshot.to_openmetrics();
    snapshot.release();
    Json got = result(text);
    if (text)
        got.set("text", Json::text(*text));
    return got;
}

static Json snapshot_free(Call &call)
{
    mvx::Snapshot snapshot(snapshot_of(call));
    object_freed(call, Kind::snapshot, "snapshot");
    return Json::object();
}

const std::vector<Op> snapshot_ops{
    {"recorder_snapshot", "recorder mode timeout_ms as", "error snapshot order text matches contains",
     recorder_snapshot},
    {"snapshot_read", "snapshot", "snapshot order text matches contains", snapshot_read},
    {"snapshot_to_openmetrics", "snapshot", "error text matches contains", snapshot_to_openmetrics},
    {"snapshot_free", "snapshot", "", snapshot_free},
};
