// A mutex of three states on a word, and a condition to wait for, in C++: std::lock_guard and
// std::thread on slot_futex and a table.

#include "slotpark.h"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace {

#define CHECK(condition)                                                                   \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);   \
            std::exit(1);                                                                  \
        }                                                                                  \
    } while (0)

constexpr int wait_private = 128;
constexpr int wake_private = 129;

std::uint32_t *address(std::atomic<std::uint32_t> &word) {
    static_assert(sizeof word == sizeof(std::uint32_t) && std::atomic<std::uint32_t>::is_always_lock_free);
    return reinterpret_cast<std::uint32_t *>(&word);
}

// 0 free, 1 held, 2 held and perhaps awaited.
class futex_mutex {
  public:
    void lock() {
        std::uint32_t seen = 0;
        if (word.compare_exchange_strong(seen, 1)) {
            return;
        }
        if (seen != 2) {
            seen = word.exchange(2);
        }
        while (seen != 0) {
            long waited = slot_futex(address(word), wait_private, 2, 0, nullptr, 0);
            CHECK(waited == 0 || waited == -EAGAIN || waited == -EINTR);
            seen = word.exchange(2);
        }
    }

    void unlock() {
        if (word.exchange(0) == 2) {
            long woken = slot_futex(address(word), wake_private, 1, 0, nullptr, 0);
            CHECK(woken == 0 || woken == 1);
        }
    }

  private:
    std::atomic<std::uint32_t> word{0};
};

struct destroy {
    void operator()(slot_table *table) const { CHECK(slot_table_destroy(table) == 0); }
};
using owned_table = std::unique_ptr<slot_table, destroy>;

void a_mutex_excludes() {
    constexpr int threads = 4, rounds = 20000;
    futex_mutex mutex;
    long count = 0;
    std::vector<std::thread> all;
    for (int at = 0; at < threads; at++) {
        all.emplace_back([&] {
            for (int round = 0; round < rounds; round++) {
                std::lock_guard<futex_mutex> guard(mutex);
                count += 1;
            }
        });
    }
    for (auto &thread : all) {
        thread.join();
    }
    CHECK(count == long{threads} * rounds);
    std::puts("mutex");
}

void a_gate_opens() {
    slot_table *made = nullptr;
    CHECK(slot_table_create(&made, 64, 0) == 0);
    owned_table table(made);
    std::atomic<std::uint32_t> gate{0};
    std::vector<std::thread> all;
    for (int at = 0; at < 3; at++) {
        all.emplace_back([&] {
            while (gate.load() == 0) {
                int waited = slot_wait(table.get(), address(gate), 0, -1);
                CHECK(waited == 0 || waited == -EAGAIN || waited == -EINTR);
            }
        });
    }
    while (slot_waiters(table.get(), &gate) != 3) {
        std::this_thread::yield();
    }
    gate.store(1);
    CHECK(slot_wake(table.get(), &gate, SLOT_ALL) == 3);
    for (auto &thread : all) {
        thread.join();
    }
    std::puts("gate");
}

} // namespace

int main() {
    a_mutex_excludes();
    a_gate_opens();
}
