/* slotpark: threads wait on the addresses of words, in a fixed table. The C ABI.
 *
 * Made from slotpark-capi/src by `cargo xtask header`; changes belong there.
 *
 * Results are 0 or a count, or a failure as a negative number of Linux's errno.h; errno itself is
 * not touched. A call with a bad argument, also a NULL handle, says -EINVAL.
 *
 * A table, or an interrupter, may be destroyed only after every call on it has returned. That a
 * waiter runs again is not enough: the call that has woken it may still be inside.
 *
 * No function may be called from a signal handler. None unwinds: what cannot be answered ends the
 * process with a message. Only the functions named create allocate.
 */

#ifndef SLOTPARK_H
#define SLOTPARK_H

#include <stddef.h>
#include <stdint.h>

/**
 * The version of this header: 0x00MMmmpp for MM.mm.pp. See `slot_version`.
 */
#define SLOT_VERSION 256

/**
 * All waiters: as a count of `slot_wake`, `slot_requeue` and their kin.
 */
#define SLOT_ALL UINT32_MAX

/**
 * For `slot_table_create`: `slot_futex_on` answers calls without `FUTEX_PRIVATE_FLAG` like private
 * ones. Right if no other process maps the words.
 */
#define SLOT_SHARED_AS_PRIVATE 1

/**
 * The wall clock, which may be set: Linux's `CLOCK_REALTIME`.
 */
#define SLOT_CLOCK_REALTIME 0

/**
 * The clock that is never set: Linux's `CLOCK_MONOTONIC`.
 */
#define SLOT_CLOCK_MONOTONIC 1

/**
 * In the flags of a `slot_waitv_entry`: a word of 8 bits. Only for `slot_waitv`.
 */
#define SLOT_SIZE_U8 0

/**
 * In the flags of a `slot_waitv_entry`: a word of 16 bits. Only for `slot_waitv`.
 */
#define SLOT_SIZE_U16 1

/**
 * In the flags of a `slot_waitv_entry`: a word of 32 bits, `FUTEX2_SIZE_U32`.
 */
#define SLOT_SIZE_U32 2

/**
 * In the flags of a `slot_waitv_entry`: a word of 64 bits. Only for `slot_waitv`.
 */
#define SLOT_SIZE_U64 3

/**
 * In flags of entries and futex2 calls: a word of this process, `FUTEX2_PRIVATE`.
 */
#define SLOT_PRIVATE 128

/**
 * Ends the wait that uses it, from outside, whatever it waits for: one for each thread that can be
 * interrupted. One wait at a time uses it.
 */
typedef struct slot_interrupter slot_interrupter;

/**
 * Where threads wait on the addresses of words: a fixed array of slots. Waits and wakes meet by
 * table and address; two tables never meet.
 */
typedef struct slot_table slot_table;

/**
 * What happened in a table since it was made. Later versions of the library append fields:
 * `slot_stats` fills in only those that the caller's struct has.
 *
 * The counts are sums over the slots, each of which counts up to 2^32 and begins again; they may
 * be of slightly different moments.
 */
typedef struct slot_table_stats {
    /**
     * Set it to `sizeof(slot_table_stats)` before the call. Afterwards: how many bytes are filled
     * in.
     */
    uint64_t size;
    /**
     * The number of slots.
     */
    uint64_t slots;
    /**
     * The bytes of the slots.
     */
    uint64_t memory_bytes;
    /**
     * 1 if the table is closed, else 0.
     */
    uint64_t is_closed;
    /**
     * Waiters linked.
     */
    uint64_t parks;
    /**
     * Waiters woken.
     */
    uint64_t wakes;
    /**
     * Waiters that left because their time was over.
     */
    uint64_t timeouts;
    /**
     * Waiters that left for another reason.
     */
    uint64_t cancels;
    /**
     * Waiters moved to another word.
     */
    uint64_t requeues;
    /**
     * Waiters linked while only waiters of other words were in the slot.
     */
    uint64_t collisions;
} slot_table_stats;

/**
 * A time: `struct timespec` of systems whose `long` and `time_t` have 64 bits, and everywhere
 * `struct __kernel_timespec`.
 */
