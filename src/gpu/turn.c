#include "gpu/turn.h"

#include "base/file.h"
#include "base/scope.h"
#include "gpu/abstract.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURN_NAME "conda-gpu/turn/"

enum { NAME_SIZE = 108, TABLE_LIMIT = 256 << 20 };

/* One line of the table that is about a turn. */
struct entry {
    unsigned long number, wanted;
    const char *uuid; /* "" for the place itself */
    size_t uuid_length;
};

/* The names of listening sockets in this network namespace (proc(5), /proc/net/unix; flag
   0x10000 is __SO_ACCEPTCON). */
static int read_table(struct strbuf *table)
{
    return file_read("/proc/net/unix", TABLE_LIMIT, table);
}

static bool is_listening(const char *line)
{
    unsigned long long flags = 0;
    const char *at = line;

    for (int field = 0; at && field < 3; field++)
        at = strchr(at + 1, ' ');
    if (at)
        flags = strtoull(at, NULL, 16);
    return flags & 0x10000;
}

/* Sets the entry from a line, whose end is `end`; false if it is about something else. */
static bool read_entry(const char *line, const char *end, struct entry *entry)
{
    const char *name = memmem(line, (size_t)(end - line), " @" TURN_NAME, strlen(" @" TURN_NAME));
    char *at;

    if (!name || !is_listening(line))
        return false;
    *entry = (struct entry){.uuid = ""};
    entry->number = strtoul(name + strlen(" @" TURN_NAME), &at, 10);
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
    struct entry entry;

    for (const char *line = strbuf_text(table), *end; *line; line = end + (*end == '\n')) {
        end = line + strcspn(line, "\n");
        if (read_entry(line, end, &entry))
            see(&entry, data);
    }
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

    if (read_table(&table) < 0)
        return -1;
    walk(&table, see_last, &last);
    while (last < ULONG_MAX) {
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
    return -1;
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
    *turn = joining;
    joining = (struct turn){0};
    return 0;
}

struct search {
    const struct turn *turn;
    unsigned long skip;
    unsigned long nearest; /* that would take one of our cards; 0: none so far */
    unsigned long wanted;  /* by the nearest */
};

static bool wants(const struct turn *turn, const struct entry *entry)
{
    for (size_t i = 0; i < turn->count; i++)
        if (strlen(turn->uuids[i]) == entry->uuid_length &&
            memcmp(turn->uuids[i], entry->uuid, entry->uuid_length) == 0)
            return true;
    return false;
}

static void see_before(const struct entry *entry, void *data)
{
    struct search *search = data;

    if (entry->number >= search->turn->number || entry->number <= search->skip)
        return;
    if (entry->uuid_length && entry->number > search->nearest && wants(search->turn, entry)) {
        search->nearest = entry->number;
        search->wanted = entry->wanted;
    }
}

int turn_find_before(const struct turn *turn, unsigned long skip, struct turn_before *before)
{
    for (;;) {
        scope(strbuf_release) struct strbuf table = STRBUF_INIT;
        struct search search = {.turn = turn, .skip = skip};
        struct ucred listener;
        char name[NAME_SIZE];
        if (read_table(&table) < 0)
            return -1;
        walk(&table, see_before, &search);
        if (!search.nearest)
            return 0;
        snprintf(name, sizeof name, TURN_NAME "%lu", search.nearest);
        scope(close_fd) int watch = abstract_watch(name);
        if (watch < 0 && errno == ECONNREFUSED)
            continue; /* it went while we looked */
        if (watch < 0 || abstract_listener(watch, &listener) < 0)
            return -1;
        *before = (struct turn_before){search.nearest, take_fd(&watch), search.wanted, listener.uid,
                                       listener.pid};
        return 1;
    }
}

void turn_release(struct turn *turn)
{
    for (size_t i = 0; turn->sockets && i <= turn->count; i++)
        close_fd(&turn->sockets[i]);
    free(turn->sockets);
    *turn = (struct turn){0};
}
