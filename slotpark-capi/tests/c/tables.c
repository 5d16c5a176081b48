/* Everything that a table can do, with threads that wait in it. */

#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <time.h>

/* A thread in its one wait. */
typedef struct {
    pthread_t thread;
    slot_table *table;
    slot_interrupter *interrupter;
    const uint32_t *word;
    uint32_t bits;
    int result;
} waiter;

static void *run(void *argument) {
    waiter *self = argument;
    if (self->interrupter) {
        self->result = slot_wait_interruptible(self->table, self->interrupter, self->word, 0,
                                               self->bits, FOR_EVER);
    } else {
        self->result = slot_wait_bitset(self->table, self->word, 0, self->bits, FOR_EVER);
    }
    return NULL;
}

/* Starts a thread, and returns when it waits. */
static void start(waiter *self) {
    long others = slot_waiters(self->table, self->word);
    CHECK_IS(pthread_create(&self->thread, NULL, run, self), 0);
    until_waiters(self->table, self->word, others + 1);
}

static int result(waiter *self) {
    CHECK_IS(pthread_join(self->thread, NULL), 0);
    return self->result;
}

static void wakes_go_by_order_and_bits(slot_table *table) {
    static const uint32_t word;
    waiter all[4];
    for (int at = 0; at < 4; at++) {
        all[at] = (waiter){.table = table, .word = &word, .bits = at == 1 ? 2 : 1};
        start(&all[at]);
    }
    CHECK_IS(slot_wake(table, &word, 0), 0);
    CHECK_IS(slot_wake_bitset(table, &word, SLOT_ALL, 4), 0);
    CHECK_IS(slot_wake_bitset(table, &word, 0, 0), -EINVAL);
    CHECK_IS(slot_wake(table, &word, 1), 1);
    CHECK_IS(result(&all[0]), 0);
    CHECK_IS(slot_wake_bitset(table, &word, SLOT_ALL, 1), 2);
    CHECK_IS(result(&all[2]), 0);
    CHECK_IS(result(&all[3]), 0);
    CHECK_IS(slot_waiters(table, &word), 1);
    CHECK_IS(slot_wake(table, &word, SLOT_ALL), 1);
    CHECK_IS(result(&all[1]), 0);
    puts("wakes");
}

static void requeues_move(slot_table *table) {
    static const uint32_t from, to;
    waiter all[3];
    for (int at = 0; at < 3; at++) {
        all[at] = (waiter){.table = table, .word = &from, .bits = ALL_BITS};
        start(&all[at]);
    }
    CHECK_IS(slot_cmp_requeue(table, &from, 1, &to, 1, SLOT_ALL), -EAGAIN);
    CHECK_IS(slot_cmp_requeue(table, &from, 0, &to, 1, 1), 2);
    CHECK_IS(result(&all[0]), 0);
    CHECK_IS(slot_waiters(table, &from), 1);
    CHECK_IS(slot_waiters(table, &to), 1);
    CHECK_IS(slot_requeue(table, &from, &to, 0, SLOT_ALL), 1);
    CHECK_IS(slot_wake(table, &from, SLOT_ALL), 0);
    CHECK_IS(slot_wake(table, &to, 1), 1);
    CHECK_IS(result(&all[1]), 0);
    CHECK_IS(slot_wake(table, &to, 1), 1);
    CHECK_IS(result(&all[2]), 0);
    puts("requeues");
}

static void times_pass(slot_table *table) {
    static const uint8_t byte;
    static const uint16_t half;
    static const uint32_t word;
    static const uint64_t twice;
    const slot_timespec past = {0, 1}, never = {INT64_MAX, 0};
    CHECK_IS(slot_wait8(table, &byte, 0, 1000), -ETIMEDOUT);
    CHECK_IS(slot_wait16(table, &half, 0, 1000), -ETIMEDOUT);
    CHECK_IS(slot_wait(table, &word, 0, 1000), -ETIMEDOUT);
    CHECK_IS(slot_wait64(table, &twice, 0, 1000), -ETIMEDOUT);
    CHECK_IS(slot_wait(table, &word, 0, 0), -ETIMEDOUT);
    CHECK_IS(slot_wait(table, &word, 1, 0), -EAGAIN);
    CHECK_IS(slot_wait(table, &word, 1, FOR_EVER), -EAGAIN);
    CHECK_IS(slot_wait64(table, &twice, UINT64_C(1) << 40, FOR_EVER), -EAGAIN);
    const int clocks[] = {SLOT_CLOCK_REALTIME, SLOT_CLOCK_MONOTONIC};
    for (int at = 0; at < 2; at++) {
        CHECK_IS(slot_wait_until(table, &word, 0, ALL_BITS, &past, clocks[at]), -ETIMEDOUT);
        CHECK_IS(slot_wait_until(table, &word, 1, ALL_BITS, &never, clocks[at]), -EAGAIN);
    }
    /* Without a time there is no clock to look at. */
    CHECK_IS(slot_wait_until(table, &word, 1, ALL_BITS, NULL, 77), -EAGAIN);
    puts("times");
}

