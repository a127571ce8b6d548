/* Steps on events: declaring, interning, recording. */
#include "runner.hpp"

static void status_count(Json &statuses, mvx::Status status)
{
    const char *name = to_string(status);
    statuses.set(name, Json::integer(statuses[name].as_integer() + 1));
}

/* The result of many calls: their common status, or how often each occurred. */
static Json result_of_many(const Json &statuses)
{
    auto all = statuses.members();
    Json got = Json::object();
    got.set("status", Json::text(all.empty() ? "OK" : all.size() == 1 ? all[0].first : "MIXED"));
    got.set("statuses", statuses);
    return got;
}

static Json recorder_register_event(Call &call)
{
    mvx::Borrowed<mvx::Recorder> recorder(handle_of(call, "recorder", Kind::recorder));
    mvx::EventType type = event_type_of(call.scenario, call["event"]);
    Event *event = event_keyed(call.scenario, call["event"]);
    Json statuses = Json::object();
    std::vector<Json> payloads = call["payloads"] ? call["payloads"].entries() : std::vector<Json>{call["payload"]};
    for (const Json &json : payloads) {
        Payload payload = payload_of(event, json);
        for (std::int64_t i = 0; i < int_of(call["times"], 1); i++)
            status_count(statuses, recorder->register_event(type, payload.data(), payload.len));
    }
    return result_of_many(statuses);
}

static Json recorder_register_events(Call &call)
{
    mvx::Borrowed<mvx::Recorder> recorder(handle_of(call, "recorder", Kind::recorder));
    mvx::EventType type = event_type_of(call.scenario, call["event"]);
    Event *event = event_keyed(call.scenario, call["event"]);
    std::vector<unsigned char> all;
    std::size_t count = 0, len = event != nullptr ? event->len : 0;
    bool null = false;
    for (const Json &json : call["payloads"].entries()) {
        Payload payload = payload_of(event, json);
        all.insert(all.end(), payload.bytes.begin(), payload.bytes.end());
        len = payload.len;
        null = payload.null;
        count++;
    }
    all.reserve(1); /* no bytes are not the same as NULL */
    auto outcome = recorder->register_events(type, null ? nullptr : all.data(), len, count);
    Json got = result_plain(outcome.status);
    got.set("accepted", Json::integer(static_cast<std::int64_t>(outcome.accepted)));
    return got;
}

static Json event_type_declare(Call &call)
{
    Event *event = event_keyed(call.scenario, call["event"]), *like = event_keyed(call.scenario, call["like"]);
    if ((call["event"] && event == nullptr) || (call["like"] && like == nullptr))
        throw Broken("unknown event");
    std::size_t len;
    mvx::EventTypeOptions options;
    options.name = event != nullptr ? event->name : text_of(call["name"]);
    options.fields = fields_of(call["fields"], call["natural"].is_true(), len);
    options.flags = static_cast<std::uint32_t>(int_of(call["flags"]));
    auto type = mvx::EventType::declare(options);
    Json got = result(type);
    if (like != nullptr && type)
        got.set("same", Json::boolean(*type == like->type));
    return got;
}

static Json event_type_name(Call &call)
{
    auto name = event_type_of(call.scenario, call["event"]).name();
    Json got = result(name);
    if (name)
        got.set("text", Json::text(*name));
    return got;
}

static Json intern(Call &call)
{
    std::string text = text_of(call["text"]);
    Json statuses = Json::object();
    mvx::Symbol symbol;
    for (std::int64_t i = 0; i < int_of(call["times"]); i++)
        status_count(statuses, mvx::intern(text + std::to_string(i)).status());
    if (!call["times"]) {
        auto interned = mvx::intern(text);
        status_count(statuses, interned.status());
        if (interned)
            symbol = *interned;
    }
    Json got = result_of_many(statuses);
    if (symbol.number != 0)
        got.set("text", Json::text(symbol.text()));
    if (call["like"]) {
        auto like = mvx::intern(text_of(call["like"]));
        got.set("same", Json::boolean(like && *like == symbol));
    }
    return got;
}

const std::vector<Op> event_ops{
    {"recorder_register_event", "recorder event payload payloads times", "statuses", recorder_register_event},
    {"recorder_register_events", "recorder event payloads null_out", "accepted", recorder_register_events},
    {"event_type_declare", "event name fields natural flags like options struct_size null_out", "error same",
     event_type_declare},
    {"event_type_name", "event null_out", "text matches contains", event_type_name},
    {"intern", "text times like null_out", "statuses text same matches contains", intern},
};
