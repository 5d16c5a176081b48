/* What the programs share: a check that says where it failed, and words that threads change. */

#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "slotpark.h"

#define CHECK(condition)                                                                   \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);        \
            exit(1);                                                                       \
        }                                                                                  \
    } while (0)

#define CHECK_IS(value, expected)                                                          \
    do {                                                                                   \
        long is_ = (long)(value), wanted_ = (long)(expected);                              \
        if (is_ != wanted_) {                                                              \
            fprintf(stderr, "%s:%d: %s is %ld, not %ld\n", __FILE__, __LINE__, #value,     \
                    is_, wanted_);                                                         \
            exit(1);                                                                       \
        }                                                                                  \
    } while (0)

#define FOR_EVER (-1)
#define ALL_BITS UINT32_MAX

/* Nobody sleeps in these programs: that a thread waits is known from the table. */
static inline void until_waiters(const slot_table *table, const void *address, long count) {
    while (slot_waiters(table, address) != count) {
        sched_yield();
    }
}

#endif
