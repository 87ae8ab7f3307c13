#include "gpu/turn.h"

#include "base/proc.h"
#include "base/scope.h"
#include "gpu/abstract.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define TURN_NAME "conda-gpu/turn/"

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

/* The next entry of a table; moves `at`. */
static bool next_entry(const char **at, struct entry *entry)
{
    const char *name;
    size_t length;

    while ((name = abstract_next(at, TURN_NAME, &length)))
        if (read_entry(name, length, entry))
            return true;
    return false;
}

/* A place behind the last one. Somebody who joins at the same time may get it first. */
static int take_place(struct turn *turn)
{
    scope(strbuf_release) struct strbuf table = STRBUF_INIT;
    struct entry entry;

    if (abstract_read_table(&table) < 0)
        return -1;
    for (const char *at = strbuf_text(&table); next_entry(&at, &entry);)
        if (entry.number > turn->number)
            turn->number = entry.number;
    do
        turn->sockets[0] = abstract_listen(TURN_NAME "%lu", ++turn->number);
    while (turn->sockets[0] < 0 && errno == EADDRINUSE);
    return turn->sockets[0] < 0 ? -1 : 0;
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
        joining.sockets[i + 1] =
            abstract_listen(TURN_NAME "%lu/%zu/%s", joining.number, wanted, uuids[i]);
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

/* The nearest and the first of those with numbers between these two. */
static void find_earlier(const struct turn *turn, const char *table, unsigned long after,
                         unsigned long before, struct earlier *nearest, struct earlier *first)
{
    struct entry entry;

    *nearest = *first = (struct earlier){0};
    while (next_entry(&table, &entry))
        if (entry.number > after && entry.number < before && wants(turn, &entry)) {
            count_card(nearest, &entry, entry.number > nearest->number);
            count_card(first, &entry, !first->number || entry.number < first->number);
        }
}

/* Nobody can wait for more of our cards than it names, whatever it says. */
static size_t wanted_by(const struct turn *turn, const struct earlier *earlier)
{
    size_t cards = earlier->cards < turn->count ? earlier->cards : turn->count;

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

    if (number == before->number && before->watch >= 0)
        return 1;
    let_go(before);
    scope(close_fd) int watch = abstract_watch(TURN_NAME "%lu", number);
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
    struct earlier nearest = {.number = turn->number}, first;
    int found = 0;

    if (abstract_read_table(&table) < 0)
        return -1;
    while (found == 0) { /* again if it went while we looked */
        find_earlier(turn, strbuf_text(&table), skip, nearest.number, &nearest, &first);
        if (!nearest.number)
            return let_go(before), 0;
        found = watch_place(nearest.number, before);
    }
    before->wanted = wanted_by(turn, &nearest);
    before->first = first.number;
    before->first_wanted = wanted_by(turn, &first);
    return found;
}

bool turn_is_there(unsigned long number)
{
    scope(close_fd) int watch = abstract_watch(TURN_NAME "%lu", number);

    return watch >= 0 || errno != ECONNREFUSED;
}

void turn_release(struct turn *turn)
{
    for (size_t i = 0; turn->sockets && i <= turn->count; i++)
        close_fd(&turn->sockets[i]);
    free(turn->sockets);
    *turn = (struct turn){0};
}
