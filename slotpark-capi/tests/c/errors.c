/* What is wrong is said, and nothing is read or lost for it. */

#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <time.h>

enum { WAIT = 0, WAKE = 1, REQUEUE = 3, CMP_REQUEUE = 4, WAIT_BITSET = 9 };
enum { PRIVATE = 128, REALTIME = 256 };

/* The first on a multiple of 8. */
static _Alignas(8) uint32_t words[2];

static long futex(int op, uint32_t val, const slot_timespec *time) {
    return slot_futex(words, op, val, (uintptr_t)time, &words[1], 1);
}

static void structs_are_the_systems(void) {
    _Static_assert(sizeof(slot_waitv_entry) == 24, "struct futex_waitv");
    if (sizeof(time_t) == 8 && sizeof(long) == 8) {
        CHECK_IS(sizeof(struct timespec), sizeof(slot_timespec));
        struct timespec time = {3, 4};
        slot_timespec same;
        memcpy(&same, &time, sizeof same);
        CHECK(same.tv_sec == 3 && same.tv_nsec == 4);
    }
    CHECK_IS(slot_version(), SLOT_VERSION);
    puts("structs");
}

static void null_handles(void) {
    slot_interrupter *interrupter;
    slot_table *table = slot_table_process();
    slot_table_stats stats = {.size = sizeof stats};
    CHECK_IS(slot_wait(NULL, words, 0, FOR_EVER), -EINVAL);
    CHECK_IS(slot_wait8(NULL, (uint8_t *)words, 0, FOR_EVER), -EINVAL);
    CHECK_IS(slot_wait16(NULL, (uint16_t *)words, 0, FOR_EVER), -EINVAL);
    CHECK_IS(slot_wait64(NULL, (uint64_t *)words, 0, FOR_EVER), -EINVAL);
    CHECK_IS(slot_wait_bitset(NULL, words, 0, 1, FOR_EVER), -EINVAL);
    CHECK_IS(slot_wait_until(NULL, words, 0, 1, NULL, 1), -EINVAL);
    CHECK_IS(slot_waitv(NULL, NULL, 1, FOR_EVER), -EINVAL);
    CHECK_IS(slot_wake(NULL, words, 1), -EINVAL);
    CHECK_IS(slot_wake_bitset(NULL, words, 1, 1), -EINVAL);
    CHECK_IS(slot_requeue(NULL, words, words, 1, 1), -EINVAL);
    CHECK_IS(slot_cmp_requeue(NULL, words, 0, words, 1, 1), -EINVAL);
    CHECK_IS(slot_waiters(NULL, words), -EINVAL);
    CHECK_IS(slot_close(NULL), -EINVAL);
    CHECK_IS(slot_drop_range(NULL, words, words), -EINVAL);
    CHECK_IS(slot_stats(NULL, &stats), -EINVAL);
    CHECK_IS(slot_stats(table, NULL), -EINVAL);
    CHECK_IS(slot_futex_on(NULL, words, WAKE | PRIVATE, 1, 0, NULL, 0), -EINVAL);
    CHECK_IS(slot_reset_after_fork(NULL), -EINVAL);
    CHECK_IS(slot_table_destroy(NULL), -EINVAL);
    CHECK_IS(slot_table_create(NULL, 1, 0), -EINVAL);
    CHECK_IS(slot_interrupter_create(NULL), -EINVAL);
    CHECK_IS(slot_interrupter_destroy(NULL), -EINVAL);
    CHECK_IS(slot_interrupter_interrupt(NULL), -EINVAL);
    CHECK_IS(slot_interrupter_clear(NULL), -EINVAL);
    CHECK_IS(slot_wait_interruptible(table, NULL, words, 0, 1, FOR_EVER), -EINVAL);
    CHECK_IS(slot_interrupter_create(&interrupter), 0);
    CHECK_IS(slot_wait_interruptible(NULL, interrupter, words, 0, 1, FOR_EVER), -EINVAL);
    CHECK_IS(slot_interrupter_destroy(interrupter), 0);
    puts("handles");
}

