/* What steps take (handles, texts, names of constants) and what they give. */
#include "runner.hpp"

const Names recorder_states{{"VIRGIN", MVX_RECORDER_VIRGIN},       {"STARTING", MVX_RECORDER_STARTING},
                            {"RUNNING", MVX_RECORDER_RUNNING},     {"STOPPING", MVX_RECORDER_STOPPING},
                            {"STOPPED", MVX_RECORDER_STOPPED},     {"FAILURE", MVX_RECORDER_FAILURE},
                            {"CANCELLED", MVX_RECORDER_CANCELLED}};
const Names runtime_states{{"VIRGIN", MVX_RUNTIME_VIRGIN},     {"STARTING", MVX_RUNTIME_STARTING},
                           {"RUNNING", MVX_RUNTIME_RUNNING},   {"STOPPING", MVX_RUNTIME_STOPPING},
                           {"CLOSED", MVX_RUNTIME_CLOSED},     {"FAILURE", MVX_RUNTIME_FAILURE}};
const Names overflow_policies{
    {"DROP", MVX_OVERFLOW_DROP}, {"RAISE_ERROR", MVX_OVERFLOW_RAISE_ERROR}, {"BLOCK", MVX_OVERFLOW_BLOCK}};
const Names metric_error_policies{{"FAIL_RECORDER", MVX_METRIC_ERROR_FAIL_RECORDER},
                                  {"QUARANTINE_METRIC", MVX_METRIC_ERROR_QUARANTINE_METRIC}};
const Names snapshot_modes{{"CONSISTENT", MVX_SNAPSHOT_CONSISTENT}, {"RELAXED", MVX_SNAPSHOT_RELAXED}};
const Names metric_kinds{{"VTABLE", MVX_METRIC_VTABLE},
                         {"COUNTER", MVX_METRIC_COUNTER},
                         {"UP_DOWN_COUNTER", MVX_METRIC_UP_DOWN_COUNTER},
                         {"GAUGE", MVX_METRIC_GAUGE},
                         {"HISTOGRAM", MVX_METRIC_HISTOGRAM},
                         {"EXPONENTIAL_HISTOGRAM", MVX_METRIC_EXPONENTIAL_HISTOGRAM},
                         {"QUANTILE_SKETCH", MVX_METRIC_QUANTILE_SKETCH},
                         {"DISTINCT_COUNT", MVX_METRIC_DISTINCT_COUNT}};
const Names metric_states{{"ACTIVE", MVX_METRIC_ACTIVE}, {"QUARANTINED", MVX_METRIC_QUARANTINED}};
const Names operations{{"START", MVX_OPERATION_START},
                       {"STOP", MVX_OPERATION_STOP},
                       {"FLUSH", MVX_OPERATION_FLUSH},
                       {"SHUTDOWN", MVX_OPERATION_SHUTDOWN}};
const Names field_kinds{{"I8", MVX_FIELD_I8},     {"I16", MVX_FIELD_I16},   {"I32", MVX_FIELD_I32},
                        {"I64", MVX_FIELD_I64},   {"U8", MVX_FIELD_U8},     {"U16", MVX_FIELD_U16},
                        {"U32", MVX_FIELD_U32},   {"U64", MVX_FIELD_U64},   {"F32", MVX_FIELD_F32},
                        {"F64", MVX_FIELD_F64},   {"BOOL", MVX_FIELD_BOOL}, {"SYMBOL", MVX_FIELD_SYMBOL},
                        {"TEXT", MVX_FIELD_TEXT}};
const Names filter_ops{{"EQ", MVX_FILTER_EQ}, {"NE", MVX_FILTER_NE}, {"LT", MVX_FILTER_LT},
                       {"LE", MVX_FILTER_LE}, {"GT", MVX_FILTER_GT}, {"GE", MVX_FILTER_GE}};
const Names value_kinds{{"BOOL", MVX_VALUE_BOOL},
                        {"I64", MVX_VALUE_I64},
                        {"U64", MVX_VALUE_U64},
                        {"F64", MVX_VALUE_F64},
                        {"STR", MVX_VALUE_STR}};
const Names log_policies{{"SILENT", MVX_LOG_POLICY_SILENT},
                         {"NORMAL", MVX_LOG_POLICY_NORMAL},
                         {"INSPECTION", MVX_LOG_POLICY_INSPECTION}};
const Names log_levels{{"ERROR", MVX_LOG_ERROR},
                       {"WARN", MVX_LOG_WARN},
                       {"INFO", MVX_LOG_INFO},
                       {"DEBUG", MVX_LOG_DEBUG},
                       {"TRACE", MVX_LOG_TRACE}};

