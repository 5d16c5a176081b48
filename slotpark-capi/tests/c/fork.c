/* The child of a fork begins with empty tables; the parent notices nothing. */

#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

static uint32_t word;
static slot_table *own;

static void *wait_own(void *unused) {
    (void)unused;
    CHECK_IS(slot_wait(own, &word, 0, FOR_EVER), 0);
    return NULL;
}

static void *wait_process(void *unused) {
    (void)unused;
    CHECK_IS(slot_futex(&word, 128, 0, 0, NULL, 0), 0);
    return NULL;
}

static void reset(void) {
    CHECK_IS(slot_reset_after_fork(own), 0);
    CHECK_IS(slot_reset_after_fork(slot_table_process()), 0);
}

static void in_the_child(void) {
    CHECK_IS(slot_waiters(own, &word), 0);
    CHECK_IS(slot_waiters(slot_table_process(), &word), 0);
    CHECK_IS(slot_wake(own, &word, SLOT_ALL), 0);
    pthread_t thread;
    CHECK_IS(pthread_create(&thread, NULL, wait_own, NULL), 0);
    until_waiters(own, &word, 1);
    CHECK_IS(slot_wake(own, &word, SLOT_ALL), 1);
    CHECK_IS(pthread_join(thread, NULL), 0);
    /* The parent's calls are no longer counted here. */
    CHECK_IS(slot_table_destroy(own), 0);
    exit(0);
}

int main(void) {
    CHECK_IS(slot_table_create(&own, 64, 0), 0);
    CHECK_IS(pthread_atfork(NULL, NULL, reset), 0);
    pthread_t threads[2];
    CHECK_IS(pthread_create(&threads[0], NULL, wait_own, NULL), 0);
    CHECK_IS(pthread_create(&threads[1], NULL, wait_process, NULL), 0);
    until_waiters(own, &word, 1);
    until_waiters(slot_table_process(), &word, 1);
    for (int child = 0; child < 3; child++) {
        pid_t id = fork();
        CHECK(id >= 0);
        if (id == 0) {
            in_the_child();
        }
        int status = -1;
        CHECK_IS(waitpid(id, &status, 0), id);
        CHECK_IS(status, 0);
    }
    CHECK_IS(slot_wake(own, &word, SLOT_ALL), 1);
    CHECK_IS(slot_futex(&word, 129, 1, 0, NULL, 0), 1);
    CHECK_IS(pthread_join(threads[0], NULL), 0);
    CHECK_IS(pthread_join(threads[1], NULL), 0);
    CHECK_IS(slot_table_destroy(own), 0);
    puts("3 children");
    return 0;
}
