/*
 * A vendor's library, loaded with dlopen(): its handle, and its calls as the pointers of a struct
 * that says their types. Only a process that the library may harm opens one: see base/child.h.
 *
 *     static const struct library_call calls[] = {
 *         {"cuInit", offsetof(struct cuda, init), LIBRARY_REQUIRED}, ..., {0}
 *     };
 *     const struct library cuda_library = {.names = names, .calls = calls};
 *     ...
 *     enum library_state state = library_open(&cuda_library, driver, &cuda, problem);
 *
 * It is never closed: some versions crash in their destructors.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { LIBRARY_PROBLEM_SIZE = 480 };

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

struct library {
    const char *const *names; /* where it may be; ends with NULL */
    bool is_beside;           /* beside a driver that the user has named, under the first name */
    const struct library_call *calls; /* ends with {0} */
};

/*
 * Loads the first of the names that is there, as the dynamic linker finds it, and sets the pointers
 * in the struct `value`; those of optional calls that it lacks become NULL. One that is there and
 * unusable is not passed over for the next: a program that loads the library meets the same one.
 * `driver` is the CUDA library that the user has named, or NULL: all libraries must tell of one
 * machine. `problem` says what is wrong unless the state is LIBRARY_OPEN.
 */
enum library_state library_open(const struct library *library, const char *driver, void *value,
                                char problem[LIBRARY_PROBLEM_SIZE]);
