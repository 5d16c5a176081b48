// Threads that do one operation again and again, what is read of them, and the keys that they draw.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <random>
#include <vector>

#include "request.hpp"
#include "threads.hpp"

// A counter that one thread writes and others look at.
struct Cell {
  std::atomic<std::uint64_t> value{0};

  // By its only writer: no locked instruction.
  void add(std::uint64_t more) {
    value.store(value.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
};

// Alone on its cache line.
struct alignas(64) Count : Cell {};

// How long single operations took. One thread writes, others look.
class Histogram {
 public:
  // Whether the warm-up is over.
  static inline std::atomic<bool> recording{false};

  void record(double ns) {
    if (recording.load(std::memory_order_relaxed)) buckets_[bucket(ns)].add(1);
  }

  void add_to(std::map<std::uint64_t, std::uint64_t>& all) const {
    for (std::size_t index = 0; index < kBuckets; ++index) {
      if (std::uint64_t count = buckets_[index].value.load()) all[longest(index)] += count;
    }
  }

 private:
  // To each power of two so many buckets: they are 3 % wide.
  static constexpr std::size_t kSteps = 32;
  static constexpr std::size_t kBuckets = 40 * kSteps;

  static std::size_t bucket(double ns) {
    auto value = static_cast<std::uint64_t>(std::max(ns, 0.0));
    if (value < kSteps) return value;
    auto shift = static_cast<std::size_t>(std::bit_width(value)) - 6;
    return std::min((shift + 1) * kSteps + (value >> shift) - kSteps, kBuckets - 1);
  }

  static std::uint64_t longest(std::size_t index) {
    if (index < kSteps) return index;
    std::size_t shift = index / kSteps - 1;
    return ((index % kSteps + kSteps + 1) << shift) - 1;
  }

  std::vector<Cell> buckets_ = std::vector<Cell>(kBuckets);
};

// Threads that do an operation for ever, at the pace of the request, and what is read of them. They
// are left behind.
class Crew {
 public:
  Crew(const Request& request, std::size_t members)
      : request_(request), latency_(request.is("latency", "true")), counts_(members) {
    if (latency_) histograms_ = std::vector<Histogram>(members);
    if (request.is("pace", "open")) {
      gap_ns_ = 1e9 * static_cast<double>(members) / request.number("operations_per_second");
    }
  }

  std::size_t size() const { return counts_.size(); }

  // Between two writes of the count it is done `batch` times.
  template <typename Operation>
  [[noreturn]] void work(std::size_t member, std::uint64_t batch, Operation operation) {
    if (gap_ns_ > 0) work_at_times(member, operation);
    while (latency_) {
      double begin = now_ns();
      operation();
      took(member, now_ns() - begin);
    }
    for (;;) {
      for (std::uint64_t done = 0; done < batch; ++done) operation();
      counts_[member].add(batch);
    }
  }

  // What they do in a span that begins after the warm-up and lasts the window, or longer: until
  // somebody, or every one of them, has done something.
  Answer measure(bool every) const {
    std::this_thread::sleep_for(request_.warm_up());
    std::vector<std::uint64_t> begin = look();
    double begin_ns = now_ns(), begin_cpu = cpu_ns();
    Histogram::recording.store(true);
    std::this_thread::sleep_for(request_.window());
    for (;;) {
      std::vector<std::uint64_t> done = look();
      double time = now_ns() - begin_ns, cpu = cpu_ns() - begin_cpu;
      std::transform(done.begin(), done.end(), begin.begin(), done.begin(), std::minus<>());
      auto [least, most] = std::minmax_element(done.begin(), done.end());
      if ((every ? *least : *most) > 0) return answer(done, time, cpu);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

 private:
  // Operations begin at times set beforehand, and latency counts from those.
  template <typename Operation>
  [[noreturn]] void work_at_times(std::size_t member, Operation operation) {
    std::seed_seq seed{request_.whole("seed"), std::uint64_t{1} << 32 | member};
    std::mt19937_64 random(seed);
    std::exponential_distribution<double> drawn(1 / gap_ns_);
    bool even = request_.is("arrivals", "even");
    for (double intended = now_ns();;) {
      intended += even ? gap_ns_ : drawn(random);
      // A sleep may end late; the rest is spent looking at the clock.
      double sleep = intended - now_ns() - 200e3;
      if (sleep > 0) {
        std::this_thread::sleep_for(std::chrono::nanoseconds(static_cast<std::int64_t>(sleep)));
      }
      while (now_ns() < intended) continue;
      operation();
      took(member, now_ns() - intended);
    }
  }

  void took(std::size_t member, double ns) {
    if (latency_) histograms_[member].record(ns);
    counts_[member].add(1);
  }

  std::vector<std::uint64_t> look() const {
    std::vector<std::uint64_t> values;
    for (const Count& count : counts_) values.push_back(count.value.load());
    return values;
  }

  // `time` and `cpu` are of one operation; `least_share` is of the one who did least: 1 where all
  // did the same.
  Answer answer(const std::vector<std::uint64_t>& done, double time, double cpu) const {
    auto all = static_cast<double>(std::accumulate(done.begin(), done.end(), std::uint64_t{0}));
    Answer answer;
    answer.figure("time", time / all).figure("cpu", cpu / all);
    if (done.size() > 1) {
      auto least = static_cast<double>(*std::min_element(done.begin(), done.end()));
      answer.figure("least_share", least * static_cast<double>(done.size()) / all);
    }
    std::map<std::uint64_t, std::uint64_t> buckets;
    for (const Histogram& one : histograms_) one.add_to(buckets);
    return answer.latency(buckets);
  }

  Request request_;
  bool latency_;
  // 0 where the loop is closed.
  double gap_ns_ = 0;
  std::vector<Count> counts_;
  std::vector<Histogram> histograms_;
};

// Numbers in a row as keys all over the range: a bijection, so that others stay others.
inline std::uint64_t scattered(std::uint64_t number) { return number * 0x9e3779b97f4a7c15U; }

// The numbers of keys that each of some threads goes through, again and again.
inline std::vector<std::vector<std::uint32_t>> draws(const Request& request, std::size_t threads,
                                                     std::uint64_t keys) {
  bool in_turn = request.is("draw", "in_turn");
  bool zipf = request.is("draw", "zipf");
  std::vector<double> weights(zipf ? keys : 0);
  for (std::size_t index = 0; index < weights.size(); ++index) {
    weights[index] = std::pow(static_cast<double>(index + 1), -request.number("exponent"));
  }
  std::discrete_distribution<std::uint32_t> ranks(weights.begin(), weights.end());
  std::uniform_int_distribution<std::uint32_t> alike(0, static_cast<std::uint32_t>(keys - 1));
  std::size_t count = in_turn ? keys : std::size_t{1} << 14;
  std::vector<std::vector<std::uint32_t>> drawn(threads, std::vector<std::uint32_t>(count));
  for (std::size_t thread = 0; thread < threads; ++thread) {
    std::seed_seq seed{request.whole("seed"), static_cast<std::uint64_t>(thread)};
    std::mt19937_64 random(seed);
    std::uint32_t next = 0;
    for (std::uint32_t& number : drawn[thread]) {
      number = in_turn ? next++ : zipf ? ranks(random) : alike(random);
    }
  }
  return drawn;
}
