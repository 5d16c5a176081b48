/* A table for whose slots there is no memory is refused, and nothing is broken by that. */

#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <sys/resource.h>

int main(void) {
    const struct rlimit little = {(rlim_t)256 << 20, (rlim_t)256 << 20};
    CHECK_IS(setrlimit(RLIMIT_AS, &little), 0);
    slot_table *table = slot_table_process();
    /* A gigabyte of slots. */
    CHECK_IS(slot_table_create(&table, (size_t)1 << 24, 0), -ENOMEM);
    CHECK(table == NULL);
    CHECK_IS(slot_table_create(&table, 512, 0), 0);
    CHECK_IS(slot_table_destroy(table), 0);
    puts("refused");
    return 0;
}
