#include "gpu/lease.h"

#include "base/file.h"
#include "base/scope.h"
#include "gpu/abstract.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 108, PROC_LIMIT = 1 << 16 };

static const char *lease_name(const char *uuid, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, LEASE_NAME "%s", uuid);
    return name;
}

int lease_take(struct lease *lease, const char *uuid)
{
    char name[NAME_SIZE];

    lease->socket = abstract_listen(lease_name(uuid, name));
    if (lease->socket >= 0)
        return LEASE_OURS;
    return errno == EADDRINUSE ? LEASE_TAKEN : -1;
}

/* Shells and scripts use the numbers up to 9 as they like; 10 and up are left alone. */
int lease_hand_on(struct lease *lease)
{
    enum { FIRST = 64 };
    int held = fcntl(lease->socket, F_DUPFD, FIRST);

    if (held < 0)
        return -1;
    close_fd(&lease->socket);
    lease->socket = held;
    return 0;
}

void lease_release(struct lease *lease)
{
    close_fd(&lease->socket);
    lease->socket = -1;
}

int lease_list(const char *const *uuids, size_t count, bool *held)
{
    scope(strbuf_release) struct strbuf table = STRBUF_INIT;
    const char *at, *name;
    size_t length;

    if (abstract_read_table(&table) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        held[i] = false;
    at = strbuf_text(&table);
    while ((name = abstract_next(&at, LEASE_NAME, &length)))
        for (size_t i = 0; i < count; i++)
            if (strlen(uuids[i]) == length && memcmp(uuids[i], name, length) == 0)
                held[i] = true;
    return 0;
}

int lease_watch(const char *uuid)
{
    char name[NAME_SIZE];

    return abstract_watch(lease_name(uuid, name));
}

/* When the machine started, in seconds since 1970; 0: unknown. */
static time_t boot_time(void)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (file_read("/proc/stat", PROC_LIMIT, &text) < 0)
        return 0;
    const char *line = strstr(strbuf_text(&text), "\nbtime ");
    return line ? (time_t)strtoll(line + strlen("\nbtime "), NULL, 10) : 0;
}

/* The 22nd field of /proc/PID/stat (proc(5), starttime); the second, a name, may hold anything. */
static time_t start_time(pid_t process)
{
    enum { BEHIND_NAME = 20 };
    char path[64];
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
    if (file_read(path, PROC_LIMIT, &text) < 0)
        return 0;
    const char *field = strrchr(strbuf_text(&text), ')');
    for (int i = 0; field && i < BEHIND_NAME; i++)
        field = strchr(field + 1, ' ');
    time_t boot = boot_time();
    return field && boot ? boot + (time_t)(strtoll(field, NULL, 10) / sysconf(_SC_CLK_TCK)) : 0;
}

/* The words of its command line, with a space between them. */
static void read_command(pid_t process, char *command, size_t size)
{
    char path[64];
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)process);
    if (file_read(path, PROC_LIMIT, &text) < 0 && !text.length)
        return;
    size_t length = text.length && !text.text[text.length - 1] ? text.length - 1 : text.length;
    if (length >= size)
        length = size - 1;
    for (size_t i = 0; i < length; i++)
        command[i] = (char)(text.text[i] ? text.text[i] : ' ');
    command[length] = '\0';
}

int lease_ask(const char *uuid, struct lease_holder *holder)
{
    struct ucred listener;
    scope(close_fd) int fd = lease_watch(uuid);

    *holder = (struct lease_holder){0};
    if (fd < 0)
        return errno == ECONNREFUSED ? 0 : errno == EAGAIN ? 1 : -1;
    if (abstract_listener(fd, &listener) < 0)
        return -1;
    holder->user = listener.uid;
    holder->process = listener.pid;
    holder->since = start_time(listener.pid);
    holder->ended = !holder->since;
    read_command(listener.pid, holder->command, sizeof holder->command);
    return 1;
}