typedef struct slot_timespec {
    /**
     * Seconds; below 0 is -EINVAL.
     */
    int64_t tv_sec;
    /**
     * Nanoseconds; below 0 or above 999,999,999 is -EINVAL.
     */
    int64_t tv_nsec;
} slot_timespec;

/**
 * A word to wait on, one of several: the kernel's `struct futex_waitv`.
 */
typedef struct slot_waitv_entry {
    /**
     * What the word is expected to hold.
     */
    uint64_t val;
    /**
     * The address of the word.
     */
    uint64_t uaddr;
    /**
     * A size and `SLOT_PRIVATE`.
     */
    uint32_t flags;
    /**
     * 0, or it is -EINVAL.
     */
    uint32_t reserved;
} slot_waitv_entry;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library, as `SLOT_VERSION` is the header's. Libraries of one major version
 * (before 1.0.0, of one minor version) are compatible.
 */
uint32_t slot_version(void);

/**
 * Makes a table of at least `slots` slots of 64 bytes, a power of two up to 2^24; 512 serve
 * thousands of threads. It allocates the slots and a handle, and nothing is allocated later.
 * `flags` is 0 or `SLOT_SHARED_AS_PRIVATE`.
 *
 * Returns 0 and the table in `*table`, or -EINVAL or -ENOMEM and NULL.
 *
 * The caller sees to it:
 * `table` is NULL (which is -EINVAL) or writable.
 */
int slot_table_create(struct slot_table **table, size_t slots, uint32_t flags);

/**
 * The process-wide table: 512 slots that are part of the library, and live as long as the process.
 * `slot_futex` and its kin are on it, and so is what else in the process uses slotpark's.
 *
 * It can be neither destroyed nor closed.
 */
struct slot_table *slot_table_process(void);

/**
 * Destroys a table. Only after every call on it has returned: that a waiter runs again is not
 * enough, for the call that has woken it may still be inside. So: join the threads.
 *
 * Returns 0; or -EBUSY, and nothing is destroyed, if a call is inside; -EINVAL for NULL and for
 * the process-wide table. To end the waits of a table before, `slot_close` it.
 *
 * The caller sees to it:
 * `table` is NULL or a table that is not destroyed, and no call on it begins any more.
 */
int slot_table_destroy(struct slot_table *table);

/**
 * Closes a table: ends all waits with -ECANCELED, now and for ever. No wait that has begun or will
 * begin sleeps after this. By `slot_futex_on` they end with -EAGAIN, which every program knows.
 *
 * Returns how many waits it has ended, which is 0 the next time; -EINVAL for NULL and for the
 * process-wide table.
 *
 * The caller sees to it:
 * `table` is NULL or a table that is not destroyed.
 */
long slot_close(struct slot_table *table);

/**
 * Ends the waits on all words from `start` up to, but without, `end` with -ECANCELED: of memory
 * that goes. Returns how many, or -EINVAL for a NULL table.
 *
 * First change the words, or see to it that nobody begins to wait there; then call: of the waits
 * that race it each is ended, or finds its word changed. Then free the memory. Later waits are not
 * refused, for the memory may come back. Costs a lock for each slot, whoever waits.
 *
 * The caller sees to it:
 * `table` is NULL or a table that is not destroyed. Nothing is read between `start` and `end`.
 */
long slot_drop_range(struct slot_table *table, const void *start, const void *end);

/**
 * Fills in `*stats`, as far as `stats->size` says that it reaches: the caller sets that to
 * `sizeof(slot_table_stats)` first. Afterwards it says how far it is filled in.
 *
 * Returns 0; -EINVAL for NULL, or for a size that has no room for one count.
 *
 * The caller sees to it:
 * `table` is NULL or a table that is not destroyed; `stats` is NULL or as large as it says.
 */
int slot_stats(const struct slot_table *table, struct slot_table_stats *stats);

/**
 * Empties a table in the child of a fork, before it uses it otherwise: who waits there are threads
 * of the parent, which notices nothing. For each table that the child uses, also the process-wide
 * one. Fit for the child's handler of `pthread_atfork`.
 *
 * A closed table stays closed. An interrupter that a wait of the parent uses stays in use; make
 * new ones. Returns 0, or -EINVAL for NULL.
 *
 * The caller sees to it:
 * `table` is NULL or a table that is not destroyed. The caller is the only thread of its process,
 * and in no call on the table: it has not forked from a signal handler that interrupted one.
 */