std::int64_t number_named(const Names &names, const Json &json)
{
    if (json.is_integer())
        return json.as_integer();
    for (const Name &name : names) {
        if (json.is_text(name.name))
            return name.value;
    }
    throw Broken("unknown constant " + json.dump());
}

Json name_of(const Names &names, std::int64_t value)
{
    for (const Name &name : names) {
        if (name.value == value)
            return Json::text(name.name);
    }
    return Json::text("(a number without a name)");
}

Json result_plain(mvx::Status status)
{
    Json got = Json::object();
    got.set("status", Json::text(to_string(status)));
    return got;
}

Json kept_error_result(const mvx::Result<std::optional<mvx::Error>> &kept)
{
    Json got = result_plain(kept.status());
    got.set("error", error_json(kept && *kept ? &**kept : nullptr));
    return got;
}

Json error_json(const mvx::Error *error)
{
    if (error == nullptr)
        return Json::null();
    Json json = Json::object(), facts = Json::parse(error->details_json());
    json.set("status", Json::text(to_string(error->status())));
    json.set("reason", Json::text(error->reason()));
    json.set("message", Json::text(error->message()));
    json.set("details", facts ? facts : Json::text("(no JSON)"));
    json.set("cause", error_json(error->cause()));
    return json;
}

bool object_bind(Scenario &scenario, Kind kind, const std::string &name, std::uintptr_t handle)
{
    std::lock_guard<std::mutex> guard(scenario.lock);
    auto found = scenario.objects.find({kind, name});
    if (found != scenario.objects.end() && found->second.live)
        return false;
    scenario.objects[{kind, name}] = Object{handle, true};
    scenario.changed_.notify_all();
    return true;
}

void object_freed(Call &call, Kind kind, const char *key)
{
    std::lock_guard<std::mutex> guard(call.scenario.lock);
    auto found = call.scenario.objects.find({kind, std::string(call[key].str())});
    if (call[key].is_text() && found != call.scenario.objects.end())
        found->second.live = false;
}

/* What only a surface with raw handles can do has to be announced, so that the runners of others can skip it. */
static bool needs_raw(const Scenario &scenario)
{
    for (const Json &need : scenario.root["needs"].entries()) {
        if (need.is_text("raw"))
            return true;
    }
    return false;
}

std::uintptr_t handle_of(Call &call, const char *key, Kind kind)
{
    Json reference = call[key], name = reference;
    if (reference["$null"])
        return 0;
    if (reference["$made_up"])
        return static_cast<std::uintptr_t>(reference["$made_up"].as_integer());
    const std::pair<const char *, Kind> foreign[] = {
        {"$runtime", Kind::runtime}, {"$recorder", Kind::recorder}, {"$wait", Kind::wait}};
    for (const auto &[word, other] : foreign) {
        if (reference[word]) {
            name = reference[word];
            kind = other;
        }
    }
    if (!name.is_text())
        throw Broken(std::string("the step needs '") + key + "'");
    std::lock_guard<std::mutex> guard(call.scenario.lock);
    auto found = call.scenario.objects.find({kind, std::string(name.str())});
    if (found == call.scenario.objects.end())
        throw Broken("there is no '" + std::string(name.str()) + "'");
    if (!found->second.live && !needs_raw(call.scenario))
        throw Broken("a handle that was freed: the scenario must say that it needs \"raw\"");
    return found->second.handle;
}

static std::string bytes_of_hex(std::string_view hex)
{
    std::string bytes, digits;
    for (char digit : hex) {
        if (digit != ' ')
            digits += digit;
    }
    for (std::size_t i = 0; i < digits.size(); i += 2)
        bytes += static_cast<char>(std::strtoul(digits.substr(i, 2).c_str(), nullptr, 16));
    return bytes;
}

std::string text_of(const Json &json)
{
    if (!json)
        return {};
    if (json.is_text())
        return std::string(json.str());
    if (json["$hex"])
        return bytes_of_hex(json["$hex"].str());
    if (!json["$repeat"])
        throw Broken("this is no text: " + json.dump());
    std::string text;
    for (std::int64_t i = 0; i < json["times"].as_integer(); i++)
        text += json["$repeat"].str();
    return text;
}

std::int64_t int_of(const Json &json, std::int64_t absent)
{
    if (json && !json.is_integer())
        throw Broken("this must be an integer: " + json.dump());
    return json ? json.as_integer() : absent;
}
