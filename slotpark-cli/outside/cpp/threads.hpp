// Clocks, and threads that can be looked at.
#pragma once

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "request.hpp"

inline double clock_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

inline double now_ns() { return clock_ns(CLOCK_MONOTONIC); }

// The processor time of all threads.
inline double cpu_ns() { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

inline double median(std::vector<double> values) {
  if (values.empty()) return NAN;
  std::sort(values.begin(), values.end());
  std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Keeps the compiler from leaving out what makes the value.
inline void keep(std::uint64_t value) { asm volatile("" : : "r"(value) : "memory"); }

// A piece of work that touches nothing shared: so many steps, a nanosecond or two each.
inline void work(std::uint64_t steps) {
  for (std::uint64_t step = 0; step < steps; ++step) keep(step);
}

// Computes for ever.
[[noreturn]] inline void burn() {
  for (std::uint64_t state = 1;; state = state * 0x5851f42d4c957f2dU + 1) keep(state);
}

// The scheduler's view of one thread.
class Sight {
 public:
  static Sight own() {
    std::string path = "/proc/self/task/" + std::to_string(syscall(SYS_gettid)) + "/stat";
    int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) refuse("cannot open " + path);
    return Sight(file);
  }

  // Whether the thread sleeps in the kernel.
  bool asleep() const {
    char line[256];
    ssize_t length = pread(file_, line, sizeof line, 0);
    // "id (name) state ...": the name may hold anything, so look from its last parenthesis.
    for (ssize_t at = length - 3; at >= 0; --at) {
      if (line[at] == ')') return line[at + 2] == 'S';
    }
    return false;
  }

 private:
  explicit Sight(int file) : file_(file) {}
  int file_;
};

// Starts threads that nobody joins, each with its number; returns when all of them run.
inline std::vector<Sight> start(std::size_t count, const std::function<void(std::size_t)>& body) {
  std::vector<Sight> sights;
  for (std::size_t number = 0; number < count; ++number) {
    std::atomic<Sight*> seen{nullptr};
    std::thread([&seen, body, number] {
      seen.store(new Sight(Sight::own()));
      body(number);
    }).detach();
    while (seen.load() == nullptr) std::this_thread::yield();
    sights.push_back(*seen.load());
  }
  return sights;
}

inline std::size_t cores() { return std::max(std::thread::hardware_concurrency(), 1U); }

// Twice, since a thread may sleep on its way into the wait.
inline bool all_asleep(const std::vector<Sight>& threads) {
  auto asleep = [&threads] {
    return std::all_of(threads.begin(), threads.end(), [](const Sight& t) { return t.asleep(); });
  };
  return asleep() && asleep();
}

// Sleeps in short steps until `done` says so.
template <typename Done>
inline void sleep_until(Done done) {
  while (!done()) std::this_thread::sleep_for(std::chrono::microseconds(200));
}