int slot_reset_after_fork(struct slot_table *table);

/**
 * Sleeps while the word holds `expected`, until woken, or for `timeout_ns` nanoseconds: a negative
 * number is for ever, and with 0 it compares and never sleeps. The comparison and the sleep are
 * one step for every wake that comes after a change of the word.
 *
 * Returns 0 if it was woken, and counted by that wake, and then for no other reason. -EAGAIN if
 * the word holds something else; -ETIMEDOUT; -ECANCELED if the table was closed, or the memory
 * dropped; -EINTR if it was interrupted; -EFAULT for NULL instead of a word; -EINVAL for an
 * address that is no multiple of the word's size, and for a NULL table. As with every futex, look
 * at the word again whatever it returns.
 *
 * The caller sees to it:
 * `table` is NULL or a table that is not destroyed. The word is readable as long as the call
 * lasts, and accessed atomically by others.
 */
int slot_wait(struct slot_table *table,
              const uint32_t *uaddr,
              uint32_t expected,
              int64_t timeout_ns);

/**
 * As `slot_wait`, on a word of 64 bits.
 *
 * The caller sees to it:
 * As `slot_wait`.
 */
int slot_wait64(struct slot_table *table,
                const uint64_t *uaddr,
                uint64_t expected,
                int64_t timeout_ns);

/**
 * As `slot_wait`, on a word of 8 bits.
 *
 * The caller sees to it:
 * As `slot_wait`.
 */
int slot_wait8(struct slot_table *table,
               const uint8_t *uaddr,
               uint8_t expected,
               int64_t timeout_ns);

/**
 * As `slot_wait`, on a word of 16 bits.
 *
 * The caller sees to it:
 * As `slot_wait`.
 */
int slot_wait16(struct slot_table *table,
                const uint16_t *uaddr,
                uint16_t expected,
                int64_t timeout_ns);

/**
 * As `slot_wait`, until a wake whose bits have one in common with `bits`; no bits are -EINVAL.
 *
 * The caller sees to it:
 * As `slot_wait`.
 */
int slot_wait_bitset(struct slot_table *table,
                     const uint32_t *uaddr,
                     uint32_t expected,
                     uint32_t bits,
                     int64_t timeout_ns);

/**
 * As `slot_wait_bitset`, until a point in time on a clock: `SLOT_CLOCK_MONOTONIC` or
 * `SLOT_CLOCK_REALTIME`. With NULL for the time it is for ever, and the clock is not looked at;
 * another clock, or a time that is none, is -EINVAL.
 *
 * The caller sees to it:
 * As `slot_wait`; `deadline` is NULL or readable.
 */
int slot_wait_until(struct slot_table *table,
                    const uint32_t *uaddr,
                    uint32_t expected,
                    uint32_t bits,
                    const struct slot_timespec *deadline,
                    int clockid);

/**
 * As `slot_wait_bitset`, and `slot_interrupter_interrupt` ends it with -EINTR, also one that came
 * before it and that no wait has returned yet. -EBUSY if another wait uses the interrupter,
 * -EINVAL for NULL.
 *
 * The caller sees to it:
 * As `slot_wait`; `interrupter` is NULL or one that is not destroyed.
 */
int slot_wait_interruptible(struct slot_table *table,
                            struct slot_interrupter *interrupter,
                            const uint32_t *uaddr,
                            uint32_t expected,
                            uint32_t bits,
                            int64_t timeout_ns);

/**
 * Sleeps while all of 1 to 128 words hold what their entries say, until one is woken, or for
 * `timeout_ns` nanoseconds, as `slot_wait`. Words may have any size; `SLOT_PRIVATE` in their flags
 * means nothing here.
 *
 * Returns the place of the last entry that was found woken, from 0; every wake of one of the words
 * counts this wait until it has left that word's queue, as by `slot_futex_waitv`. Else as
 * `slot_wait`; -EINVAL also for a number of entries out of range, NULL instead of them, unknown
 * flags, and a value that does not fit its word.
 *
 * The caller sees to it:
 * `table` is NULL or a table that is not destroyed; `entries` is NULL or that of `nr` entries,
 * whose words are as those of `slot_wait`.
 */
long slot_waitv(struct slot_table *table,
                const struct slot_waitv_entry *entries,
                uint32_t nr,
                int64_t timeout_ns);

