// What a program is asked, as arguments, and the line that it answers. See ../README.md.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

// Prints why there are no figures, and ends the process with all its threads.
[[noreturn]] inline void skip(const std::string& reason) {
  std::printf("{\"skipped\":\"%s\"}\n", reason.c_str());
  std::fflush(stdout);
  _exit(0);
}

// Ends the process: it was asked what makes no sense, or something failed.
[[noreturn]] inline void refuse(const std::string& reason) {
  std::fprintf(stderr, "%s\n", reason.c_str());
  _exit(2);
}

// The arguments, each `name=value`.
class Request {
 public:
  Request(int count, char** arguments) {
    for (int index = 1; index < count; ++index) {
      std::string argument(arguments[index]);
      std::size_t equals = argument.find('=');
      if (equals == std::string::npos) refuse("not of the form name=value: " + argument);
      values_.emplace(argument.substr(0, equals), argument.substr(equals + 1));
    }
  }

  std::string text(const std::string& name) const {
    auto found = values_.find(name);
    if (found == values_.end()) refuse(name + " is missing");
    return found->second;
  }

  bool is(const std::string& name, const std::string& value) const { return text(name) == value; }

  double number(const std::string& name) const {
    std::string value = text(name);
    char* end = nullptr;
    double number = std::strtod(value.c_str(), &end);
    if (end == value.c_str() || *end != '\0' || !std::isfinite(number)) {
      refuse(name + " is not a number: " + value);
    }
    return number;
  }

  // A whole number from `least` up.
  std::uint64_t whole(const std::string& name, std::uint64_t least = 0) const {
    double value = number(name);
    if (value < static_cast<double>(least) || value > 9e15 || value != std::floor(value)) {
      refuse(name + " is not a whole number from " + std::to_string(least) + " up: " + text(name));
    }
    return static_cast<std::uint64_t>(value);
  }

  std::chrono::milliseconds window() const {
    return std::chrono::milliseconds(whole("window_ms", 1));
  }
  std::chrono::milliseconds warm_up() const {
    return std::chrono::milliseconds(whole("warm_up_ms"));
  }

 private:
  std::map<std::string, std::string> values_;
};

// The figures, and remarks for the reader. Neither may need escapes in JSON.
class Answer {
 public:
  Answer& figure(const std::string& name, double value) {
    if (!std::isfinite(value)) refuse("there is no figure for " + name + ": nothing was done");
    figures_.emplace_back(name, value);
    return *this;
  }

  Answer& without(const std::string& name) {
    std::erase_if(figures_, [&name](const auto& figure) { return figure.first == name; });
    return *this;
  }

  Answer& note(const std::string& text) {
    notes_.push_back(text);
    return *this;
  }

  // Single operations: pairs of the longest, in nanoseconds, and how many took about as long.
  Answer& latency(const std::map<std::uint64_t, std::uint64_t>& buckets) {
    latency_ = buckets;
    return *this;
  }

  // Prints it, and ends the process with all its threads.
  [[noreturn]] void give() const {
    std::printf("{\"figures\":{");
    const char* comma = "";
    for (const auto& [name, value] : figures_) {
      std::printf("%s\"%s\":%.17g", std::exchange(comma, ","), name.c_str(), value);
    }
    std::printf("},\"latency\":");
    comma = "[";
    for (const auto& [ns_max, count] : latency_) {
      std::printf("%s[%llu,%llu]", std::exchange(comma, ","),
                  static_cast<unsigned long long>(ns_max), static_cast<unsigned long long>(count));
    }
    std::printf("%s,\"notes\":[", latency_.empty() ? "null" : "]");
    comma = "";
    for (const auto& text : notes_)
      std::printf("%s\"%s\"", std::exchange(comma, ","), text.c_str());
    std::printf("]}\n");
    std::fflush(stdout);
    _exit(0);
  }

 private:
  std::vector<std::pair<std::string, double>> figures_;
  std::vector<std::string> notes_;
  std::map<std::uint64_t, std::uint64_t> latency_;
};
