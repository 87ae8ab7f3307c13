#include "gpu/turn.h"

#include "base/proc.h"
#include "base/scope.h"
#include "gpu/abstract.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURN_NAME "conda-gpu/turn/"

enum { NAME_SIZE = 108 };

/* Nobody comes so far; a name with such a number would leave none for those who come later. */
#define LAST_NUMBER (ULONG_MAX / 2)

/* A name of the table that is about a turn. */
struct entry {
    unsigned long number, wanted;
    const char *uuid; /* "" for the place itself */
    size_t uuid_length;
};

/* Reads what follows TURN_NAME; false where that is no turn. */
static bool read_entry(const char *name, size_t length, struct entry *entry)
{
    const char *end = name + length;
    char *at;

    *entry = (struct entry){.uuid = ""};
    entry->number = strtoul(name, &at, 10);
    if (!entry->number || entry->number > LAST_NUMBER)
        return false;
    if (at == end)
        return true;
    if (*at != '/')
        return false;
    entry->wanted = strtoul(at + 1, &at, 10);
    entry->uuid = at + 1;
    entry->uuid_length = at < end ? (size_t)(end - at - 1) : 0;
    return *at == '/';
}

/* Calls `see` for each entry of the table. */
static void walk(const struct strbuf *table, void (*see)(const struct entry *entry, void *data),
                 void *data)
{
    const char *at = strbuf_text(table), *name;
    struct entry entry;
    size_t length;

    while ((name = abstract_next(&at, TURN_NAME, &length)))
        if (read_entry(name, length, &entry))
            see(&entry, data);
}

static void see_last(const struct entry *entry, void *data)
{
    unsigned long *last = data;

    if (entry->number > *last)
        *last = entry->number;
}

/* A place behind the last one. Somebody who joins at the same time may get it first. */
static int take_place(struct turn *turn)
{
    scope(strbuf_release) struct strbuf table = STRBUF_INIT;
    unsigned long last = 0;

    if (abstract_read_table(&table) < 0)
        return -1;
    walk(&table, see_last, &last);
    for (;;) {
        char name[NAME_SIZE];
        snprintf(name, sizeof name, TURN_NAME "%lu", ++last);
        turn->sockets[0] = abstract_listen(name);
        if (turn->sockets[0] >= 0) {
            turn->number = last;
            return 0;
        }
        if (errno != EADDRINUSE)
            return -1;
    }
}

int turn_join(struct turn *turn, const char *const *uuids, size_t count, size_t wanted)
{
    scope(turn_release) struct turn joining = {
        .uuids = uuids, .count = count, .sockets = calloc(count + 1, sizeof(int))};

    if (!joining.sockets)
        return -1;
    for (size_t i = 0; i <= count; i++)
        joining.sockets[i] = -1;
    if (take_place(&joining) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        char name[NAME_SIZE];
        snprintf(name, sizeof name, TURN_NAME "%lu/%zu/%s", joining.number, wanted, uuids[i]);
        joining.sockets[i + 1] = abstract_listen(name);
        if (joining.sockets[i + 1] < 0)
            return -1;
    }
    *turn = take(&joining);
    return 0;
}

/* One of those who came earlier and would take one of our cards; number 0: none. */
struct earlier {
    unsigned long number;
    size_t wanted, cards;
};

struct search {
    const struct turn *turn;
    unsigned long after, before; /* the numbers between these two */
    struct earlier nearest, first;
};

static bool wants(const struct turn *turn, const struct entry *entry)
{
    for (size_t i = 0; i < turn->count; i++)
        if (strlen(turn->uuids[i]) == entry->uuid_length &&
            memcmp(turn->uuids[i], entry->uuid, entry->uuid_length) == 0)
            return true;
    return false;
}

static void count_card(struct earlier *earlier, const struct entry *entry, bool better)
{
    if (better)
        *earlier = (struct earlier){entry->number, entry->wanted, 0};
    if (earlier->number == entry->number)
        earlier->cards++;
}

static void see_before(const struct entry *entry, void *data)
{
    struct search *search = data;

    if (entry->number >= search->before || entry->number <= search->after || !entry->uuid_length ||
        !wants(search->turn, entry))
        return;
    count_card(&search->nearest, entry, entry->number > search->nearest.number);
    count_card(&search->first, entry,
               !search->first.number || entry->number < search->first.number);
}

/* Nobody can wait for more of our cards than it names, whatever it says. */
static size_t wanted_by(const struct search *search, const struct earlier *earlier)
{
    size_t cards = earlier->cards < search->turn->count ? earlier->cards : search->turn->count;

    return earlier->wanted < cards ? earlier->wanted : cards;
}

static void let_go(struct turn_before *before)
{
    if (before->number)
        close_fd(&before->watch);
    *before = (struct turn_before){.watch = -1};
}

/* 1: somebody listens there; 0: nobody does; -1 with errno. */
static int watch_place(unsigned long number, struct turn_before *before)
{
    struct ucred listener = {.uid = NO_USER};
    char name[NAME_SIZE];

    if (number == before->number && before->watch >= 0)
        return 1;
    let_go(before);
    snprintf(name, sizeof name, TURN_NAME "%lu", number);
    scope(close_fd) int watch = abstract_watch(name);
    if (watch < 0 && errno == ECONNREFUSED)
        return 0;
    if (watch < 0 && errno != EAGAIN)
        return -1;
    if (watch >= 0 && abstract_listener(watch, &listener) < 0)
        return -1;
    *before = (struct turn_before){
        .number = number, .watch = take_fd(&watch), .user = listener.uid, .process = listener.pid};
    return 1;
}

int turn_find_before(const struct turn *turn, unsigned long skip, struct turn_before *before)
{
    scope(strbuf_release) struct strbuf table = STRBUF_INIT;
    struct search search = {.turn = turn, .after = skip, .before = turn->number};
    int found = 0;

    if (abstract_read_table(&table) < 0)
        return -1;
    do {
        search.nearest = search.first = (struct earlier){0};
        walk(&table, see_before, &search);
        if (!search.nearest.number)
            return let_go(before), 0;
        found = watch_place(search.nearest.number, before);
        search.before = search.nearest.number; /* if it went while we looked */
    } while (found == 0);
    before->wanted = wanted_by(&search, &search.nearest);
    before->first = search.first.number;
    before->first_wanted = wanted_by(&search, &search.first);
    return found;
}

bool turn_is_there(unsigned long number)
{
    char name[NAME_SIZE];

    snprintf(name, sizeof name, TURN_NAME "%lu", number);
    scope(close_fd) int watch = abstract_watch(name);
    return watch >= 0 || errno != ECONNREFUSED;
}

void turn_release(struct turn *turn)
{
    for (size_t i = 0; turn->sockets && i <= turn->count; i++)
        close_fd(&turn->sockets[i]);
    free(turn->sockets);
    *turn = (struct turn){0};
}
