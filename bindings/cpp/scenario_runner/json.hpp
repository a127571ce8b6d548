/* A JSON value over jansson, which keeps 64-bit integers and the order of keys. Copies share the value. */
#ifndef MVX_SCENARIO_JSON_HPP
#define MVX_SCENARIO_JSON_HPP

#include <jansson.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

class Json {
public:
    Json() = default; /* there is nothing, which is no null */
    explicit Json(json_t *owned) : json_(owned) {}
    Json(const Json &other) : json_(json_incref(other.json_)) {}
    Json(Json &&other) noexcept : json_(std::exchange(other.json_, nullptr)) {}
    Json &operator=(Json other) noexcept
    {
        std::swap(json_, other.json_);
        return *this;
    }
    ~Json() { json_decref(json_); }

    static Json shared(json_t *borrowed) { return Json(json_incref(borrowed)); }
    static Json null() { return Json(json_null()); }
    static Json object() { return Json(json_object()); }
    static Json list() { return Json(json_array()); }
    static Json boolean(bool value) { return Json(json_boolean(value)); }
    static Json integer(std::int64_t value) { return Json(json_integer(value)); }
    static Json real(double value) { return Json(json_real(value)); }
    static Json text(std::string_view value)
    {
        json_t *json = json_stringn(value.empty() ? "" : value.data(), value.size());
        return Json(json != nullptr ? json : json_string("(not UTF-8)"));
    }
    static Json parse(std::string_view text, std::size_t flags = JSON_REJECT_DUPLICATES)
    {
        return Json(json_loadb(text.data(), text.size(), flags, nullptr));
    }

    json_t *get() const { return json_; }
    explicit operator bool() const { return json_ != nullptr; }
    bool is_text() const { return json_is_string(json_); }
    bool is_text(std::string_view text) const { return is_text() && str() == text; }
    bool is_object() const { return json_is_object(json_); }
    bool is_list() const { return json_is_array(json_); }
    bool is_null() const { return json_is_null(json_); }
    bool is_boolean() const { return json_is_boolean(json_); }
    bool is_true() const { return json_is_true(json_); }
    bool is_integer() const { return json_is_integer(json_); }
    bool is_real() const { return json_is_real(json_); }

    std::string_view str() const
    {
        return is_text() ? std::string_view(json_string_value(json_), json_string_length(json_)) : std::string_view();
    }
    std::int64_t as_integer() const { return json_integer_value(json_); }
    double as_real() const { return json_number_value(json_); }
    std::size_t size() const { return is_object() ? json_object_size(json_) : json_array_size(json_); }

    Json operator[](const char *key) const { return shared(json_object_get(json_, key)); }
    Json at(std::size_t index) const { return shared(json_array_get(json_, index)); }
    void set(std::string_view key, const Json &value) { json_object_set(json_, std::string(key).c_str(), value.json_); }
    void add(const Json &value) { json_array_append(json_, value.json_); }

    std::vector<std::pair<std::string, Json>> members() const
    {
        std::vector<std::pair<std::string, Json>> list;
        const char *key;
        json_t *value;
        if (is_object())
            json_object_foreach(json_, key, value)
                list.emplace_back(key, shared(value));
        return list;
    }
    std::vector<Json> entries() const
    {
        std::vector<Json> list;
        for (std::size_t i = 0; i < json_array_size(json_); i++)
            list.push_back(at(i));
        return list;
    }

    std::string dump() const
    {
        char *text = json_dumps(json_, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
        std::string copy = text != nullptr ? text : "nothing";
        std::free(text);
        return copy;
    }
    friend bool operator==(const Json &left, const Json &right)
    {
        return left.json_ != nullptr && right.json_ != nullptr && json_equal(left.json_, right.json_);
    }

private:
    json_t *json_ = nullptr;
};

#endif