static void tables_that_cannot_be(void) {
    slot_table *table = slot_table_process();
    CHECK_IS(slot_table_create(&table, 0, 0), -EINVAL);
    CHECK(table == NULL);
    CHECK_IS(slot_table_create(&table, ((size_t)1 << 24) + 1, 0), -EINVAL);
    CHECK_IS(slot_table_create(&table, SIZE_MAX, 0), -EINVAL);
    CHECK_IS(slot_table_create(&table, 1, 2), -EINVAL);
    CHECK(table == NULL);
    /* The process-wide table is everybody's. */
    CHECK_IS(slot_close(slot_table_process()), -EINVAL);
    CHECK_IS(slot_table_destroy(slot_table_process()), -EINVAL);
    CHECK_IS(slot_wait(slot_table_process(), words, 0, 0), -ETIMEDOUT);
    puts("tables");
}

static void bad_words_and_times(void) {
    slot_table *table = slot_table_process();
    const uint32_t *odd = (const uint32_t *)((uintptr_t)words + 2);
    const slot_timespec bad[] = {{-1, 0}, {0, -1}, {0, 1000000000}}, past = {0, 0};
    CHECK_IS(slot_wait(table, NULL, 0, FOR_EVER), -EFAULT);
    CHECK_IS(slot_wait(table, odd, 0, FOR_EVER), -EINVAL);
    CHECK_IS(slot_wait_bitset(table, words, 0, 0, FOR_EVER), -EINVAL);
    CHECK_IS(slot_cmp_requeue(table, NULL, 0, words, 1, 1), -EFAULT);
    CHECK_IS(slot_cmp_requeue(table, odd, 0, words, 1, 1), -EINVAL);
    CHECK_IS(slot_wake(table, NULL, 1), 0);
    for (int at = 0; at < 3; at++) {
        /* Before the value is compared. */
        CHECK_IS(slot_wait_until(table, words, 9, 1, &bad[at], 1), -EINVAL);
        CHECK_IS(futex(WAIT | PRIVATE, 9, &bad[at]), -EINVAL);
    }
    CHECK_IS(slot_wait_until(table, words, 0, 1, &past, 2), -EINVAL);
    CHECK_IS(slot_wait_until(table, words, 0, 1, &past, -1), -EINVAL);
    puts("words and times");
}

static void bad_entries(void) {
    slot_table *table = slot_table_process();
    slot_waitv_entry entry = {0, (uintptr_t)words, SLOT_SIZE_U32 | SLOT_PRIVATE, 0};
    CHECK_IS(slot_waitv(table, NULL, 1, 0), -EINVAL);
    CHECK_IS(slot_waitv(table, &entry, 0, 0), -EINVAL);
    CHECK_IS(slot_waitv(table, &entry, 129, 0), -EINVAL);
    CHECK_IS(slot_waitv(table, &entry, UINT32_MAX, 0), -EINVAL);
    CHECK_IS(slot_waitv(table, &entry, 1, 0), -ETIMEDOUT);
    const slot_waitv_entry bad[] = {
        {0, entry.uaddr, 4, 0},
        {0, entry.uaddr, SLOT_SIZE_U32 | 256, 0},
        {0, entry.uaddr, SLOT_SIZE_U32, 1},
        {UINT64_C(1) << 32, entry.uaddr, SLOT_SIZE_U32, 0},
        {256, entry.uaddr, SLOT_SIZE_U8, 0},
        {65536, entry.uaddr, SLOT_SIZE_U16, 0},
        {0, entry.uaddr + 1, SLOT_SIZE_U16, 0},
        {0, entry.uaddr + 4, SLOT_SIZE_U64, 0},
    };
    for (size_t at = 0; at < sizeof bad / sizeof bad[0]; at++) {
        CHECK_IS(slot_waitv(table, &bad[at], 1, FOR_EVER), -EINVAL);
    }
    entry.uaddr = 0;
    CHECK_IS(slot_waitv(table, &entry, 1, FOR_EVER), -EFAULT);
    puts("entries");
}