/**
 * Wakes the first `count` waiters at an address, in the order in which they came; `SLOT_ALL` is
 * all, 0 is nobody. First change the word, then wake. Words of all widths at one address have one
 * queue.
 *
 * Returns how many: exactly those whose waits return 0 because of this. -EINVAL for a NULL table.
 *
 * The caller sees to it:
 * `table` is NULL or a table that is not destroyed. Nothing is read at `address`.
 */
long slot_wake(struct slot_table *table, const void *address, uint32_t count);

/**
 * As `slot_wake`, those whose bits have one in common with `bits`; no bits are -EINVAL.
 *
 * The caller sees to it:
 * As `slot_wake`.
 */
long slot_wake_bitset(struct slot_table *table, const void *address, uint32_t count, uint32_t bits);

/**
 * Wakes the first `wake` waiters at `from`, and moves the next `moves` to `to`, behind those who
 * wait there. `SLOT_ALL` is all, 0 is nobody. Prefer `slot_cmp_requeue`, which cannot race a
 * change of the word.
 *
 * Returns how many it has woken and moved. -EINVAL for a NULL table.
 *
 * The caller sees to it:
 * `table` is NULL or a table that is not destroyed. Nothing is read at the addresses.
 */
long slot_requeue(struct slot_table *table,
                  const void *from,
                  const void *to,
                  uint32_t wake,
                  uint32_t moves);

/**
 * As `slot_requeue`, if the word at `from` still holds `expected`; -EAGAIN if not, -EFAULT for
 * NULL there, -EINVAL for an address that is no multiple of 4.
 *
 * The caller sees to it:
 * As `slot_requeue`, and the word at `from` is readable, and accessed atomically by others.
 */
long slot_cmp_requeue(struct slot_table *table,
                      const uint32_t *from,
                      uint32_t expected,
                      const void *to,
                      uint32_t wake,
                      uint32_t moves);

/**
 * The number of waiters at an address at this moment, exactly. -EINVAL for a NULL table.
 *
 * The caller sees to it:
 * `table` is NULL or a table that is not destroyed. Nothing is read at `address`.
 */
long slot_waiters(const struct slot_table *table, const void *address);

/**
 * Makes an interrupter, which is one allocation.
 *
 * Returns 0 and the interrupter in `*interrupter`, or -EINVAL for NULL, or -ENOMEM and NULL.
 *
 * The caller sees to it:
 * `interrupter` is NULL or writable.
 */
int slot_interrupter_create(struct slot_interrupter **interrupter);

/**
 * Destroys an interrupter: only after every call with it has returned, as for
 * `slot_table_destroy`.
 *
 * Returns 0; or -EBUSY, and nothing is destroyed, if a call with it is inside; -EINVAL for NULL.
 *
 * The caller sees to it:
 * `interrupter` is NULL or one that is not destroyed, and no call with it begins any more.
 */
int slot_interrupter_destroy(struct slot_interrupter *interrupter);

/**
 * Ends the wait that uses this interrupter now with -EINTR, and returns 1. If there is none, or
 * something else has ended it, it returns 0, and the next wait with it returns -EINTR at its
 * start. -EINVAL for NULL.
 *
 * The caller sees to it:
 * `interrupter` is NULL or one that is not destroyed.
 */
int slot_interrupter_interrupt(struct slot_interrupter *interrupter);

/**
 * Forgets an interrupt that no wait has returned yet: 1 if there was one, else 0. -EINVAL for
 * NULL.
 *
 * The caller sees to it:
 * `interrupter` is NULL or one that is not destroyed.
 */
int slot_interrupter_clear(struct slot_interrupter *interrupter);

