// std::atomic::wait and notify as an engine: threads wait on words, whose addresses are the keys.
//
// The argument `word` says how wide a word is. The libraries hand an int to the kernel's futex as
// it is (`int32`). Any other type waits on a word of the library's, which many addresses share by
// their hash, and is woken whenever that one is notified (`int64`).

#include <sched.h>
#include <semaphore.h>

#include <new>

#include "crew.hpp"

namespace {

using std::size_t;

constexpr const char* kNoDeadline = "std::atomic::wait has no deadline";

// Words that lie at a stride, 64 bytes at least.
template <typename Value>
class Words {
 public:
  explicit Words(size_t count, size_t stride = 64) : stride_(std::max<size_t>(stride, 64)) {
    memory_ = static_cast<char*>(std::aligned_alloc(4096, (count * stride_ + 4095) / 4096 * 4096));
    if (memory_ == nullptr) refuse("there is no memory for the words");
    for (size_t index = 0; index < count; ++index) new (&at(index)) std::atomic<Value>(0);
  }

  std::atomic<Value>& at(size_t index) const {
    return *reinterpret_cast<std::atomic<Value>*>(memory_ + index * stride_);
  }

 private:
  size_t stride_;
  char* memory_;
};

template <typename Value>
void wait_while(const std::atomic<Value>& word, Value expected) {
  word.wait(expected, std::memory_order_acquire);
}

// Threads that make one call again and again, while others may sleep on words of their own.
template <typename Value>
[[noreturn]] void calls(const Request& request) {
  if (request.is("call", "wait_past_deadline") || request.is("call", "wait_timeout")) {
    skip(kNoDeadline);
  }
  if (request.is("draw", "fresh")) skip("the keys are addresses of words, which are used again");
  size_t keys = request.whole("keys", 1), sleepers = request.whole("sleepers");
  size_t threads = request.whole("threads", 1);
  auto* words = new Words<Value>(keys + sleepers, request.whole("stride", 1));
  std::atomic<size_t> announced{0};
  auto sights = start(sleepers, [&announced, words, keys](size_t number) {
    announced.fetch_add(1);
    for (;;) words->at(keys + number).wait(0);
  });
  sleep_until([&] { return announced.load() == sleepers && all_asleep(sights); });
  auto* drawn = new auto(draws(request, threads, keys));
  auto* crew = new Crew(request, threads);
  auto again_and_again = [=](auto call) {
    start(threads, [=](size_t thread) {
      const std::vector<std::uint32_t>& indices = (*drawn)[thread];
      size_t next = 0;
      crew->work(thread, 64, [&] {
        call(words->at(indices[next]));
        if (++next == indices.size()) next = 0;
      });
    });
  };
  if (request.is("call", "wake_one")) again_and_again([](auto& word) { word.notify_one(); });
  if (request.is("call", "wake_all")) again_and_again([](auto& word) { word.notify_all(); });
  if (request.is("call", "wait_stale")) again_and_again([](auto& word) { word.wait(1); });
  crew->measure(false).give();
}

// One pair of threads: the first rings, the second answers.
template <typename Value>
class Pair {
 public:
  Pair(const Words<Value>& own, size_t pair)
      : bell_(own.at(2 * pair)), answer_(own.at(2 * pair + 1)) {}

  void ring() {
    bell_.store(++trip_, std::memory_order_release);
    bell_.notify_one();
    wait_while<Value>(answer_, trip_ - 1);
  }

  [[noreturn]] void answer_for_ever() {
    for (;;) {
      wait_while<Value>(bell_, trip_);
      answer_.store(++trip_, std::memory_order_release);
      answer_.notify_one();
    }
  }

  // The same with the answer on one of the keys that all pairs share, drawn anew for each trip. An
  // answer there wakes all who wait for one, whichever pair they are of; so the second may find
  // that the first has rung again, and answers the newest ring.
  void ring(const Words<Value>& shared, const std::vector<std::uint32_t>& drawn) {
    auto& answer = shared.at(drawn[static_cast<size_t>(++trip_) % drawn.size()]);
    Value before = answer.load(std::memory_order_acquire);
    bell_.store(trip_, std::memory_order_release);
    bell_.notify_one();
    wait_while<Value>(answer, before);
  }

  [[noreturn]] void answer_for_ever(const Words<Value>& shared,
                                    const std::vector<std::uint32_t>& drawn) {
    for (Value seen = 0;;) {
      wait_while<Value>(bell_, seen);
      seen = bell_.load(std::memory_order_acquire);
      auto& answer = shared.at(drawn[static_cast<size_t>(seen) % drawn.size()]);
      answer.fetch_add(1, std::memory_order_release);
      answer.notify_all();
    }
  }