static void the_kernels_answers(void) {
    const slot_timespec past = {0, 0};
    CHECK_IS(futex(WAIT, 0, &past), -ENOSYS);
    CHECK_IS(futex(WAKE, 1, NULL), -ENOSYS);
    CHECK_IS(futex(WAIT | PRIVATE, 0, &past), -ETIMEDOUT);
    CHECK_IS(futex(WAIT | PRIVATE, 9, NULL), -EAGAIN);
    CHECK_IS(futex(WAIT | PRIVATE | REALTIME, 0, &past), -ENOSYS);
    CHECK_IS(futex(WAIT_BITSET | PRIVATE | REALTIME, 0, &past), -ETIMEDOUT);
    CHECK_IS(futex(WAKE | PRIVATE, 1, NULL), 0);
    CHECK_IS(futex(REQUEUE | PRIVATE, (uint32_t)-1, NULL), -EINVAL);
    CHECK_IS(futex(CMP_REQUEUE | PRIVATE, 1, NULL), -EAGAIN);
    CHECK_IS(futex(99 | PRIVATE, 0, NULL), -ENOSYS);
    CHECK_IS(slot_futex(NULL, WAIT | PRIVATE, 0, 0, NULL, 0), -EFAULT);
    const unsigned flags = SLOT_SIZE_U32 | SLOT_PRIVATE;
    CHECK_IS(slot_futex2_wake(words, 1, 1, flags), 0);
    CHECK_IS(slot_futex2_wake(words, 0, 1, flags), -EINVAL);
    CHECK_IS(slot_futex2_wake(words, 1, 1, SLOT_SIZE_U64 | SLOT_PRIVATE), -EINVAL);
    CHECK_IS(slot_futex2_wake(words, 1, 1, SLOT_SIZE_U32), -ENOSYS);
    CHECK_IS(slot_futex2_wait(words, 9, 1, flags, NULL, 77), -EAGAIN);
    CHECK_IS(slot_futex2_wait(words, 0, 1, flags, &past, 77), -EINVAL);
    CHECK_IS(slot_futex2_wait(words, 0, 1, flags, &past, 1), -ETIMEDOUT);
    slot_waitv_entry two[] = {
        {0, (uintptr_t)&words[0], flags, 0},
        {0, (uintptr_t)&words[1], flags, 0},
    };
    CHECK_IS(slot_futex2_requeue(two, 0, 1, 1), 0);
    CHECK_IS(slot_futex2_requeue(two, 1, 1, 1), -EINVAL);
    CHECK_IS(slot_futex2_requeue(NULL, 0, 1, 1), -EINVAL);
    CHECK_IS(slot_futex_waitv(two, 2, 0, &past, 1), -ETIMEDOUT);
    CHECK_IS(slot_futex_waitv(two, 2, 1, &past, 1), -EINVAL);
    CHECK_IS(slot_futex_waitv(NULL, 2, 0, NULL, 1), -EINVAL);
    puts("the kernel's answers");
}

static void shared_calls_of_a_table(void) {
    slot_table *strict, *lenient;
    CHECK_IS(slot_table_create(&strict, 1, 0), 0);
    CHECK_IS(slot_table_create(&lenient, 1, SLOT_SHARED_AS_PRIVATE), 0);
    CHECK_IS(slot_futex_on(strict, words, WAKE, 1, 0, NULL, 0), -ENOSYS);
    CHECK_IS(slot_futex_on(strict, words, WAKE | PRIVATE, 1, 0, NULL, 0), 0);
    CHECK_IS(slot_futex_on(lenient, words, WAKE, 1, 0, NULL, 0), 0);
    CHECK_IS(slot_futex_on(lenient, words, WAIT, 9, 0, NULL, 0), -EAGAIN);
    CHECK_IS(slot_table_destroy(strict), 0);
    CHECK_IS(slot_table_destroy(lenient), 0);
    puts("shared calls");
}

int main(void) {
    structs_are_the_systems();
    null_handles();
    tables_that_cannot_be();
    bad_words_and_times();
    bad_entries();
    the_kernels_answers();
    shared_calls_of_a_table();
    return 0;
}