/**
 * `futex(2)` on the process-wide table: the kernel's arguments and its result; `-errno` on
 * failure.
 *
 * Private operations only: `FUTEX_PRIVATE_FLAG` (128) is set in `op`, or it is -ENOSYS, as for
 * operations that are not known. `timeout_or_val2` is the address of a `slot_timespec` or 0 for
 * waits, and a count where the kernel has one. FUTEX_WAKE of 0 or less wakes one; a requeue takes
 * 0 literally, and refuses what is less.
 *
 * What differs from the kernel: where nothing is mapped, a call that reads there is a SIGSEGV
 * instead of EFAULT, unless the address is NULL; a requeued waiter always stands behind those who
 * wait at the target already; FUTEX_LOCK_PI and its kin hand over in order of arrival and lend no
 * priority, and the end of an owner is told by `slot_thread_exited`.
 *
 * The caller sees to it:
 * The word that the operation reads or changes (that at `uaddr` for waits and FUTEX_CMP_REQUEUE,
 * at `uaddr2` for FUTEX_WAKE_OP) is NULL, or readable, or writable, as long as the call lasts, and
 * accessed atomically by others; the timespec of a wait is readable.
 */
long slot_futex(uint32_t *uaddr,
                int op,
                uint32_t val,
                unsigned long timeout_or_val2,
                uint32_t *uaddr2,
                uint32_t val3);

/**
 * `futex_waitv(2)` on the process-wide table: waits on 1 to 128 words of 32 bits. The timeout is a
 * point in time on the clock 0 or 1, NULL is for ever.
 *
 * Returns the place of the last entry found woken, or `-errno`. Every wake of one of the words
 * counts this wait until it has left that word's queue.
 *
 * The caller sees to it:
 * `waiters` is NULL or that of `nr` entries, whose words are as those of `slot_futex`; `timeout`
 * is NULL or readable.
 */
long slot_futex_waitv(const struct slot_waitv_entry *waiters,
                      unsigned int nr,
                      unsigned int flags,
                      const struct slot_timespec *timeout,
                      int clockid);

/**
 * futex2's `futex_wake` on the process-wide table: wakes up to `nr` waiters with a bit in common
 * with `mask`; 0 wakes none. `flags` is `SLOT_SIZE_U32 | SLOT_PRIVATE`.
 *
 * Returns how many, or `-errno`. It reads nothing at `uaddr`.
 */
long slot_futex2_wake(uint32_t *uaddr, unsigned long mask, int nr, unsigned int flags);

/**
 * futex2's `futex_wait` on the process-wide table: waits while the word is `val`, until a wake
 * with a bit in common with `mask`, or a point in time on the clock 0 or 1; NULL is for ever.
 * `flags` is `SLOT_SIZE_U32 | SLOT_PRIVATE`.
 *
 * Returns 0, or `-errno`.
 *
 * The caller sees to it:
 * The word is as that of `slot_futex`; `timeout` is NULL or readable.
 */
long slot_futex2_wait(uint32_t *uaddr,
                      unsigned long val,
                      unsigned long mask,
                      unsigned int flags,
                      const struct slot_timespec *timeout,
                      int clockid);

/**
 * futex2's `futex_requeue` on the process-wide table: from the first entry's word, if it holds
 * that entry's value, to the second's.
 *
 * Returns how many it has woken and moved, or `-errno`.
 *
 * The caller sees to it:
 * `waiters` is NULL or that of two entries; the first one's word is as that of `slot_futex`.
 */
long slot_futex2_requeue(const struct slot_waitv_entry *waiters,
                         unsigned int flags,
                         int nr_wake,
                         int nr_requeue);

/**
 * As `slot_futex`, on a table; -EINVAL if that is NULL. A table that was made with
 * `SLOT_SHARED_AS_PRIVATE` answers operations without `FUTEX_PRIVATE_FLAG` as private ones.
 *
 * The caller sees to it:
 * As `slot_futex`; `table` is NULL or a table that is not destroyed.
 */
long slot_futex_on(struct slot_table *table,
                   uint32_t *uaddr,
                   int op,
                   uint32_t val,
                   unsigned long timeout_or_val2,
                   uint32_t *uaddr2,
                   uint32_t val3);

/**
 * Tells that the thread `tid` of this process has come to its end without giving back its locks,
 * those of FUTEX_LOCK_PI: each that others wait for on this table is handed over to the first one,
 * with FUTEX_OWNER_DIED set, as the kernel does. Returns how many; -EINVAL for a NULL table.
 *
 * Call it after the thread is joined: who comes for its locks later is told so (-ESRCH) anyhow.
 * Nothing calls it by itself.
 *
 * The caller sees to it:
 * `table` is NULL or a table that is not destroyed.
 */
long slot_thread_exited(struct slot_table *table, uint32_t tid);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SLOTPARK_H */