static void one_thread_is_interrupted(slot_table *table) {
    static const uint32_t word;
    slot_interrupter *interrupter;
    CHECK_IS(slot_interrupter_create(&interrupter), 0);
    waiter self = {.table = table, .interrupter = interrupter, .word = &word, .bits = ALL_BITS};
    start(&self);
    CHECK_IS(slot_interrupter_destroy(interrupter), -EBUSY);
    CHECK_IS(slot_wait_interruptible(table, interrupter, &word, 0, 1, FOR_EVER), -EBUSY);
    CHECK_IS(slot_interrupter_interrupt(interrupter), 1);
    CHECK_IS(result(&self), -EINTR);
    CHECK_IS(slot_interrupter_interrupt(interrupter), 0);
    CHECK_IS(slot_wait_interruptible(table, interrupter, &word, 0, 1, FOR_EVER), -EINTR);
    CHECK_IS(slot_interrupter_interrupt(interrupter), 0);
    CHECK_IS(slot_interrupter_clear(interrupter), 1);
    CHECK_IS(slot_interrupter_clear(interrupter), 0);
    CHECK_IS(slot_wait_interruptible(table, interrupter, &word, 0, 1, 1000), -ETIMEDOUT);
    CHECK_IS(slot_interrupter_destroy(interrupter), 0);
    puts("interrupts");
}

typedef struct {
    slot_table *table;
    slot_waitv_entry entries[3];
    long result;
} several;

static void *run_several(void *argument) {
    several *self = argument;
    self->result = slot_waitv(self->table, self->entries, 3, FOR_EVER);
    return NULL;
}

static void several_words_are_one_wait(slot_table *table) {
    static const uint32_t first;
    static const uint64_t second = UINT64_C(1) << 40;
    static const uint8_t third = 7;
    several self = {
        .table = table,
        .entries =
            {
                {0, (uintptr_t)&first, SLOT_SIZE_U32, 0},
                {second, (uintptr_t)&second, SLOT_SIZE_U64 | SLOT_PRIVATE, 0},
                {7, (uintptr_t)&third, SLOT_SIZE_U8, 0},
            },
    };
    pthread_t thread;
    CHECK_IS(pthread_create(&thread, NULL, run_several, &self), 0);
    until_waiters(table, &third, 1);
    CHECK_IS(slot_wake(table, &second, SLOT_ALL), 1);
    CHECK_IS(pthread_join(thread, NULL), 0);
    CHECK_IS(self.result, 1);
    CHECK_IS(slot_waiters(table, &first), 0);
    self.entries[2].val = 8;
    CHECK_IS(slot_waitv(table, self.entries, 3, FOR_EVER), -EAGAIN);
    CHECK_IS(slot_waitv(table, self.entries, 2, 1000), -ETIMEDOUT);
    puts("several words");
}

static void memory_goes(slot_table *table) {
    uint32_t *words = calloc(4, sizeof *words);
    CHECK(words);
    static const uint32_t elsewhere;
    waiter gone = {.table = table, .word = &words[1], .bits = ALL_BITS};
    waiter behind = {.table = table, .word = &words[2], .bits = ALL_BITS};
    waiter stays = {.table = table, .word = &elsewhere, .bits = ALL_BITS};
    start(&gone);
    start(&behind);
    start(&stays);
    CHECK_IS(slot_drop_range(table, words, &words[2]), 1);
    CHECK_IS(result(&gone), -ECANCELED);
    CHECK_IS(slot_drop_range(table, words, &words[4]), 1);
    CHECK_IS(result(&behind), -ECANCELED);
    CHECK_IS(slot_drop_range(table, words, &words[4]), 0);
    CHECK_IS(slot_wait(table, words, 0, 0), -ETIMEDOUT);
    free(words);
    CHECK_IS(slot_wake(table, &elsewhere, 1), 1);
    CHECK_IS(result(&stays), 0);
    puts("memory");
}

static void counts_are_told(slot_table *table) {
    slot_table_stats stats = {.size = sizeof stats};
    CHECK_IS(slot_stats(table, &stats), 0);
    CHECK_IS(stats.size, sizeof stats);
    CHECK_IS(stats.slots, 64);
    CHECK_IS(stats.memory_bytes, 64 * 64);
    CHECK_IS(stats.is_closed, 0);
    CHECK(stats.parks >= 10 && stats.wakes >= 8 && stats.requeues == 2);
    CHECK(stats.timeouts + stats.cancels > 0);
    puts("counts");
}

static void tables_end(slot_table *table) {
    static const uint32_t word;
    waiter self = {.table = table, .word = &word, .bits = ALL_BITS};
    start(&self);
    CHECK_IS(slot_table_destroy(table), -EBUSY);
    CHECK_IS(slot_close(table), 1);
    CHECK_IS(result(&self), -ECANCELED);
    CHECK_IS(slot_close(table), 0);
    CHECK_IS(slot_wait(table, &word, 0, FOR_EVER), -ECANCELED);
    CHECK_IS(slot_wait(table, &word, 1, FOR_EVER), -EAGAIN);
    /* By the kernel's numbers a wait of a closed table says what every program knows. */
    CHECK_IS(slot_futex_on(table, (uint32_t *)&word, 128, 0, 0, NULL, 0), -EAGAIN);
    slot_table_stats stats = {.size = sizeof stats};
    CHECK_IS(slot_stats(table, &stats), 0);
    CHECK_IS(stats.is_closed, 1);
    CHECK_IS(slot_table_destroy(table), 0);
    puts("ends");
}

int main(void) {
    slot_table *table;
    CHECK_IS(slot_table_create(&table, 50, 0), 0);
    wakes_go_by_order_and_bits(table);
    requeues_move(table);
    times_pass(table);
    one_thread_is_interrupted(table);
    several_words_are_one_wait(table);
    memory_goes(table);
    counts_are_told(table);
    tables_end(table);
    return 0;
}
