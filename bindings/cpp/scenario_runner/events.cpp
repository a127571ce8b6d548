/* Event types, and payloads written and read field by field. */
#include "runner.hpp"

/* An event type lives as long as the process, its scenario does not: the user_data of `release` is the place of the
   event's name in this list. */
static std::mutex slots_lock;
static std::deque<std::pair<std::string, Event *>> slots;

static void released(void *user_data, const void *payload, std::size_t len)
{
    Event *event;
    {
        std::lock_guard<std::mutex> guard(slots_lock);
        event = static_cast<std::pair<std::string, Event *> *>(user_data)->second;
    }
    if (event != nullptr)
        journal_add(*event->scenario, "release " + event_show(*event, payload, len));
}

static void *slot_take(Event &event)
{
    std::lock_guard<std::mutex> guard(slots_lock);
    for (auto &slot : slots) {
        if (slot.first == event.name) {
            slot.second = &event;
            return &slot;
        }
    }
    return &slots.emplace_back(event.name, &event);
}

void events_forget(Scenario &scenario)
{
    std::lock_guard<std::mutex> guard(slots_lock);
    for (auto &slot : slots) {
        if (slot.second != nullptr && slot.second->scenario == &scenario)
            slot.second = nullptr;
    }
}

Event *event_keyed(Scenario &scenario, const Json &key)
{
    for (Event &event : scenario.events) {
        if (key.is_text(event.key))
            return &event;
    }
    return nullptr;
}

Event *event_typed(Scenario &scenario, mvx::EventType type)
{
    for (Event &event : scenario.events) {
        if (event.type == type)
            return &event;
    }
    return nullptr;
}

mvx::EventType event_type_of(Scenario &scenario, const Json &json)
{
    if (json["$number"])
        return mvx::EventType{static_cast<mvx_event_type>(json["$number"].as_integer())};
    Event *event = event_keyed(scenario, json);
    if (event == nullptr)
        throw Broken("unknown event " + json.dump());
    return event->type;
}

std::vector<mvx::EventType> event_types_of(Scenario &scenario, const Json &events)
{
    std::vector<mvx::EventType> types;
    for (const Json &event : events.entries())
        types.push_back(event_type_of(scenario, event));
    return types;
}

static std::uint32_t kind_size(mvx::FieldKind kind)
{
    switch (kind) {
    case mvx::FieldKind::i8:
    case mvx::FieldKind::u8:
    case mvx::FieldKind::boolean:
    case mvx::FieldKind::text: return 1;
    case mvx::FieldKind::i16:
    case mvx::FieldKind::u16: return 2;
    case mvx::FieldKind::i32:
    case mvx::FieldKind::u32:
    case mvx::FieldKind::f32:
    case mvx::FieldKind::symbol: return 4;
    default: return 8;
    }
}

std::vector<mvx::Field> fields_of(const Json &list, bool natural, std::size_t &len)
{
    std::vector<mvx::Field> fields;
    len = 0;
    for (const Json &json : list.entries()) {
        only_keys(json, "name kind offset size", "a field");
        mvx::Field field{text_of(json["name"]), value_of<mvx::FieldKind>(field_kinds, json["kind"])};
        std::uint32_t align = kind_size(field.kind);
        field.size = json["size"] ? static_cast<std::uint32_t>(int_of(json["size"])) : align;
        field.offset = natural ? static_cast<std::uint32_t>((len + align - 1) / align * align)
                               : static_cast<std::uint32_t>(int_of(json["offset"]));
        len = std::max<std::size_t>(len, std::size_t(field.offset) + field.size);
        fields.push_back(std::move(field));
    }
    len = (len + 7) / 8 * 8;
    return fields;
}

void events_declare(Scenario &scenario)
{
    for (const auto &[key, json] : scenario.root["events"].members()) {
        only_keys(json, "fields timed release", "an event");
        Event &event = scenario.events.emplace_back();
        event.scenario = &scenario;
        event.key = key;
        event.name = scenario.path + "." + key;
        for (char &letter : event.name)
            letter = letter == '/' ? '.' : letter;
        event.fields = fields_of(json["fields"], true, event.len);
        mvx::EventTypeOptions options;
        options.name = event.name;
        options.fields = event.fields;
        options.timed = json["timed"].is_true();
        if (json["release"].is_true()) {
            options.release = released;
            options.user_data = slot_take(event);
        }
        event.type = mvx::EventType::declare(options).value();
    }
}

template <class T>
static void store(unsigned char *at, T value)
{
    std::memcpy(at, &value, sizeof value);
}

