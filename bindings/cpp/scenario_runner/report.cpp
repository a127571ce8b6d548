/* Failures, and the comparison of what a step gave with what the scenario expects. */
#include <regex.h>

#include <cstdio>

#include "runner.hpp"

void fail(Scenario &scenario, const std::string &where, const std::string &text)
{
    static std::mutex output;
    {
        std::lock_guard<std::mutex> guard(scenario.lock);
        scenario.failed = true;
        scenario.changed_.notify_all();
    }
    std::lock_guard<std::mutex> guard(output);
    std::printf("%s: %s: %s\n", scenario.path.c_str(), where.c_str(), text.c_str());
    std::fflush(stdout);
}

static bool same(const Json &expected, const Json &got)
{
    if (expected.is_text("$any"))
        return static_cast<bool>(got);
    if (!got || json_typeof(expected.get()) != json_typeof(got.get()))
        return false;
    if (!expected.is_object() && !expected.is_list())
        return expected == got;
    if (expected.size() != got.size())
        return false;
    for (const auto &[key, value] : expected.members()) {
        if (!same(value, got[key.c_str()]))
            return false;
    }
    for (std::size_t i = 0; expected.is_list() && i < expected.size(); i++) {
        if (!same(expected.at(i), got.at(i)))
            return false;
    }
    return true;
}

static bool same_order(const Json &expected, const Json &got)
{
    auto left = expected.members(), right = got.members();
    for (std::size_t i = 0; i < left.size(); i++) {
        if (i >= right.size() || left[i].first != right[i].first)
            return false;
    }
    return left.size() == right.size();
}

bool stats_match(const Json &expected, const Json &got)
{
    for (const auto &[key, value] : expected.members()) {
        Json actual = got[key.c_str()];
        if (!actual)
            return false;
        if (!value.is_object()) {
            if (!same(value, actual))
                return false;
            continue;
        }
        if (value["at_least"] && actual.as_integer() < value["at_least"].as_integer())
            return false;
        if (value["at_most"] && actual.as_integer() > value["at_most"].as_integer())
            return false;
    }
    return true;
}

/* Why an error is not the one expected; empty where it is. */
static std::string error_differs(const Json &expected, const Json &got)
{
    if (expected.is_null() || !got.is_object()) {
        if (expected.is_null() && !got.is_object())
            return {};
        return expected.is_null() ? "there is an error" : "there is no error";
    }
    for (const auto &[key, value] : expected.members()) {
        if (key == "cause") {
            std::string why = error_differs(value, got["cause"]);
            if (!why.empty())
                return "cause: " + why;
        } else if (key == "details") {
            for (const auto &[detail, fact] : value.members()) {
                if (!same(fact, got["details"][detail.c_str()]))
                    return "details." + detail + " differs";
            }
        } else if (key == "message_contains") {
            if (got["message"].str().find(value.str()) == std::string_view::npos)
                return "the message doesn't contain it";
        } else if (!same(value, got[key.c_str()])) {
            return key + " differs";
        }
    }
    return {};
}

/* Each key that is expected must be there with that value; an `error` is matched as an error. */
static bool rows_match(const Json &expected, const Json &got)
{
    if (expected.size() != got.size())
        return false;
    for (std::size_t i = 0; i < expected.size(); i++) {
        for (const auto &[key, value] : expected.at(i).members()) {
            Json there = got.at(i)[key.c_str()];
            if (key == "error" ? !error_differs(value, there).empty() : !same(value, there))
                return false;
        }
    }
    return true;
}

static bool text_matches(const Json &pattern, const Json &text)
{
    regex_t regex;
    if (!text.is_text() || regcomp(&regex, std::string(pattern.str()).c_str(), REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool matches = regexec(&regex, std::string(text.str()).c_str(), 0, nullptr, 0) == 0;
    regfree(&regex);
    return matches;
}

static bool text_contains(const Json &parts, const Json &text)
{
    for (const Json &part : parts.entries()) {
        if (!text.is_text() || text.str().find(part.str()) == std::string_view::npos)
            return false;
    }
    return true;
}

void compare(Call &call, const Json &expect, const Json &got)
{
    auto differs = [&](const std::string &what, const std::string &expected, const Json &there, std::string why = {}) {
        fail(call.scenario, call.where,
             what + ": expected " + expected + ", got " + there.dump() + (why.empty() ? "" : " (" + why + ")"));
    };
    /* A step that says nothing about its status expects success, unless many statuses are counted. */
    if (!expect["status"] && !expect["statuses"] && got["status"] && !got["status"].is_text("OK")) {
        differs("status", "\"OK\"", got["status"]);
        if (got["error"].is_object())
            fail(call.scenario, call.where, "the error is " + got["error"].dump());
    }
    for (const auto &[key, value] : expect.members()) {
        Json there = got[key.c_str()];
        if (key == "error") {
            std::string why = error_differs(value, there);
            if (!why.empty())
                differs(key, value.dump(), there, why);
        } else if (key == "matches" || key == "contains") {
            if (key == "matches" ? !text_matches(value, got["text"]) : !text_contains(value, got["text"]))
                differs("text " + key, value.dump(), got["text"]);
        } else if (key == "stats" ? !stats_match(value, there)
                   : key == "metrics" ? !rows_match(value, there)
                                      : !same(value, there)) {
            differs(key, value.dump(), there);
        } else if (key == "snapshot" && !same_order(value, there)) {
            differs(key, value.dump(), there, "in another order");
        }
    }
}
