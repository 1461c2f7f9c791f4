/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A task of GNU Mach without a C library: what a program that is started as a
 * boot module, before there is a Hurd, needs to be written in C. The kernel's own
 * calls are in <mach.h>, under the names that they have with glibc.
 *
 * Any thread may call any of it, unless it says otherwise.
 */
#ifndef BARE_H
#define BARE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mach.h>

#include <vnet/types.h>

/*
 * The task (task.c)
 */

/* The program's. The task ends when it returns. */
int main(int argc, char **argv);

/* End this task, with all its threads. */
_Noreturn void bare_exit(void);

/*
 * A further task, with a copy of all the memory of this one, but with no right
 * except those to itself and its special ports (bootstrap, exception), which it
 * has from this one. It calls @fn(@arg) when it is started, and then ends. No
 * thread but the caller may be changing memory meanwhile.
 */
kern_return_t bare_task_fork(mach_port_t *task, void (*fn)(void *), void *arg);
/* Give it a send right that this task has, under the same name: variables that
 * hold the name are right in both. Before it is started. */
kern_return_t bare_task_give(mach_port_t task, mach_port_t right);
kern_return_t bare_task_start(mach_port_t task);
/* Wait for a task to end, any task, and give back the right to it. */
void bare_task_join(mach_port_t task);

/*
 * Threads (thread.c)
 */

struct bare_thread;

/* Run @fn(@arg) on a stack of @stack octets, 0 for 64 KiB, with a page below it
 * that must not be touched. Where @thread is NULL it vanishes when it returns;
 * otherwise bare_thread_join() is to be called. */
kern_return_t bare_thread_create(struct bare_thread **thread, size_t stack,
				 void (*fn)(void *), void *arg);
/* Wait for it to return. Afterwards nothing of it is left, nor any name. */
void bare_thread_join(struct bare_thread *thread);
/* Stop it wherever it is, then join it. Not one that may hold a lock: that of the
 * allocator, for example. */
kern_return_t bare_thread_kill(struct bare_thread *thread);
/* The name of its right. */
mach_port_t bare_thread_port(const struct bare_thread *thread);

/*
 * Waiting (wait.c)
 */

/* Wait while *@word is @value, until bare_wake(), or for @timeout_ms if that is
 * not 0: in steps of the clock, 10 ms. May return early. Return: false if the
 * time was over. */
bool bare_wait(const uint32_t *word, uint32_t value, uint32_t timeout_ms);
/* Wake one of those who wait there, or all. */
void bare_wake(const uint32_t *word, bool all);

/* A lock. Zeroed it is free. */
struct bare_mutex {
	uint32_t word; /* 0 free, 1 held, 2 held and somebody may wait */
};

void bare_mutex_take(struct bare_mutex *l);
void bare_mutex_give(struct bare_mutex *l);

void bare_sleep_ms(uint32_t ms);

/*
 * Time (clock.c)
 */

/* Nanoseconds in steps of 10 ms. They never go back, though the kernel's clock may.
 * A call to the kernel, unless bare_clock_map() has succeeded. */
vnet_nsec bare_now(void);
/* Let bare_now() read the clock from memory; needs a device master. Once, before
 * there are other threads. */
kern_return_t bare_clock_map(mach_port_t device_master);

/* The processor's count of cycles. */
static inline uint64_t
bare_cycles(void)
{
	uint64_t cycles;

	__asm__ volatile("rdtsc" : "=A"(cycles));
	return cycles;
}

/*
 * Memory (memory.c)
 */

/* Of the kernel, and back to it when it is no longer used. */
extern const struct vnet_alloc bare_alloc;

/* Octets that are in use, of those that were asked for. */
size_t bare_memory_used(void);

/*
 * Text (print.c)
 */

/* As in C: %c %d %i %u %x %p %s %%, with l, ll, z, the flags - and 0, a width, and
 * a precision of %s. */
int bare_vsnprintf(char *to, size_t size, const char *format, va_list args);
int bare_snprintf(char *to, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* To the kernel's console: 255 octets at the most, a line of them in one piece. */
void bare_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Arguments (args.c)
 */

/* The value of the first argument that is @key=value, NULL if there is none. */
const char *bare_arg(char *const *argv, const char *key);
/* Is @key there, alone? */
bool bare_arg_is_set(char *const *argv, const char *key);
/* Read a number, decimal or with 0x, up to the end of @s. Return: false if it is
 * none. */
bool bare_parse_number(const char *s, uint32_t *number);
/* The number that is the value of @key, or @otherwise. The names of rights that
 * the kernel's boot script gives are such numbers. */
uint32_t bare_arg_number(char *const *argv, const char *key,
			 uint32_t otherwise);

/*
 * Ports of the machine (io.c)
 */

/* Let this task use @first to @last; needs a device master. */
kern_return_t bare_io_allow(mach_port_t device_master, uint16_t first,
			    uint16_t last);

static inline void
bare_out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t
bare_in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void
bare_out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint16_t
bare_in16(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void
bare_out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint32_t
bare_in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

#endif
