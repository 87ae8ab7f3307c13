/*
 * A vendor's library, loaded with dlopen(): its handle, and its calls as the pointers of a struct
 * that says their types. Only a process that the library may harm opens one: see base/child.h.
 *
 *     static const struct library_call calls[] = {
 *         {"cuInit", offsetof(struct cuda, init), LIBRARY_REQUIRED}, ...
 *     };
 *     enum library_state state =
 *         library_open(&cuda, calls, CALLS, names, NAMES, problem, sizeof problem);
 *
 * It is never closed: some versions crash in their destructors.
 */
#pragma once

#include <stddef.h>

enum library_state {
    LIBRARY_OPEN,
    LIBRARY_MISSING,     /* there is no file of any of the names */
    LIBRARY_UNUSABLE,    /* there is one, and it cannot be loaded or lacks a call */
    LIBRARY_PLACEHOLDER, /* there is one, and it is empty */
};

enum library_need { LIBRARY_REQUIRED, LIBRARY_OPTIONAL };

struct library_call {
    const char *symbols; /* one or more, a blank between; the first that is there is taken */
    size_t offset;       /* of the pointer in the struct */
    enum library_need need;
};

/*
 * Loads the first of the names that is there, as the dynamic linker finds it, and sets the pointers
 * in the struct `value`; those of optional calls that it lacks become NULL. One that is there and
 * unusable is not passed over for the next: a program that loads the library meets the same one.
 * `problem` says what is wrong unless the state is LIBRARY_OPEN.
 */
enum library_state library_open(void *value, const struct library_call *calls, size_t call_count,
                                const char *const *names, size_t name_count, char *problem,
                                size_t size);