static void field_write(const mvx::Field &field, const Json &value, unsigned char *payload)
{
    unsigned char *at = payload + field.offset;
    if (field.kind == mvx::FieldKind::text) {
        if (!value.is_text() || value.str().size() > field.size)
            throw Broken("the text field can't take " + value.dump());
        std::memcpy(at, value.str().data(), value.str().size());
        return;
    }
    if (field.kind == mvx::FieldKind::symbol)
        return store(at, mvx::intern(value.str()).value());
    /* A text serves the integers that a JSON library doesn't hold. */
    std::uint64_t natural = value.is_text()      ? std::strtoull(std::string(value.str()).c_str(), nullptr, 10)
                            : value.is_boolean() ? std::uint64_t(value.is_true())
                            : value.is_real()    ? static_cast<std::uint64_t>(static_cast<std::int64_t>(value.as_real()))
                                                 : static_cast<std::uint64_t>(value.as_integer());
    double real = value.is_text() ? static_cast<double>(natural) : value.is_boolean() ? double(natural) : value.as_real();
    switch (field.kind) {
    case mvx::FieldKind::i8:
    case mvx::FieldKind::u8:
    case mvx::FieldKind::boolean: return store(at, static_cast<std::uint8_t>(natural));
    case mvx::FieldKind::i16:
    case mvx::FieldKind::u16: return store(at, static_cast<std::uint16_t>(natural));
    case mvx::FieldKind::i32:
    case mvx::FieldKind::u32: return store(at, static_cast<std::uint32_t>(natural));
    case mvx::FieldKind::f32: return store(at, static_cast<float>(real));
    case mvx::FieldKind::f64: return store(at, real);
    default: return store(at, natural);
    }
}

Payload payload_of(const Event *event, const Json &json)
{
    Payload payload;
    if (json["$hex"]) {
        std::string bytes = text_of(json);
        payload.bytes.assign(bytes.begin(), bytes.end());
        payload.len = bytes.size();
    } else if (json["$zeros"] || json["$null"]) {
        payload.null = static_cast<bool>(json["$null"]);
        payload.len = static_cast<std::size_t>((payload.null ? json["$null"] : json["$zeros"]).as_integer());
        payload.bytes.resize(payload.len);
    } else {
        payload.len = event != nullptr ? event->len : 0;
        payload.bytes.resize(payload.len);
        std::size_t given = 0;
        for (const auto &[key, value] : json.members()) {
            const mvx::Field *found = nullptr;
            for (std::size_t i = 0; event != nullptr && i < event->fields.size(); i++)
                found = event->fields[i].name == key ? &event->fields[i] : found;
            if (found == nullptr)
                throw Broken("the event has no field '" + key + "'");
            field_write(*found, value, payload.bytes.data());
            given++;
        }
        if (event != nullptr && given != event->fields.size())
            throw Broken("the payload must give each field of the event");
    }
    payload.bytes.reserve(1); /* no bytes are not the same as NULL */
    return payload;
}

template <class T>
static T load(const unsigned char *at)
{
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

Json payload_field(const Event &event, std::string_view name, const void *payload, std::size_t len)
{
    const mvx::Field *field = nullptr;
    for (const mvx::Field &one : event.fields)
        field = one.name == name ? &one : field;
    if (field == nullptr || std::size_t(field->offset) + field->size > len)
        return Json::null();
    const unsigned char *at = static_cast<const unsigned char *>(payload) + field->offset;
    switch (field->kind) {
    case mvx::FieldKind::i8: return Json::integer(load<std::int8_t>(at));
    case mvx::FieldKind::i16: return Json::integer(load<std::int16_t>(at));
    case mvx::FieldKind::i32: return Json::integer(load<std::int32_t>(at));
    case mvx::FieldKind::i64: return Json::integer(load<std::int64_t>(at));
    case mvx::FieldKind::u8: return Json::integer(*at);
    case mvx::FieldKind::u16: return Json::integer(load<std::uint16_t>(at));
    case mvx::FieldKind::u32: return Json::integer(load<std::uint32_t>(at));
    case mvx::FieldKind::u64: {
        auto value = load<std::uint64_t>(at);
        return value <= INT64_MAX ? Json::integer(static_cast<std::int64_t>(value)) : Json::text(std::to_string(value));
    }
    case mvx::FieldKind::f32: return Json::real(load<float>(at));
    case mvx::FieldKind::f64: return Json::real(load<double>(at));
    case mvx::FieldKind::boolean: return Json::boolean(*at != 0);
    case mvx::FieldKind::symbol: {
        std::string_view text = load<mvx::Symbol>(at).text();
        return text.data() != nullptr ? Json::text(text) : Json::null();
    }
    default: {
        std::string_view text(reinterpret_cast<const char *>(at), field->size);
        return Json::text(text.substr(0, text.find('\0')));
    }
    }
}

std::string event_show(const Event &event, const void *payload, std::size_t len)
{
    if (event.fields.empty())
        return event.key;
    Json value = payload_field(event, event.fields[0].name, payload, len);
    return event.key + "(" + (value.is_text() ? std::string(value.str()) : value.dump()) + ")";
}