 private:
  std::atomic<Value>& bell_;
  std::atomic<Value>& answer_;
  // Each thread's own.
  Value trip_ = 0;
};

template <typename Value>
[[noreturn]] void round_trip(const Request& request) {
  size_t pairs = request.whole("pairs", 1), shared_keys = request.whole("shared_keys");
  auto* own = new Words<Value>(2 * pairs);
  auto* shared = new Words<Value>(shared_keys);
  auto* drawn = new auto(shared_keys > 0 ? draws(request, pairs, shared_keys)
                                         : std::vector<std::vector<std::uint32_t>>());
  auto* crew = new Crew(request, pairs);
  bool busy = request.is("busy", "true");
  if (busy) start(cores(), [](size_t) { burn(); });
  start(2 * pairs, [=](size_t number) {
    Pair<Value> pair(*own, number / 2);
    bool first = number % 2 == 0;
    if (shared_keys == 0) {
      if (first) crew->work(number / 2, 1, [&] { pair.ring(); });
      pair.answer_for_ever();
    }
    const std::vector<std::uint32_t>& indices = (*drawn)[number / 2];
    if (first) crew->work(number / 2, 1, [&] { pair.ring(*shared, indices); });
    pair.answer_for_ever(*shared, indices);
  });
  Answer answer = crew->measure(true);
  // It would be that of the threads that compute.
  if (busy) answer.without("cpu");
  answer.give();
}

// Keys, each with threads that wait until its word changes, and threads that change it all the
// time.
template <typename Value>
[[noreturn]] void storm(const Request& request) {
  size_t keys = request.whole("keys", 1), waiters = request.whole("waiters", 1);
  auto* words = new Words<Value>(keys);
  auto* crew = new Crew(request, keys * waiters);
  start(keys * waiters, [=](size_t number) {
    auto& word = words->at(number % keys);
    crew->work(number, 1, [&] { wait_while<Value>(word, word.load(std::memory_order_acquire)); });
  });
  start(keys * request.whole("notifiers", 1), [=](size_t number) {
    auto& word = words->at(number % keys);
    for (;;) {
      word.fetch_add(1, std::memory_order_release);
      if (waiters == 1)
        word.notify_one();
      else
        word.notify_all();
    }
  });
  crew->measure(false).give();
}

// The CPUs that this thread may run on.
std::vector<int> allowed_cpus() {
  std::vector<int> cpus;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}
// Ties this thread to one of them, in turn. Where it is refused, it runs free.
void tie(const std::vector<int>& cpus, size_t turn) {
  if (cpus.empty()) return;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpus[turn % cpus.size()], &one);
  sched_setaffinity(0, sizeof one, &one);
}
// What the sleepers of `wake_all` share.
template <typename Value>
struct Crowd {
  alignas(64) std::atomic<Value> word{0};
  alignas(64) std::atomic<size_t> announced{0};
  alignas(64) std::atomic<size_t> returned{0};
  std::atomic<double> last_at{0};
  // Posted when the last one has returned. No word, which might meet those of the library's.
  sem_t all_run;
};

// Threads sleep on one word, and one call wakes them all.
template <typename Value>
[[noreturn]] void wake_all(const Request& request) {
  size_t threads = request.whole("waiters", 1);
  auto* crowd = new Crowd<Value>;
  sem_init(&crowd->all_run, 0, 0);
  auto cpus = allowed_cpus();
  auto sleepers = start(threads, [=](size_t number) {
    tie(cpus, number);
    for (Value round = 0;; ++round) {
      crowd->announced.fetch_add(1);
      wait_while<Value>(crowd->word, round);
      if (crowd->returned.fetch_add(1) + 1 == threads) {
        crowd->returned.store(0);
        crowd->last_at.store(now_ns());
        sem_post(&crowd->all_run);
      }
    }
  });
  tie(cpus, 0);
  std::vector<double> calls, runs;
  auto begin = std::chrono::steady_clock::now();
  for (Value round = 1;
       runs.size() < 3 || std::chrono::steady_clock::now() - begin < request.window(); ++round) {
    sleep_until([&] {
      return crowd->announced.load() == static_cast<size_t>(round) * threads &&
             all_asleep(sleepers);
    });
    double called = now_ns();
    crowd->word.store(round, std::memory_order_release);
    crowd->word.notify_all();
    double call = now_ns() - called;
    while (sem_wait(&crowd->all_run) != 0) continue;
    // The first one touches everything for the first time.
    if (round == 1) continue;
    calls.push_back(call);
    runs.push_back(crowd->last_at.load() - called);
  }
  Answer()
      .figure("time", median(runs))
      .figure("call", median(calls))
      .note("notify_all does not say how many it woke: all slept before the call")
      .give();
}

template <typename Value>
[[noreturn]] void run(const Request& request) {
  if (request.is("shape", "calls")) calls<Value>(request);
  if (request.is("shape", "round_trip")) round_trip<Value>(request);
  if (request.is("shape", "storm")) storm<Value>(request);
  if (request.is("shape", "wake_all")) wake_all<Value>(request);
  if (request.is("shape", "wait_memory")) skip(kNoDeadline);
  skip("std::atomic has no program of the shape " + request.text("shape"));
}

}  // namespace

int main(int count, char** arguments) {
  Request request(count, arguments);
  if (request.is("word", "int32")) run<std::int32_t>(request);
  if (request.is("word", "int64")) run<std::int64_t>(request);
  refuse("word is int32 or int64, not " + request.text("word"));
}
