// Locks by key of std::mutex, and std::counting_semaphore.
//
// The argument `locks` says how a key finds its mutex. `stripes`: 512 of them, chosen by the key's
// hash, so that keys which share one exclude each other, and no thread may hold two. `map`: an
// entry in an unordered_map under one mutex, counted, and removed by the last who uses it.

#include <malloc.h>

#include <array>
#include <fstream>
#include <memory>
#include <mutex>
#include <semaphore>
#include <unordered_map>

#include "crew.hpp"

namespace {

using std::size_t;

class Stripes {
 public:
  template <typename Body>
  void with_lock(std::uint64_t key, Body body) {
    // The hash of a number is the number in both libraries, hence another step.
    size_t stripe = scattered(std::hash<std::uint64_t>{}(key)) >> (64 - kBits);
    std::lock_guard guard(stripes_[stripe].mutex);
    body();
  }

 private:
  static constexpr int kBits = 9;
  struct alignas(64) Stripe {
    std::mutex mutex;
  };
  std::array<Stripe, size_t{1} << kBits> stripes_;
};

class Map {
 public:
  template <typename Body>
  void with_lock(std::uint64_t key, Body body) {
    Entry& entry = join(key);
    {
      std::lock_guard guard(entry.mutex);
      body();
    }
    leave(key, entry);
  }

 private:
  struct Entry {
    std::mutex mutex;
    // Who uses it; under the map's mutex.
    size_t users = 0;
  };

  // An entry stays where it is while others come and go.
  Entry& join(std::uint64_t key) {
    std::lock_guard guard(mutex_);
    Entry& entry = entries_[key];
    ++entry.users;
    return entry;
  }

  void leave(std::uint64_t key, Entry& entry) {
    std::lock_guard guard(mutex_);
    if (--entry.users == 0) entries_.erase(key);
  }

  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Entry> entries_;
};

// Threads that lock and unlock keys.
template <typename Locks>
[[noreturn]] void locks(const Request& request) {
  size_t threads = request.whole("threads", 1);
  std::uint64_t keys = request.whole("keys", 1);
  std::uint64_t held = request.whole("held_steps"), free = request.whole("free_steps");
  auto* locks = new Locks;
  auto* crew = new Crew(request, threads);
  auto use = [=](std::uint64_t key) {
    locks->with_lock(scattered(key), [=] { work(held); });
    work(free);
  };
  if (request.is("draw", "fresh")) {
    start(threads, [=](size_t thread) {
      crew->work(thread, 16, [=, key = std::uint64_t{thread}]() mutable {
        use(key);
        key += threads;
      });
    });
  } else {
    auto* drawn = new auto(draws(request, threads, keys));
    start(threads, [=](size_t thread) {
      const std::vector<std::uint32_t>& indices = (*drawn)[thread];
      size_t next = 0;
      crew->work(thread, 1, [&] {
        use(indices[next]);
        if (++next == indices.size()) next = 0;
      });
    });
  }
  crew->measure(false).give();
}

double resident_bytes() {
  double pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double live_bytes() {
  struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

// Every one of many keys is locked and unlocked once.
template <typename Locks>
[[noreturn]] void lock_memory(const Request& request) {
  std::uint64_t keys = request.whole("keys");
  // What the reading itself touches for the first time.
  resident_bytes();
  double resident = resident_bytes(), live = live_bytes();
  auto locks = std::make_unique<Locks>();
  for (std::uint64_t key = 0; key < keys; ++key) locks->with_lock(scattered(key), [] {});
  live = live_bytes() - live;
  resident = resident_bytes() - resident;
  Answer().figure("live_bytes", live).figure("resident_bytes", resident).give();
}

// Threads that share permits.
[[noreturn]] void permits(const Request& request) {
  size_t threads = request.whole("threads", 1);
  std::uint64_t held = request.whole("held_steps"), free = request.whole("free_steps");
  auto count = static_cast<std::ptrdiff_t>(request.whole("permits", 1));
  auto* semaphore = new std::counting_semaphore<>(count);
  auto* crew = new Crew(request, threads);
  start(threads, [=](size_t thread) {
    crew->work(thread, 1, [=] {
      semaphore->acquire();
      work(held);
      semaphore->release();
      work(free);
    });
  });
  crew->measure(false).give();
}

template <typename Locks>
[[noreturn]] void run(const Request& request) {
  if (request.is("shape", "locks")) locks<Locks>(request);
  if (request.is("shape", "lock_memory")) lock_memory<Locks>(request);
  skip("std::mutex has no program of the shape " + request.text("shape"));
}

}  // namespace

int main(int count, char** arguments) {
  Request request(count, arguments);
  if (request.is("shape", "permits")) permits(request);
  if (request.is("locks", "stripes")) run<Stripes>(request);
  if (request.is("locks", "map")) run<Map>(request);
  refuse("locks is stripes or map, not " + request.text("locks"));
}
