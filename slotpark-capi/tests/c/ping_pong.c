/* Two threads wait for each other's turn by slot_futex, as they would by syscall(SYS_futex). */

#include "check.h"

#include <stdatomic.h>

enum { WAIT_PRIVATE = 128, WAKE_PRIVATE = 129, ROUNDS = 5000 };

static _Atomic uint32_t turn;
static uint32_t *const word = (uint32_t *)&turn;

static void play(uint32_t mine) {
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t seen;
        while ((seen = atomic_load(&turn)) != mine) {
            long waited = slot_futex(word, WAIT_PRIVATE, seen, 0, NULL, 0);
            CHECK(waited == 0 || waited == -EAGAIN || waited == -EINTR);
        }
        atomic_store(&turn, !mine);
        long woken = slot_futex(word, WAKE_PRIVATE, 1, 0, NULL, 0);
        CHECK(woken == 0 || woken == 1);
    }
}

static void *other(void *unused) {
    (void)unused;
    play(1);
    return NULL;
}

int main(void) {
    pthread_t thread;
    CHECK_IS(pthread_create(&thread, NULL, other, NULL), 0);
    play(0);
    CHECK_IS(pthread_join(thread, NULL), 0);
    CHECK_IS(slot_waiters(slot_table_process(), word), 0);
    printf("%d rounds\n", ROUNDS);
    return 0;
}
