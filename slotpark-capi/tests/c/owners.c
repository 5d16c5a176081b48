/* A lock that is handed over: by its owner, and by the end of a thread that did not unlock. */

#define _GNU_SOURCE
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

enum { PRIVATE = 128, LOCK_PI = 6 | PRIVATE, UNLOCK_PI = 7 | PRIVATE, TRYLOCK_PI = 8 | PRIVATE };
#define WAITERS 0x80000000u
#define OWNER_DIED 0x40000000u
#define OWNER 0x3fffffffu

static _Atomic uint32_t word;

static long call(int op) {
    return slot_futex((uint32_t *)&word, op, 0, 0, NULL, 0);
}

static uint32_t self(void) {
    return (uint32_t)syscall(SYS_gettid);
}

static void until_contended(void) {
    while ((atomic_load(&word) & WAITERS) == 0) {
        sched_yield();
    }
}

static void *lock_and_unlock(void *out) {
    CHECK_IS(call(LOCK_PI), 0);
    uint32_t locked = atomic_load(&word);
    CHECK_IS(locked & OWNER, self());
    *(uint32_t *)out = locked;
    CHECK_IS(call(UNLOCK_PI), 0);
    return NULL;
}

/* Ends without unlocking, once somebody waits. */
static void *lock_and_end(void *out) {
    CHECK_IS(call(LOCK_PI), 0);
    atomic_store((_Atomic uint32_t *)out, self());
    until_contended();
    return NULL;
}

int main(void) {
    CHECK_IS(call(LOCK_PI), 0);
    CHECK_IS(call(LOCK_PI), -EDEADLK);
    pthread_t locker;
    uint32_t locked = 0;
    CHECK_IS(pthread_create(&locker, NULL, lock_and_unlock, &locked), 0);
    until_contended();
    CHECK_IS(call(UNLOCK_PI), 0);
    CHECK_IS(pthread_join(locker, NULL), 0);
    CHECK_IS(locked & OWNER_DIED, 0);
    CHECK_IS(call(UNLOCK_PI), -EPERM);
    puts("handed over");

    pthread_t owner;
    _Atomic uint32_t owner_tid = 0;
    CHECK_IS(pthread_create(&owner, NULL, lock_and_end, &owner_tid), 0);
    while (atomic_load(&owner_tid) == 0) {
        sched_yield();
    }
    CHECK_IS(pthread_create(&locker, NULL, lock_and_unlock, &locked), 0);
    CHECK_IS(pthread_join(owner, NULL), 0);
    CHECK_IS(slot_thread_exited(slot_table_process(), atomic_load(&owner_tid)), 1);
    CHECK_IS(pthread_join(locker, NULL), 0);
    CHECK_IS(locked & OWNER_DIED, OWNER_DIED);
    puts("left behind");

    atomic_store(&word, atomic_load(&owner_tid));
    CHECK_IS(call(TRYLOCK_PI), -ESRCH);
    CHECK_IS(slot_thread_exited(NULL, 1), -EINVAL);
    return 0;
}
