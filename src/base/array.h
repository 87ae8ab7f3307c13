/*
 * A list that grows, {0} when empty: any struct with the members that array_of gives it.
 *
 *     struct numbers array_of(int);
 *     ...
 *     struct numbers numbers = {0};
 *     if (array_add(&numbers, 7) < 0) ... memory ran out; the list is as it was
 *     ...
 *     free(numbers.items);
 */
#pragma once

#include <stddef.h>
#include <stdlib.h>

/* The members of a struct; one with further members has these three written out. `room` may be less
   than `count`, as in a list that was loaded (RECORD_ARRAY): the next item makes room. */
#define array_of(type)                                                                             \
    {                                                                                              \
        type *items;                                                                               \
        size_t count;                                                                              \
        size_t room;                                                                               \
    }

/* Adds a copy of the item, which may also be a compound literal. 0, or -1 if memory ran out; the
   item is not evaluated then, so what it would take() stays where it is. */
#define array_add(list, ...)                                                                       \
    __extension__({                                                                                \
        __typeof__(list) list_ = (list);                                                           \
        __typeof__(list_->items) items_ = list_->items;                                            \
        if (list_->count >= list_->room)                                                           \
            items_ = array_grown_(items_, list_->count, &list_->room, sizeof *items_);             \
        if (items_) {                                                                              \
            items_[list_->count++] = (__VA_ARGS__);                                                \
            list_->items = items_;                                                                 \
        }                                                                                          \
        items_ ? 0 : -1;                                                                           \
    })

static inline void *array_grown_(void *items, size_t count, size_t *room, size_t size)
{
    size_t more = count ? count * 2 : 8;
    void *moved = reallocarray(items, more, size);

    if (moved)
        *room = more;
    return moved;
}
